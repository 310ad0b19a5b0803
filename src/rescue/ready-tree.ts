/** Makes the tree that a rescue writes: the chosen one without its damage, and with the right highest job id. */
import { stringifyJson } from '../bytes/index.ts'
import type { ContentStore } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import {
  damagedKey,
  type FoundRoot,
  highestJobid,
  JOB_MANAGER_KEY,
  jobManagerState,
  planRepair,
  RepairTree,
  remedyOf,
} from '../inspect/index.ts'
import { SnapshotReader, usedRoots } from '../kvs/index.ts'
import type { Choice } from './choose-root.ts'
import { type ChangedStore, withChanges } from './new-store.ts'
import type { LostKey } from './report.ts'

/** Damage is handled as `fsck --repair --job-aware --drop-damaged` does. */
const REPAIR = { jobAware: true, dropDamaged: true }

/** Newer roots that are asked for their job ids. */
const MOST_ROOTS = 20

/** A tree that is ready to be written. */
export interface Ready extends ChangedStore {
  /** Roots of the namespaces of running jobs. */
  readonly otherRoots: readonly string[]
  readonly lostKeys: readonly LostKey[]
  /** The highest job id in any root that was found; undefined when there is no job. */
  readonly highestJobid: bigint | undefined
  /** True when `checkpoint.job-manager` named a lower one and was put right. */
  readonly isJobidRaised: boolean
  /** A newer root of the primary namespace, if there is one. */
  readonly newer: NewerRoot | undefined
}

/** A root with later events than the chosen one. */
export interface NewerRoot {
  readonly rootref: string
  /** The newest time in its eventlogs, in seconds since 1970. */
  readonly time: number | undefined
  readonly jobs: number
}

/**
 * @throws {FluxError} `EOVERFLOW` there are too many damaged keys to repair; or the store as a whole fails
 */
export async function readyTree({ store, root, roots }: Choice, signal: AbortSignal | undefined): Promise<Ready> {
  const { rootref, damages, unlisted } = root
  if (unlisted) {
    throw new FluxError('EOVERFLOW', `${store.name}: too many damaged keys: ${unlisted} beyond those listed`, {
      hint: 'give another root with --root',
    })
  }
  const planned = await planRepair(store, rootref, damages, REPAIR)
  const lostKeys = damages.map((damage) => {
    return { key: damagedKey(damage), kind: damage.kind, remedy: remedyOf(damage, REPAIR) }
  })
  const reader = new SnapshotReader({ store, rootref }, { signal })
  const own = await highestJobid(reader)
  const state = await jobManagerState(reader)
  const newest = roots.slice(0, MOST_ROOTS)
  const highest = await highestIn(store, [rootref, ...newest.map((found) => found.rootref)], signal)
  // At its start, the job manager takes the higher of what it has written and of the jobs that are there.
  const isKnown = highest === undefined || highest === own || (state?.maxJobid ?? 0n) >= highest
  let { tree } = planned
  if (!isKnown) {
    tree ??= await RepairTree.open(store, rootref)
    const text = stringifyJson({ version: 1, ...state?.json, max_jobid: highest })
    const data = Buffer.from(text).toString('base64')
    await tree.put(JOB_MANAGER_KEY.split('.'), { type: 'val', ver: 1, data })
  }
  const [, ...otherRoots] = await usedRoots(store, [rootref], { signal })
  const changed = tree ? await withChanges(store, tree) : { store, rootref }
  const newer = newerThan(rootref, roots)
  return { ...changed, otherRoots, lostKeys, highestJobid: highest, isJobidRaised: !isKnown, newer }
}

/**
 * The newest root with later events than the chosen one. The order of rows alone does not tell: a root that comes again
 * keeps its old row.
 *
 * @param roots - those that checkpoints name are among them
 */
function newerThan(rootref: string, roots: readonly FoundRoot[]): NewerRoot | undefined {
  const own = roots.find((found) => found.rootref === rootref)?.newest
  const newer = roots.find((found) => found.newest !== undefined && (own === undefined || found.newest > own))
  if (newer === undefined || newer.rootref === rootref) return undefined
  return { rootref: newer.rootref, time: newer.newest, jobs: newer.jobs }
}

/** The highest job id in some roots, and in the checkpoints. */
async function highestIn(
  store: ContentStore,
  named: readonly string[],
  signal: AbortSignal | undefined,
): Promise<bigint | undefined> {
  const rootrefs = new Set(named)
  for (const checkpoint of await store.checkpoints().catch(() => [])) rootrefs.add(checkpoint.rootref)
  let highest: bigint | undefined
  for (const rootref of rootrefs) {
    const reader = new SnapshotReader({ store, rootref }, { signal })
    for (const id of [await highestJobid(reader), (await jobManagerState(reader))?.maxJobid]) {
      if (id !== undefined && id > 0n && (highest === undefined || id > highest)) highest = id
    }
  }
  return highest
}
