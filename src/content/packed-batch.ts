/**
 * A batch of blobs from a reading thread. It has few buffers, which are transferred, not copied.
 */
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ChosenSize, CopyTarget } from './chosen-blobs.ts'
import type { SharedCounts } from './read-counts.ts'
import type { StoreTotals } from './store-on-disk.ts'

/** The status of a blob in a batch. */
export const BLOB = {
  /** In the arena, from `start[i]` to `end[i]`. */
  PACKED: 0,
  /** In `large`. */
  LARGE: 1,
  /** Left out because the budget was used up. */
  DEFERRED: 2,
  MISSING: 3,
  /** Its bytes do not have the digest they are stored under. */
  ALTERED: 4,
  /** The store cannot read its bytes; the reason is in `reasons`. */
  UNREADABLE: 5,
  /** Larger than `maxBlobBytes`. */
  TOO_LARGE: 6,
  /** Chosen before, and not read again: see {@link BlobCopier}. */
  CHOSEN: 7,
} as const

export interface PackedBatch {
  status: Uint8Array
  start: Uint32Array
  end: Uint32Array
  arena: Uint8Array
  /** Blobs with a separate buffer, by their place in the batch. */
  large: Map<number, Uint8Array>
  reasons: Map<number, string>
}

/** A batch of which nothing has been found. */
export function emptyBatch(count: number): PackedBatch {
  return {
    status: new Uint8Array(count).fill(BLOB.MISSING),
    start: new Uint32Array(count),
    end: new Uint32Array(count),
    arena: new Uint8Array(),
    large: new Map(),
    reasons: new Map(),
  }
}

/** True when a blob has been read, or verified. */
export function isSound(status: number | undefined): boolean {
  return status === BLOB.PACKED || status === BLOB.LARGE
}

/** The result of {@link BlobReader.checkBatch}: a batch without the bytes. */
export type CheckedBatch = Pick<PackedBatch, 'status' | 'reasons'>

/** The result of {@link BlobReader.checkRange}. */
export interface CheckedRange {
  /** True when the range reaches the end of the store. */
  isLast: boolean
  /** How many blobs were checked. */
  checked: number
  /** Those that are not intact, in the order of storage. */
  bad: (BlobFailure & { digest: Uint8Array })[]
  /** At the end of the store: see {@link RangeCheck.faults}, in words. */
  faults?: string[]
}

/** A blob that is read piece by piece. */
export interface BlobStream {
  /** The next bytes: a view, valid until the next call; undefined at the end. */
  next(): Uint8Array | undefined
  /** At the end: true when the blob was complete. */
  readonly isWhole: boolean
  close(): void
}

/** Why a blob cannot be read. */
export interface BlobFailure {
  status: number
  reason?: string | undefined
}

/** The most blobs to ask a {@link BlobReader} for at a time. */
export const MAX_BATCH = 8192

/** Reads batches of blobs with blocking calls, in its own thread. */
export interface BlobReader {
  /** The algorithm of its blobrefs. */
  readonly hash: HashName
  /** Number of blobs, as soon as that is known. */
  readonly objects: number | undefined

  /**
   * The checkpoints, newest first; empty when there is none. Where there are more than `MAX_CHECKPOINTS`, one more than that
   * is enough.
   *
   * @throws {FluxError} `EPROTO` one is damaged
   */
  checkpoints(): Checkpoint[]

  /**
   * Read blobs.
   *
   * @param digests - `count` of them, one after another
   * @param count - {@link MAX_BATCH} at most
   * @param maxBlobBytes - larger blobs are not read, and have the status {@link BLOB.TOO_LARGE}
   */
  readBatch(digests: Uint8Array, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch

  /** Open a blob to read it piece by piece. */
  openStream(digest: Uint8Array): BlobStream | BlobFailure

  /** The expanded size of each blob; -1 for a missing or unreadable one. @param digests - any number, as for {@link readBatch} */
  sizes(digests: Uint8Array, count: number): Float64Array

  /** See {@link ContentStore.checkBatch}: `PACKED` or `LARGE` is intact. Parameters as {@link readBatch}. */
  checkBatch(digests: Uint8Array, count: number): CheckedBatch

  /** See {@link StoreOnDisk.checkRange}. */
  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange

  /** The digests of `count` blobs after the first `from`, one after another, in the order of storage. */
  list(from: number, count: number): Uint8Array

  /** See {@link StoreOnDisk.markDigests}. @param digests - any number, as for {@link readBatch} */
  mark(digests: Uint8Array, count: number): number

  /** Add up all objects. @param shared - shows the progress */
  totals(shared: SharedCounts): StoreTotals

  /**
   * The data to open a second reader with, in another thread, that reads the same store at the same time. What this one has
   * learnt and marked is shared with it. Undefined when the store cannot be opened again.
   */
  twin?(): unknown

  /** Copies blobs as they are stored. Undefined for a kind of store that cannot. */
  readonly copier?: BlobCopier

  /** Release everything. */
  close(): void
}

/**
 * Copies chosen blobs of a store on disk to a new store, as they are stored, with blocking calls, in the thread of the
 * reader.
 */
export interface BlobCopier {
  /** Choose blobs. @param digests - one after another. @returns the places of those that are missing */
  choose(digests: Uint8Array): number[]

  /**
   * Choose blobs, and read those that had not been chosen before. The status of the others is {@link BLOB.CHOSEN}.
   *
   * @param digests - one after another, not more than {@link MAX_BATCH}
   * @param budgetBytes - as for {@link BlobReader.readBatch}, and so is `maxBlobBytes`
   */
  read(digests: Uint8Array, budgetBytes: number, maxBlobBytes: number): PackedBatch

  measure(): ChosenSize

  /**
   * Copy the chosen blobs and the newest checkpoints, and flush them to disk. Each blob is compared with its digest
   * before, unless the store was opened without verification.
   *
   * @param shared - shows the progress
   * @throws {FluxError} `EBADMSG` a blob is damaged; `ENOSPC` and the like. The target is of no use then
   */
  copy(target: CopyTarget, shared: SharedCounts): void
}
