import { type BlobResult, ContentError, type ContentStore, loadInOrder } from '../content/index.ts'
import { throwIfAborted } from '../errors/index.ts'
import { missingValue } from './tree-faults.ts'

/** Bytes of a value that are held at a time; a single blob may be larger. */
const PIECE_BYTES = 16 << 20

/**
 * Load the bytes of a value, some blobs at a time, in order.
 *
 * @param key - for messages
 * @yields blobs that stand next to each other, or pieces of one that is too large to be held; views, good until the next are asked for
 * @throws {TreeError} `missing-value`: the first blob that cannot be had
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
        yield* streamBlob(store, key, result.blobref, at, signal)
      } else {
        // The first that cannot be had ends the value; what came with it in a batch is of no use then.
        throw missingValue(key, at, result)
      }
      at++
    }
    if (parts.length > 0) yield parts
  }
}

/** Is a blob too large to be held? */
export function isTooLarge(result: BlobResult): result is ContentError {
  return result instanceof ContentError && result.code === 'EFBIG'
}

async function* streamBlob(
  store: ContentStore,
  key: string,
  blobref: string,
  index: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Uint8Array[], void, void> {
  try {
    for await (const piece of store.onDisk?.stream(blobref) ?? []) {
      throwIfAborted(signal)
      yield [piece]
    }
  } catch (error) {
    throw error instanceof ContentError ? missingValue(key, index, error) : error
  }
}
