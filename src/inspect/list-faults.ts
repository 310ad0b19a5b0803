import type { ContentStore } from '../content/index.ts'
import type { FluxError } from '../errors/index.ts'

/**
 * What is wrong with the list of blobs of a store, which may lack some then. No blob is read.
 *
 * @returns see {@link RangeCheck.faults}; empty for a store that does not list its blobs
 * @throws {FluxError} when the store as a whole fails
 */
export async function listFaults(store: ContentStore): Promise<FluxError[]> {
  const { onDisk } = store
  if (!onDisk) return []
  // Their number is known when the first have been listed.
  if (store.objects === undefined) await onDisk.list(0, 1)
  // At the end of the list there is none to verify.
  return (await onDisk.checkRange(store.objects ?? 0, 0)).faults
}
