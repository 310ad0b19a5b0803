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
  /** The check of the snapshot and of the checkpoints, if all is whole. */
  readonly checked: CheckedTree | undefined
  /** What the store holds; undefined when it is still to be counted. */
  readonly content: ReportHealth['content'] | undefined
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
  const damages: Damage[] = []
  const errorsOf = new Map<string, number>()
  const roots = store.onDisk ? checkpoints.map((checkpoint) => checkpoint.rootref) : []
  let { checked } = options
  if (checked !== undefined) for (const root of [rootref, ...roots]) errorsOf.set(root, 0)
  else {
    const surveys = new Surveys()
    const onFault = (damage: Damage) => {
      if (damages.length < LISTED) damages.push(damage)
    }
    checked = await checkTree(snapshot, { surveys, onFault, signal })
    errorsOf.set(rootref, checked.errors)
    for (const root of roots) {
      if (errorsOf.has(root)) continue
      const { errors } = await checkTree({ store, rootref: root }, { surveys, onFault() {}, signal })
      errorsOf.set(root, errors)
    }
    surveys.release()
  }
  const isMarked = options.checked !== undefined
  const content =
    options.content === undefined
      ? await faults.attempt('content', () => contentOf(snapshot, kind, isMarked, signal), null)
      : options.content
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

/**
 * Count what a store holds. Its marks must be those of the checkpoints, or none.
 *
 * @param isMarked - all that the checkpoints refer to is marked
 * @returns null for a source that is no store on disk
 */
export async function contentOf(
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
