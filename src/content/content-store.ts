import type { BlobRequest } from './blob-request.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ContentError } from './content-error.ts'
import type { LiveInstance } from './live-instance.ts'
import type { PackedBatch } from './packed-batch.ts'
import type { ReadCounts } from './read-counts.ts'
import type { StoreOnDisk } from './store-on-disk.ts'

/**
 * The result for one blob of a batch: its bytes; or the error why it cannot be loaded; or undefined when it was left
 * out because the batch had reached its byte budget. The caller must ask for it again.
 */
export type BlobResult = Uint8Array | ContentError | undefined

/**
 * A source of blobs: the broker, a `content.sqlite`, a `content.files` directory, an archive. Every source has these
 * members. {@link onDisk} has what only a store on disk can do, and {@link instance} what only a live instance can do.
 */
export interface ContentStore extends AsyncDisposable {
  /** The name of the store in messages: a path or a URI. */
  readonly name: string
  /** The algorithm of its blobrefs. */
  readonly hash: HashName
  /** True when blobs are not compared with their blobrefs: the store was opened without verification. */
  readonly isUnverified?: boolean | undefined
  /** The largest number of blobs that is worth loading at a time. It may change during the work. */
  readonly window: number
  /** Number of blobs in the store, if that is known without reading each. */
  readonly objects?: number | undefined
  /** How much has been read so far, for progress displays. */
  readonly counts?: Readonly<ReadCounts> | undefined

  /** The additional functions of a store on disk; undefined for any other. */
  readonly onDisk?: StoreOnDisk | undefined
  /** The live instance behind the store; undefined when there is none. */
  readonly instance?: LiveInstance | undefined

  /**
   * Load blobs. Each is compared with its blobref, unless the store was opened without verification. Several batches
   * may be loading at once.
   *
   * @param blobrefs - valid blobrefs, of any algorithm, in any order, repeated or not
   * @param budgetBytes - when the blobs come to more, some results are undefined, but never all
   * @param maxBlobBytes - a store on disk does not load larger blobs: their result is `EFBIG`. Use {@link
   *   StoreOnDisk.stream}
   * @returns one result for each blobref, in order. The bytes may be views of one larger buffer.
   * @throws {FluxError} the store as a whole fails; `EBUSY` another process has changed it meanwhile
   */
  loadBatch(blobrefs: readonly string[], budgetBytes: number, maxBlobBytes?: number): Promise<BlobResult[]>

  /**
   * {@link loadBatch} without an object for each blob, of stores that can. Use `loadBlobs`, which takes any store.
   *
   * @internal
   */
  loadPacked?(request: BlobRequest, budgetBytes: number, maxBlobBytes?: number): Promise<PackedBatch>

  /**
   * Verify blobs without returning their bytes.
   *
   * @param blobrefs - as for {@link loadBatch}
   * @returns the error of each, in order; undefined for an intact blob. A store that was opened without verification
   *   reports only missing blobs.
   * @throws {FluxError} the store as a whole fails
   */
  checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]>

  /**
   * The checkpoints, newest first; of a store on disk the newest 10,000: see {@link StoreOnDisk.hasOlderCheckpoints}.
   *
   * @throws {FluxError} `ENOENT` when there is none
   */
  checkpoints(): Promise<Checkpoint[]>

  /**
   * Check that the store has not changed; call it when everything has been read. A store on disk also checks before it
   * returns any result, so that a change is never reported as damage.
   * @throws {FluxError} `EBUSY` another process changed the store meanwhile, so the data read may be inconsistent
   */
  assertUnchanged(): Promise<void>

  /** Release everything. May be called twice. */
  close(): Promise<void>
}
