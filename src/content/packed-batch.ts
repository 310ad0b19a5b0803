/**
 * A batch of blobs as it crosses from the reading thread: few buffers, whose memory is handed over, not copied.
 */
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { SharedCounts } from './read-counts.ts'
import type { StoreTotals } from './store-on-disk.ts'

/** What became of a blob. */
export const BLOB = {
  /** In the arena, from `start[i]` to `end[i]`. */
  PACKED: 0,
  /** In `large`. */
  LARGE: 1,
  /** Left out for want of budget. */
  DEFERRED: 2,
  MISSING: 3,
  /** Its bytes do not have the digest they are stored under. */
  ALTERED: 4,
  /** The store cannot give its bytes; the reason is in `reasons`. */
  UNREADABLE: 5,
  /** Larger than any that is wanted whole. */
  TOO_LARGE: 6,
} as const

export interface PackedBatch {
  status: Uint8Array
  start: Uint32Array
  end: Uint32Array
  arena: Uint8Array
  /** Blobs that got a buffer of their own, by their place in the batch. */
  large: Map<number, Uint8Array>
  reasons: Map<number, string>
}

/** What {@link BlobReader.checkBatch} answers: as in a batch, without the bytes. */
export type CheckedBatch = Pick<PackedBatch, 'status' | 'reasons'>

/** A blob that is read some bytes at a time. */
export interface BlobStream {
  /** The next bytes, a view that is good until the next call; undefined at the end. */
  next(): Uint8Array | undefined
  /** At the end: has everything come that should? */
  readonly isWhole: boolean
  close(): void
}

/** Why a blob cannot be had. */
export interface BlobFailure {
  status: number
  reason?: string
}

/** Blobs that a {@link BlobReader} is asked for at a time, at most. */
export const MAX_BATCH = 8192

/** Something that reads batches of blobs, blocking: it has a thread of its own. */
export interface BlobReader {
  /** The algorithm of its blobrefs. */
  readonly hash: HashName
  /** Number of blobs, as soon as that is known. */
  readonly objects: number | undefined

  /** The checkpoints, newest first; empty when there is none. @throws {FluxError} `EPROTO` for a bad one */
  checkpoints(): Checkpoint[]

  /**
   * @param hex - the digests, `count` of them, in hex, one after another
   * @param maxBlobBytes - blobs that are larger are not read, but {@link BLOB.TOO_LARGE}
   */
  readBatch(hex: string, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch

  /** A blob, to be read some bytes at a time; or why it cannot be had. @param hex - its digest */
  openStream(hex: string): BlobStream | BlobFailure

  /** Bytes of each, expanded; -1 for one that is not there or not readable. @param hex - as for {@link readBatch} */
  sizes(hex: string, count: number): Float64Array

  /** See {@link ContentStore.checkBatch}: `PACKED` or `LARGE` is intact. */
  checkBatch(hex: string, count: number): CheckedBatch

  /** The digests of some objects, in hex. */
  list(from: number, count: number): string

  /** Set blobs apart in {@link totals}. */
  mark(hex: string, count: number): void

  /** @param shared - is counted up meanwhile */
  totals(shared: SharedCounts): StoreTotals

  /** Release everything. */
  close(): void
}
