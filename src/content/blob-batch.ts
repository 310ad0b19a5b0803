/** A batch of blobs for a writing thread. It has few buffers, which are transferred, not copied. */
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Blobs to store: blob `i` is at `start[i]` … `end[i]` of `bytes`. */
export interface BlobBatch {
  bytes: Uint8Array
  start: Float64Array
  end: Float64Array
  /**
   * Bytes of each blob before it was compressed, as the kind of store does it; -1 for one that is not compressed. Left out
   * when the writer is to compress.
   */
  sizes?: Float64Array
  /** The digests of the blobs, in the same order, one after another. */
  digests: Uint8Array
}

/** Stores batches of blobs with blocking calls, in its own thread. */
export interface BlobWriter {
  readonly hash: HashName
  store(batch: BlobBatch): void
  /** Write the checkpoint and make everything durable. */
  commit(checkpoint: Checkpoint): void
  /** Release everything. Without a commit before, the store is unchanged. */
  close(): void
}
