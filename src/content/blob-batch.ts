/** A batch of blobs on its way to a writing thread: few buffers, whose memory is handed over, not copied. */
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Blobs to store. They lie in one buffer. */
export interface BlobBatch {
  bytes: Uint8Array
  start: Float64Array
  end: Float64Array
  /** In the same order, one after another. */
  digests: Uint8Array
}

/** Something that stores batches of blobs, blocking: it has a thread of its own. */
export interface BlobWriter {
  readonly hash: HashName
  store(batch: BlobBatch): void
  /** Make everything last, with this checkpoint. */
  commit(checkpoint: Checkpoint): void
  /** Let go. Without a commit before, what was there is as it was. */
  close(): void
}
