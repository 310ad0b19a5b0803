/** Verifies the blobs of a store on disk in the order of storage. */
import type { RangeCheck, StoreOnDisk } from '../../content/index.ts'
import { abortable, throwIfAborted } from '../../errors/index.ts'

/** Blobs of the store that are looked at in one step. */
const RANGE = 8192
/** Steps under way: a store may be read in two threads. */
const RANGES = 4

/**
 * Verify the blobs of a whole store.
 *
 * @yields the result of each range, in the order of storage
 * @param options - as for {@link StoreOnDisk.checkRange}
 * @throws {FluxError} when the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function* checkRanges(
  onDisk: Pick<StoreOnDisk, 'checkRange'>,
  options: { onlyMarked?: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<RangeCheck, void, void> {
  const underWay: Promise<RangeCheck>[] = []
  for (let from = 0; ; ) {
    throwIfAborted(signal)
    for (; underWay.length < RANGES; from += RANGE) {
      const range = onDisk.checkRange(from, RANGE, options)
      // Those that are under way when another one fails are not waited for.
      range.catch(() => {})
      underWay.push(range)
    }
    const range = await abortable(underWay.shift() as Promise<RangeCheck>, signal)
    yield range
    if (range.isLast) return
  }
}
