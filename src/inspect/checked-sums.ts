/**
 * The sums of `du` and the check of `fsck` together, in one pass over the directories of a store on disk. The blobs of values
 * are verified at the end, in the order of storage.
 */
import type { SnapshotRoot } from '../kvs/index.ts'
import type { CheckedTree } from './fsck/check-tree.ts'
import { markIntact, verifyMarked } from './fsck/intact-tree.ts'
import type { TreeSums, TreeSumsOptions } from './size/sums.ts'
import { treeSums } from './size/tree-sums.ts'

/** Directories that are marked in one call. */
const MARKED = 8192

/** Options of {@link checkedSums}. */
export interface CheckedSumsOptions extends Omit<TreeSumsOptions, 'marks'> {
  /** Other roots to check, such as those of checkpoints: directories that they share are read once. */
  rootrefs?: readonly string[] | undefined
}

/** The sums of a snapshot, and what a check of it has found. */
export interface CheckedSums {
  readonly sums: TreeSums
  /**
   * What `checkTree` would count; undefined when anything is wrong with the snapshot or with one of the other roots, or
   * the store is not on disk. If it is given, all that can be reached from them is marked in the store, and nothing else.
   */
  readonly checked: CheckedTree | undefined
}

/**
 * Add up a snapshot, and check it and other roots. If anything is wrong, `checkTree` tells what.
 *
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} as {@link treeSums}
 */
export async function checkedSums(snapshot: SnapshotRoot, options: CheckedSumsOptions): Promise<CheckedSums> {
  const { rootrefs = [], signal } = options
  const { store } = snapshot
  const { onDisk } = store
  const sums = await treeSums(snapshot, { ...options, marks: onDisk !== undefined })
  const { graph, counts } = sums
  if (onDisk === undefined || counts === undefined) return { sums, checked: undefined }
  const isIntact = await markIntact(store, onDisk, rootrefs, graph, signal)
  graph.releaseNumbers()
  if (!isIntact || !(await verifyMarked(onDisk, signal))) return { sums, checked: undefined }
  // Only now: directories have been verified when they were read.
  for (const digests of graph.digests(store.hash, MARKED)) await onDisk.markDigests(digests)
  return { sums, checked: { ...counts, errors: 0 } }
}
