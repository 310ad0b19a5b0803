/** Copies chosen blobs of a store on disk to a new store, as they are stored: compressed blobs stay as they are. */
import type { PackedBatch } from './packed-batch.ts'
import type { SharedCounts } from './read-counts.ts'

/** The size of the blobs that were chosen to be copied. */
export interface ChosenSize {
  /** Number of blobs that were chosen. */
  blobs: number
  /** Number of blobs in the store. */
  storeBlobs: number
  /** The bytes of the chosen blobs, as they are stored. */
  storedBytes: number
  /** The room that a new store takes on disk: an estimate, rather too large than too small. */
  neededBytes: number
  /** The size of the store. */
  fileBytes: number
}

/** Where to copy the chosen blobs to. */
export interface CopyTarget {
  /** An empty file. */
  path: string
  /** Its name in messages. */
  name: string
  /** How many checkpoints to copy, the newest ones. */
  checkpoints: number
}

/** Chooses blobs and copies them, with blocking calls, in the thread of the reader. */
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
