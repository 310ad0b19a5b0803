import { type BlobResult, ContentError, type ContentStore, loadInOrder, type StoreOnDisk } from '../content/index.ts'
import { throwIfAborted } from '../errors/index.ts'
import { missingValue } from './tree-faults.ts'

/** Bytes of a value held at a time. A larger blob is streamed in pieces. */
const PIECE_BYTES = 16 << 20

/**
 * Load the bytes of a value in order, some blobs at a time.
 *
 * @param key - for messages
 * @yields consecutive blobs, or pieces of one blob that is too large to hold. They are views, valid until the next
 *   batch is requested.
 * @throws {TreeError} `missing-value` for the first blob that cannot be loaded
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function* streamValue(
  store: ContentStore,
  key: string,
  blobrefs: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<readonly Uint8Array[], void, void> {
  let at = 0
  const options = { budgetBytes: PIECE_BYTES, maxBlobBytes: PIECE_BYTES, signal }
  for await (const results of loadInOrder(store, blobrefs, options)) {
    let parts: Uint8Array[] = []
    for (const result of results) {
      if (result instanceof Uint8Array) {
        parts.push(result)
      } else if (isTooLarge(result)) {
        if (parts.length > 0) yield parts
        parts = []
        // A store that is not on disk can only load blobs: there it is the answer of the service.
        if (store.onDisk === undefined) throw missingValue(key, at, result)
        yield* streamBlob(store.onDisk, key, result.blobref, at, signal)
      } else {
        // The first blob that fails ends the value. The blobs before it in this batch are dropped.
        throw missingValue(key, at, result)
      }
      at++
    }
    if (parts.length > 0) yield parts
  }
}

/** True when a blob was not returned because it is too large to hold. */
export function isTooLarge(result: BlobResult): result is ContentError {
  return result instanceof ContentError && result.code === 'EFBIG'
}

async function* streamBlob(
  store: StoreOnDisk,
  key: string,
  blobref: string,
  index: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Uint8Array[], void, void> {
  try {
    for await (const piece of store.stream(blobref)) {
      throwIfAborted(signal)
      yield [piece]
    }
  } catch (error) {
    throw error instanceof ContentError ? missingValue(key, index, error) : error
  }
}
