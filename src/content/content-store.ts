import { type ErrnoName, FluxError } from '../errors/index.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { KvsService } from './kvs-service.ts'
import type { ReadCounts } from './read-counts.ts'

/**
 * One blob of a batch: its bytes; or why it cannot be had; or undefined when it was left out because the batch had
 * reached its byte budget, and is to be asked for again.
 */
export type BlobResult = Uint8Array | ContentError | undefined

/** The root of a namespace at one moment. */
export interface NamespaceRoot {
  /** Blobref of the root directory. */
  readonly rootref: string
  /** KVS sequence number: it grows with each commit. */
  readonly sequence: number
}

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
  /** Those that were marked: {@link ContentStore.mark}. */
  marked: Totals
  /** Objects on damaged pages, which are in neither. Where nothing tells their digests any more it is an upper bound. */
  unreadable: number
  /** The size of the database; or of all files. */
  fileBytes: number
  /** Of `fileBytes`, what is free to be used again. */
  freeBytes: number
}

/** What the services of a live instance say of their blobs. */
export interface ServiceStats {
  /** The content cache of rank 0: number of blobs, of those with their bytes, of those not stored yet; and bytes. */
  cache: { count: number; valid: number; dirty: number; size: number }
  /** The backing store; undefined when there is none that is known here. */
  backing: { module: string; objects: number; fileBytes: number | undefined } | undefined
}

/** Where blobs come from: the broker, a `content.sqlite`, a `content.files` directory. */
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

  /**
   * Load blobs. Each is compared with its blobref, unless the store was opened without verification. Several batches may
   * be under way at once.
   *
   * @param blobrefs - valid blobrefs, of any algorithm, in any order, repeated or not
   * @param budgetBytes - when the blobs found come to more, some are left undefined; never all of them
   * @param maxBlobBytes - a store with {@link stream} does not load what is larger, but answers `EFBIG` for it
   * @returns one result for each blobref, in order. The bytes may be views of one larger buffer.
   * @throws {FluxError} when the store as a whole fails; `EBUSY` when somebody has changed it meanwhile
   */
  loadBatch(blobrefs: readonly string[], budgetBytes: number, maxBlobBytes?: number): Promise<BlobResult[]>

  /**
   * Read a blob that is too large to be held. It is compared with its blobref before its first bytes are yielded, as a whole,
   * and is read again then.
   *
   * @yields its bytes, some at a time
   * @throws {ContentError} it cannot be had
   */
  stream?(blobref: string): AsyncGenerator<Uint8Array, void, void>

  /**
   * How large blobs are, without loading them; only a store on disk knows.
   *
   * @param blobrefs - as for {@link loadBatch}
   * @returns bytes of each, expanded, in order; -1 for one that is not there or not readable. It is what the store says of
   *   them, not looked into.
   * @throws {FluxError} when the store as a whole fails
   */
  sizes?(blobrefs: readonly string[]): Promise<Float64Array>

  /**
   * Compare blobs with their blobrefs where they are, and hand over none. Without it, load them.
   *
   * @param blobrefs - as for {@link loadBatch}
   * @returns what is wrong with each, in order; undefined for one that is intact. A store that was opened without
   *   verification says only what is missing.
   * @throws {FluxError} when the store as a whole fails
   */
  checkBatch?(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]>

  /**
   * The blobs of a store on disk, in the order in which they lie there.
   *
   * @param from - how many come before
   * @returns `count` of them, or as many as are left
   */
  list?(from: number, count: number): Promise<string[]>

  /** Set blobs apart in {@link totals}. */
  mark?(blobrefs: readonly string[]): Promise<void>

  /** What a store on disk holds. */
  totals?(): Promise<StoreTotals>

  /** What the services of a live instance say of theirs. */
  serviceStats?(): Promise<ServiceStats>

  /**
   * The checkpoints, newest first.
   * @throws {FluxError} `ENOENT` when there is none
   */
  checkpoints(): Promise<Checkpoint[]>

  /**
   * The current root of a namespace; only a live instance has one.
   * @throws {FluxError} `ENOTSUP` no such namespace; `ENOSYS` the KVS is not running
   */
  currentRoot?(namespace: string): Promise<NamespaceRoot>

  /** The KVS of the instance; only a live one has it. It may not be loaded. */
  readonly kvs?: KvsService

  /** Tell the instance how far one is, in words; only a live one listens. */
  notifyStatus?(status: string): Promise<void>

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
