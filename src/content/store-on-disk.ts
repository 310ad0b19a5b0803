import type { FluxError } from '../errors/index.ts'
import type { ContentError } from './content-error.ts'
import type { StoreCopier } from './store-copier.ts'

/** The number and size of some blobs. */
export interface Totals {
  objects: number
  /** Their expanded bytes. */
  bytes: number
  /** The bytes that they take in the store. */
  storedBytes: number
  /** The number of compressed blobs. */
  compressed: number
  /** The expanded bytes of the compressed blobs. */
  compressibleBytes: number
}

/** Totals of no blobs. */
export function emptyTotals(): Totals {
  return { objects: 0, bytes: 0, storedBytes: 0, compressed: 0, compressibleBytes: 0 }
}

/** The totals of a store on disk. */
export interface StoreTotals {
  all: Totals
  /** The blobs that were marked with {@link StoreOnDisk.mark}. */
  marked: Totals
  /** Unreadable objects, which neither total includes. It is an upper bound where even their digests are lost. */
  unreadable: number
  /** The size of the database, or of all files. */
  fileBytes: number
  /** The part of `fileBytes` that is free for reuse. */
  freeBytes: number
  /** The size of a page of the database; undefined for a store that has none. */
  pageBytes?: number | undefined
}

/** The result of {@link StoreOnDisk.checkRange}. */
export interface RangeCheck {
  /** True when the range reaches the end of the store. */
  isLast: boolean
  /** How many blobs were verified. */
  checked: number
  /** The errors of those that are not intact, in the order of storage. */
  errors: ContentError[]
  /**
   * At the end of the store, unless only marked blobs are verified: what is wrong with its list of blobs (`EBADMSG`). It
   * may lack blobs then, or name some that are not there.
   */
  faults: FluxError[]
}

/** What only a store on disk can do: {@link ContentStore.onDisk}. */
export interface StoreOnDisk {
  /**
   * Read a blob that is too large for memory. The whole blob is first verified, and then read again to yield it.
   *
   * @yields its bytes, piece by piece
   * @throws {ContentError} the blob cannot be read
   */
  stream(blobref: string): AsyncGenerator<Uint8Array, void, void>

  /**
   * The sizes of blobs, without loading them.
   *
   * @param blobrefs - as for {@link ContentStore.loadBatch}
   * @returns the expanded size of each, in order, as the store records it; -1 for a missing or unreadable blob
   * @throws {FluxError} the store as a whole fails
   */
  sizes(blobrefs: readonly string[]): Promise<Float64Array>

  /** The same as {@link sizes}. @param digests - in the algorithm of the store, one after another */
  sizesOf(digests: Uint8Array): Promise<Float64Array>

  /**
   * List the blobrefs of the store, in the order in which they were stored: by row, or by the time of the file.
   *
   * @param from - how many to skip
   * @returns `count` blobrefs, or fewer at the end
   */
  list(from: number, count: number): Promise<string[]>

  /**
   * Verify blobs in the order of storage, which is much faster than any other order.
   *
   * @param from - how many blobs of the store to skip
   * @param count - how many to look at
   * @param options - `onlyMarked`: verify only those that {@link mark} has marked
   */
  checkRange(from: number, count: number, options?: { onlyMarked?: boolean }): Promise<RangeCheck>

  /** Mark blobs, to be counted separately in {@link totals}, or to be verified by {@link checkRange}. */
  mark(blobrefs: readonly string[]): Promise<void>

  /**
   * Copies blobs of the store to a new one as they are; undefined for a kind of store that cannot.
   *
   * @internal
   */
  readonly copier?: StoreCopier | undefined

  /** True when the checkpoints have been read, and there are older ones that were left out: see {@link ContentStore.checkpoints}. */
  readonly hasOlderCheckpoints?: boolean | undefined

  /**
   * The same as {@link mark}, for many blobs. It does not count them.
   *
   * @param digests - in the algorithm of the store, one after another
   * @returns how many of them the store has; each counts as often as it is named
   */
  markDigests(digests: Uint8Array): Promise<number>

  /** Count the blobs of the store and their sizes. */
  totals(): Promise<StoreTotals>
}
