import type { SnapshotRoot } from '../../kvs/index.ts'
import type { DuOptions, Usage } from './sums.ts'
import { treeSums } from './tree-sums.ts'

/**
 * Add up the sizes below a directory of a snapshot. Each directory blob is read once, however many keys lead to it;
 * only those down to `depth` are read once for each key. Sums stop at 2^53 - 1.
 *
 * @returns the directory and its subdirectories down to `depth`, parents before their children
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} `ENOENT` the key does not exist; `ENOTDIR` it is not a directory; `EOVERFLOW` more than ten
 *   million directories down to `depth`
 */
export async function du(snapshot: SnapshotRoot, options: DuOptions): Promise<Usage[]> {
  const sums = await treeSums(snapshot, options)
  sums.release()
  return sums.usages
}

export type UsageOrder = 'size' | 'name' | 'count'

/** Sort directories: largest first, most keys first, or by their keys. @returns a new array */
export function sortUsages(usages: readonly Usage[], order: UsageOrder): Usage[] {
  const byName = (a: Usage, b: Usage) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  if (order === 'name') return usages.toSorted(byName)
  const measure = ({ bytes, keys }: Usage) => (order === 'size' ? bytes : keys)
  return usages.toSorted((a, b) => measure(b) - measure(a) || byName(a, b))
}
