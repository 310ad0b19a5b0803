/** Loading blobs without an object for each: only what is looked at becomes one. */

import type { BlobRequest } from './blob-request.ts'
import { resultOf } from './blob-results.ts'
import { type BlobResult, ContentError, type ContentStore } from './content-store.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'

/** The results of a {@link BlobRequest}, by place. */
export interface LoadedBlobs {
  /** The size of a blob in bytes; -1 when it is not there. */
  sizeOf(place: number): number
  /** The bytes of a blob that is there, as a view. */
  bytesOf(place: number): Uint8Array
  /** Why a blob is not there; undefined when it was left out because of the byte budget. */
  errorOf(place: number): ContentError | undefined
}

/**
 * Load blobs.
 *
 * @throws as {@link ContentStore.loadBatch}, which says what the limits are
 */
export async function loadBlobs(
  store: ContentStore,
  request: BlobRequest,
  budgetBytes: number,
  maxBlobBytes?: number,
): Promise<LoadedBlobs> {
  if (store.loadPacked) return new PackedBlobs(request, await store.loadPacked(request, budgetBytes, maxBlobBytes))
  return new ListedBlobs(await store.loadBatch(request.blobrefs(), budgetBytes, maxBlobBytes))
}

class PackedBlobs implements LoadedBlobs {
  readonly #request: BlobRequest
  readonly #batch: PackedBatch
  // Reading `buffer` of a typed array is a slow call.
  readonly #buffer: ArrayBufferLike
  readonly #offset: number

  constructor(request: BlobRequest, batch: PackedBatch) {
    this.#request = request
    this.#batch = batch
    this.#buffer = batch.arena.buffer
    this.#offset = batch.arena.byteOffset
  }

  sizeOf(place: number): number {
    const { status, start, end, large } = this.#batch
    if (status[place] === BLOB.PACKED) return (end[place] as number) - (start[place] as number)
    return status[place] === BLOB.LARGE ? (large.get(place) as Uint8Array).length : -1
  }

  bytesOf(place: number): Uint8Array {
    const { status, start, end, large } = this.#batch
    if (status[place] !== BLOB.PACKED) return large.get(place) as Uint8Array
    const from = start[place] as number
    return new Uint8Array(this.#buffer, this.#offset + from, (end[place] as number) - from)
  }

  errorOf(place: number): ContentError | undefined {
    return resultOf(this.#batch, place, this.#request.blobref(place)) as ContentError | undefined
  }
}

class ListedBlobs implements LoadedBlobs {
  readonly #results: readonly BlobResult[]

  constructor(results: readonly BlobResult[]) {
    this.#results = results
  }

  sizeOf(place: number): number {
    const result = this.#results[place]
    return result === undefined || result instanceof ContentError ? -1 : result.length
  }

  bytesOf(place: number): Uint8Array {
    return this.#results[place] as Uint8Array
  }

  errorOf(place: number): ContentError | undefined {
    return this.#results[place] as ContentError | undefined
  }
}
