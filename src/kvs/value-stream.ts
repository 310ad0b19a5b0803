import { type BlobResult, ContentError, type ContentStore } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { TreeError } from './tree-error.ts'

/** Blobs asked for at a time: beyond this, a batch gains nothing. */
const MAX_LOAD = 512

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
  let stuck = false
  for (let at = 0; at < blobrefs.length; ) {
    throwIfAborted(signal)
    const count = stuck ? 1 : Math.min(MAX_LOAD, Math.max(1, store.window))
    const results = await abortable(store.loadBatch(blobrefs.slice(at, at + count), PIECE_BYTES, PIECE_BYTES), signal)
    const parts: Uint8Array[] = []
    for (const [i, result] of results.entries()) {
      if (isTooLarge(result)) break
      if (result instanceof ContentError) throw missingValue(key, at + i, result)
      // The rest of this batch comes with the next: the order must be kept.
      if (result === undefined) break
      parts.push(result)
    }
    at += parts.length
    if (parts.length > 0) yield parts
    const result = results[parts.length]
    if (isTooLarge(result)) {
      yield* streamBlob(store, key, result.blobref, at++, signal)
      stuck = false
      continue
    }
    // The store may have left out the very first, which only a batch of its own is sure to bring.
    stuck = parts.length === 0
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

/**
 * A blob of a value that cannot be had, in the words of the C tools, so that scripts that look for them find them.
 *
 * @param index - which of the blobs of the value
 */
export function missingValue(key: string, index: number, cause: ContentError): TreeError {
  const { blobref, code } = cause
  const which = code === 'ENOENT' ? 'missing blobref' : 'unreadable blobref'
  return new TreeError(code, { key, blobref, kind: 'missing-value' }, `${which} ${index}: ${cause.message}`, { cause })
}

/** A directory whose blob cannot be had, likewise. */
export function missingDir(key: string, cause: ContentError): TreeError {
  const { blobref, code } = cause
  return new TreeError(code, { key, blobref, kind: 'missing-dir' }, `could not load content: ${cause.message}`, {
    cause,
  })
}
