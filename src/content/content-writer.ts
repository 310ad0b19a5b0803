import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'

/** A batch of blobs that is being stored. */
export interface StoringBatch {
  /** The blobrefs, in the order of the blobs. */
  readonly blobrefs: string[]
  /**
   * Resolves when the blobs are stored. Rejects with a {@link FluxError}: `ENOSPC`, `EFBIG`, or another error of the
   * store. After that, all later batches and {@link ContentWriter.commit} reject too.
   */
  readonly stored: Promise<void>
  /** Resolves when the writer has room for more; never rejects. A caller that does not wait fills the memory. */
  readonly room: Promise<void>
}

/** The target of a restore: the broker, a `content.sqlite`, a `content.files` directory. */
export interface ContentWriter extends AsyncDisposable {
  /** The name of the store in messages: a path or a URI. */
  readonly name: string
  /** The algorithm of its blobrefs. */
  readonly hash: HashName

  /**
   * Store blobs. A blob that the store has already takes no more space. Several batches may be in progress at once.
   *
   * @param blobs - views, which are used only until this returns
   * @param handedOver - true when the blobs are views of one buffer, which the writer owns from now on: it makes no copy
   */
  storeBatch(blobs: readonly Uint8Array[], handedOver?: boolean): StoringBatch

  /**
   * Append the newest checkpoint and make everything durable. Until then, nothing changes for a reader of the store.
   *
   * @param failed - the first words of an error of a live instance
   * @throws {FluxError} naming the store, which is then unchanged, unless the message says that everything is stored
   */
  commit(checkpoint: Checkpoint, failed?: string): Promise<void>

  /** Release everything. Without a {@link commit} before, the store is unchanged. May be called twice. */
  close(): Promise<void>
}
