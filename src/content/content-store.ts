import { type ErrnoName, FluxError } from '../errors/index.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { LiveInstance } from './live-instance.ts'
import type { ReadCounts } from './read-counts.ts'
import type { StoreOnDisk } from './store-on-disk.ts'

/**
 * One blob of a batch: its bytes; or why it cannot be had; or undefined when it was left out because the batch had
 * reached its byte budget, and is to be asked for again.
 */
export type BlobResult = Uint8Array | ContentError | undefined

/**
 * Where blobs come from: the broker, a `content.sqlite`, a `content.files` directory, an archive. This is what each of them
 * can do. What only a store on disk can do is in {@link onDisk}, and what only a live instance can do in {@link instance}.
 */
export interface ContentStore extends AsyncDisposable {
  /** What is shown of it in messages: a path or a URI. */
  readonly name: string
  /** The algorithm of its blobrefs. */
  readonly hash: HashName
  /** The largest number of blobs that is worth asking for at a time, now; it may change while one works. */
  readonly window: number
  /** Number of blobs in the store, where that is known without looking at each. */
  readonly objects?: number | undefined
  /** How much has been read so far, for whoever shows it. */
  readonly counts?: Readonly<ReadCounts> | undefined

  /** What a store on disk can do, too; undefined for any other. */
  readonly onDisk?: StoreOnDisk | undefined
  /** The live instance behind the store; undefined where there is none. */
  readonly instance?: LiveInstance | undefined

  /**
   * Load blobs. Each is compared with its blobref, unless the store was opened without verification. Several batches may
   * be under way at once.
   *
   * @param blobrefs - valid blobrefs, of any algorithm, in any order, repeated or not
   * @param budgetBytes - when the blobs found come to more, some are left undefined; never all of them
   * @param maxBlobBytes - a store on disk does not load what is larger, but answers `EFBIG` for it: {@link StoreOnDisk.stream}
   * @returns one result for each blobref, in order. The bytes may be views of one larger buffer.
   * @throws {FluxError} when the store as a whole fails; `EBUSY` when somebody has changed it meanwhile
   */
  loadBatch(blobrefs: readonly string[], budgetBytes: number, maxBlobBytes?: number): Promise<BlobResult[]>

  /**
   * Compare blobs with their blobrefs where they are, and hand over none.
   *
   * @param blobrefs - as for {@link loadBatch}
   * @returns what is wrong with each, in order; undefined for one that is intact. A store that was opened without
   *   verification says only what is missing.
   * @throws {FluxError} when the store as a whole fails
   */
  checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]>

  /**
   * The checkpoints, newest first.
   * @throws {FluxError} `ENOENT` when there is none
   */
  checkpoints(): Promise<Checkpoint[]>

  /**
   * Call when everything has been read. A store on disk also looks before it hands anything on, so that no damage is told
   * that is none.
   * @throws {FluxError} `EBUSY` when somebody changed the store meanwhile, so that what was read may be torn
   */
  assertUnchanged(): Promise<void>

  /** Release everything. Calling it twice does no harm. */
  close(): Promise<void>
}

/** One blob cannot be had: `ENOENT` missing, `EBADMSG` altered, `EIO` not readable, `EFBIG` larger than is wanted. */
export class ContentError extends FluxError {
  readonly blobref: string

  constructor(code: ErrnoName, blobref: string, what: string, options?: ErrorOptions) {
    super(code, what, options)
    this.blobref = blobref
  }
}
