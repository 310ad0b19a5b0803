import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Blobs on their way. */
export interface StoringBatch {
  /** In the order of the blobs. */
  readonly blobrefs: string[]
  /**
   * Settles when they are stored. Rejects with a {@link FluxError}: `ENOSPC`, `EFBIG`, or whatever the store fails with.
   * Then so do all that follow, and {@link ContentWriter.commit}.
   */
  readonly stored: Promise<void>
  /** Settles, and never rejects, when the writer has room for more: wait for it, or all is held in memory. */
  readonly room: Promise<void>
}

/** Where a restore puts blobs: the broker, a `content.sqlite`, a `content.files` directory. */
export interface ContentWriter extends AsyncDisposable {
  /** What is shown of it in messages: a path or a URI. */
  readonly name: string
  /** The algorithm of its blobrefs. */
  readonly hash: HashName

  /**
   * Store blobs. One that is there already costs nothing more. Several batches may be under way at once.
   *
   * @param blobs - views that are not changed until they are stored
   * @param handedOver - they are views of one buffer, which is the writer's from now on
   */
  storeBatch(blobs: readonly Uint8Array[], handedOver?: boolean): StoringBatch

  /**
   * Append a checkpoint, newest, and make everything last. Until then nothing has changed for a reader of the store.
   *
   * @throws {FluxError} naming the store; then it is as it was, unless the message says that everything is stored
   */
  commit(checkpoint: Checkpoint): Promise<void>

  /** Let go. Without {@link commit} before, the store is as it was. Twice does no harm. */
  close(): Promise<void>
}
