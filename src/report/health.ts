/** Is a snapshot healthy: its check, its checkpoints, and what its store keeps for nothing. */
import type { Checkpoint } from '../content/index.ts'
import {
  aheadOfCheckpoint,
  type CheckedTree,
  checkTree,
  contentStats,
  type Damage,
  damagedKey,
  damageLines,
  Surveys,
  surveyRoots,
} from '../inspect/index.ts'
import type { Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import { type FindingFacts, findingsOf } from './findings.ts'
import type { Names } from './names.ts'
import type { ReportHealth } from './report-data.ts'

/** Damaged keys in a list. */
const LISTED = 50

/** What {@link gatherHealth} needs besides the snapshot. */
export interface HealthOptions {
  readonly kind: string
  /** Those of the store, newest first. */
  readonly checkpoints: readonly Checkpoint[]
  readonly oversized: ReportHealth['oversized']
  readonly facts: Pick<FindingFacts, 'crashes' | 'drained' | 'created' | 'command'>
  readonly names: Names
  readonly faults: Faults
  readonly signal: AbortSignal | undefined
}

/** Check a snapshot, and the checkpoints of its store. @throws {FluxError} when the store as a whole fails */
export async function gatherHealth(snapshot: Snapshot, options: HealthOptions): Promise<ReportHealth> {
  const { checkpoints, oversized, names, faults, facts, kind, signal } = options
  const { store, rootref } = snapshot
  const surveys = new Surveys()
  // From a live instance, each blob of an older checkpoint would have to be loaded.
  const roots = store.onDisk ? checkpoints.map((checkpoint) => checkpoint.rootref) : []
  const isIntact = await surveyRoots(store, [...new Set([rootref, ...roots])], surveys, signal)
  const damages: Damage[] = []
  const onFault = (damage: Damage) => {
    if (damages.length < LISTED) damages.push(damage)
  }
  const checked = await checkTree(snapshot, { surveys, onFault, signal })
  const errorsOf = new Map([[rootref, checked.errors]])
  for (const root of roots) {
    if (errorsOf.has(root)) continue
    const { errors } = await checkTree({ store, rootref: root }, { surveys, onFault() {}, signal })
    errorsOf.set(root, errors)
  }
  surveys.release()
  const isMarked = isIntact && roots.includes(rootref)
  const content = await faults.attempt('content', () => contentOf(snapshot, kind, isMarked, signal), null)
  const ahead = kind === 'archive' ? undefined : await aheadOfCheckpoint(store)
  const shownCheckpoints = checkpoints.map((checkpoint) => ({
    rootref: checkpoint.rootref,
    sequence: checkpoint.sequence,
    timestamp: checkpoint.timestamp,
    errors: errorsOf.get(checkpoint.rootref) ?? null,
  }))
  const fsck = fsckOf(checked, damages, names)
  return {
    fsck,
    checkpoints: shownCheckpoints,
    content,
    oversized,
    findings: findingsOf({
      ...facts,
      kind,
      checked: fsck,
      isUnverified: store.isUnverified === true,
      isLive: store.instance !== undefined,
      checkpoints: shownCheckpoints,
      content,
      oversized,
      ahead,
    }),
  }
}

/** The health of a store that cannot be read. */
export function noHealth(oversized: ReportHealth['oversized']): ReportHealth {
  const fsck = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0, damaged: [] }
  return {
    fsck,
    checkpoints: [],
    content: null,
    oversized,
    findings: [{ level: 'bad', text: 'the store cannot be checked: see the warnings', command: null }],
  }
}

function fsckOf(
  { directories, values, symlinks, blobs, errors }: CheckedTree,
  damages: readonly Damage[],
  names: Names,
): ReportHealth['fsck'] {
  const damaged = damages.map((damage) => {
    const key = damagedKey(damage)
    const [line = ''] = damageLines(damage, false)
    const message = line.startsWith(`${key}: `) ? line.slice(key.length + 2) : line
    return { key: names.key(key), kind: damage.kind, message: names.message(message, damage.kind) }
  })
  return { directories, values, symlinks, blobs, errors, damaged }
}

async function contentOf(
  { store }: Snapshot,
  kind: string,
  isMarked: boolean,
  signal: AbortSignal | undefined,
): Promise<ReportHealth['content']> {
  // What is kept of an archive to read it is no store of anybody.
  if (!store.onDisk || store.instance || kind === 'archive') return null
  const { all, garbage, fileBytes, freeBytes, pageBytes } = await contentStats(store, {
    reachable: true,
    isMarked,
    ...(signal && { signal }),
  })
  const { objects = 0, bytes = 0, storedBytes = 0 } = garbage ?? {}
  return {
    objects: all.objects,
    bytes: all.bytes,
    storedBytes: all.storedBytes,
    garbageObjects: objects,
    garbageBytes: bytes,
    garbageStoredBytes: storedBytes,
    fileBytes,
    freePages: pageBytes === undefined ? null : freeBytes / pageBytes,
    pageSize: pageBytes ?? null,
  }
}
