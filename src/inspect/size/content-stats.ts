import type { ContentStore, StoreTotals, Totals } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import { usedRoots } from '../../kvs/index.ts'
import { markReachable } from './mark-reachable.ts'

export interface ContentStats extends StoreTotals {
  /**
   * Blobs that can be reached neither from a checkpoint nor from the namespace of a running job; undefined unless
   * `reachable` was set.
   */
  garbage: Totals | undefined
  /** Directories that could not be read. Blobs below them count as garbage. */
  unreadableDirs: number
}

/**
 * Count what a store on disk holds.
 *
 * @param reachable - also find which blobs can be reached from the checkpoints, and from {@link usedRoots}. With
 *   `isMarked`, what can be reached from the checkpoints, and nothing else, is marked already, and all of it can be read
 * @throws {FluxError} `ENOTSUP` the store is not on disk; or it cannot be read
 */
export async function contentStats(
  store: ContentStore,
  { reachable, isMarked = false, signal }: { reachable: boolean; isMarked?: boolean; signal?: AbortSignal },
): Promise<ContentStats> {
  const { onDisk } = store
  if (!onDisk) throw new FluxError('ENOTSUP', `${store.name}: not a content store on disk`)
  let unreadableDirs = 0
  if (reachable) {
    const checkpoints = (await store.checkpoints()).map(({ rootref }) => rootref)
    const used = await usedRoots(store, checkpoints, { signal })
    const rootrefs = isMarked ? used.filter((rootref) => !checkpoints.includes(rootref)) : used
    unreadableDirs = await markReachable(store, (digests) => onDisk.markDigests(digests), rootrefs, signal)
  }
  const counted = await onDisk.totals()
  return { ...counted, garbage: reachable ? difference(counted.all, counted.marked) : undefined, unreadableDirs }
}

function difference(all: Totals, some: Totals): Totals {
  return {
    objects: all.objects - some.objects,
    bytes: all.bytes - some.bytes,
    storedBytes: all.storedBytes - some.storedBytes,
    compressed: all.compressed - some.compressed,
    compressibleBytes: all.compressibleBytes - some.compressibleBytes,
  }
}
