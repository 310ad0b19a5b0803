/** Load any number of blobs in batches, and ask again for those that a store left out because of the byte budget. */
import { abortable, throwIfAborted } from '../errors/index.ts'
import type { ContentError } from './content-error.ts'
import type { ContentStore } from './content-store.ts'

/** The most blobs in a batch: a larger batch gains nothing. */
const MOST = 512

/** The byte budget of a batch. A single blob may be larger. */
const BUDGET_BYTES = 16 << 20

/** Options of {@link loadEach} and {@link loadInOrder}. */
export interface LoadOptions {
  /** The most blobs in a batch (default: the store's window, at most 512). */
  most?: number | undefined
  /** Bytes loaded at a time (default 16 MiB). A single blob may be larger. */
  budgetBytes?: number | undefined
  /** See {@link ContentStore.loadBatch}. */
  maxBlobBytes?: number | undefined
  signal?: AbortSignal | undefined
}

/** The part of a store that loads blobs. */
export type BlobLoader = Pick<ContentStore, 'loadBatch' | 'window'>

/**
 * Load blobs in any order.
 *
 * @param take - called once for each blob, with its place in `blobrefs` and its bytes or error. The bytes are views:
 *   copy them to keep them. When `take` returns false, no further batch is loaded.
 * @throws {FluxError} the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function loadEach(
  store: BlobLoader,
  blobrefs: readonly string[],
  take: (index: number, result: Uint8Array | ContentError) => unknown,
  { most, budgetBytes = BUDGET_BYTES, maxBlobBytes, signal }: LoadOptions = {},
): Promise<void> {
  let next = 0
  /** The places to load now: first those that were left out before. */
  let places: number[] = []
  while (true) {
    throwIfAborted(signal)
    const size = batchSize(store, most)
    while (places.length < size && next < blobrefs.length) places.push(next++)
    if (places.length === 0) return
    const asked = places.map((place) => blobrefs[place] as string)
    const results = await abortable(store.loadBatch(asked, budgetBytes, maxBlobBytes), signal)
    const leftOut: number[] = []
    let isEnough = false
    for (const [i, place] of places.entries()) {
      const result = results[i]
      if (result === undefined) leftOut.push(place)
      else if (take(place, result) === false) isEnough = true
    }
    if (isEnough) return
    places = leftOut
  }
}

/**
 * Load blobs, and yield them in order.
 *
 * @yields the bytes or errors of one or more consecutive blobs. The bytes are views, valid until the next step.
 * @throws as {@link loadEach}
 */
export async function* loadInOrder(
  store: BlobLoader,
  blobrefs: readonly string[],
  { most, budgetBytes = BUDGET_BYTES, maxBlobBytes, signal }: LoadOptions = {},
): AsyncGenerator<(Uint8Array | ContentError)[], void, void> {
  let isAlone = false
  for (let at = 0; at < blobrefs.length; ) {
    throwIfAborted(signal)
    const size = isAlone ? 1 : batchSize(store, most)
    const results = await abortable(store.loadBatch(blobrefs.slice(at, at + size), budgetBytes, maxBlobBytes), signal)
    const leftOut = results.indexOf(undefined)
    const run = (leftOut < 0 ? results : results.slice(0, leftOut)) as (Uint8Array | ContentError)[]
    at += run.length
    if (run.length > 0) yield run
    // The store may have left out the first blob of the batch. Loading that blob alone always returns it.
    isAlone = run.length === 0
  }
}

/** The size of the next batch, computed each time because the window may change. */
function batchSize({ window }: BlobLoader, most = Math.min(MOST, window)): number {
  return Math.max(1, most)
}
