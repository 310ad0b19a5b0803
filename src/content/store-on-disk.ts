/** What some blobs come to. */
export interface Totals {
  objects: number
  /** Their bytes. */
  bytes: number
  /** The bytes that they take in the store. */
  storedBytes: number
  /** How many of them are compressed. */
  compressed: number
  /** Of `bytes`, those of the blobs that are compressed. */
  compressibleBytes: number
}

/** The totals of nothing. */
export function emptyTotals(): Totals {
  return { objects: 0, bytes: 0, storedBytes: 0, compressed: 0, compressibleBytes: 0 }
}

/** What a store on disk holds. */
export interface StoreTotals {
  all: Totals
  /** Those that were marked: {@link StoreOnDisk.mark}. */
  marked: Totals
  /** Objects on damaged pages, which are in neither. Where nothing tells their digests any more it is an upper bound. */
  unreadable: number
  /** The size of the database; or of all files. */
  fileBytes: number
  /** Of `fileBytes`, what is free to be used again. */
  freeBytes: number
}

/** What only a store on disk can do: {@link ContentStore.onDisk}. */
export interface StoreOnDisk {
  /**
   * Read a blob that is too large to be held. It is compared with its blobref before its first bytes are yielded, as a whole,
   * and is read again then.
   *
   * @yields its bytes, some at a time
   * @throws {ContentError} it cannot be had
   */
  stream(blobref: string): AsyncGenerator<Uint8Array, void, void>

  /**
   * How large blobs are, without loading them.
   *
   * @param blobrefs - as for {@link ContentStore.loadBatch}
   * @returns bytes of each, expanded, in order; -1 for one that is not there or not readable. It is what the store says of
   *   them, not looked into.
   * @throws {FluxError} when the store as a whole fails
   */
  sizes(blobrefs: readonly string[]): Promise<Float64Array>

  /**
   * The blobs, in the order in which they lie there.
   *
   * @param from - how many come before
   * @returns `count` of them, or as many as are left
   */
  list(from: number, count: number): Promise<string[]>

  /** Set blobs apart in {@link totals}. */
  mark(blobrefs: readonly string[]): Promise<void>

  /** What the store holds. */
  totals(): Promise<StoreTotals>
}
