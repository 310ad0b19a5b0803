/** Loading any number of blobs: in batches, and asking again for what a store left out for its byte budget. */
import { abortable, throwIfAborted } from '../errors/index.ts'
import type { ContentError, ContentStore } from './content-store.ts'

/** Blobs asked for at a time: beyond this, a batch gains nothing. */
const MOST = 512

/** Bytes of a batch; a single blob may be larger. */
const BUDGET_BYTES = 16 << 20

/** How {@link loadEach} and {@link loadInOrder} ask. */
export interface LoadOptions {
  /** Blobs asked for at a time (default: the store's window, 512 at most). */
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
 * Load blobs, in whatever order they come.
 *
 * @param take - called once for each blob: its place in `blobrefs`, and its bytes or why it cannot be had. The bytes are
 *   views: copy what is to be kept. When it returns false, no further batch is asked for.
 * @throws {FluxError} when the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function loadEach(
  store: BlobLoader,
  blobrefs: readonly string[],
  take: (index: number, result: Uint8Array | ContentError) => unknown,
  { most, budgetBytes = BUDGET_BYTES, maxBlobBytes, signal }: LoadOptions = {},
): Promise<void> {
  let next = 0
  /** Places that are asked for now: first those that were left out before. */
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
 * Load blobs, and answer them in order.
 *
 * @yields for blobs that follow each other, their bytes or why they cannot be had; never nothing. The bytes are views, good
 *   until the next are asked for.
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
    // The store may have left out the very first. Only a batch of its own is sure to bring that one.
    isAlone = run.length === 0
  }
}

/** A window may change while one works. */
function batchSize({ window }: BlobLoader, most = Math.min(MOST, window)): number {
  return Math.max(1, most)
}
