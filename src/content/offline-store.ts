import { FluxError } from '../errors/index.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type BlobResult, ContentError, type ContentStore, type StoreTotals } from './content-store.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'
import { newSharedCounts, noCounts, type ReadCounts, SHARED, type SharedCounts } from './read-counts.ts'
import type { ReaderHandlers, ReaderThreadData } from './reader-thread.ts'
import { Thread } from './thread.ts'

/**
 * Batches of a few hundred blobs hide the cost of crossing between threads; more only lengthen the wait for a directory
 * that the walk needs next. Two in flight keep the thread busy while one is being used.
 */
const WINDOW = 1024

/** A content store on disk, with no broker: a blocking reader in a thread of its own. */
export class OfflineStore implements ContentStore {
  readonly name: string
  readonly window = WINDOW
  readonly hash: HashName
  readonly #counts = noCounts()
  readonly #shared: SharedCounts
  readonly #thread: Thread<ReaderHandlers>
  readonly #assertUnchanged: () => void
  readonly #signal: AbortSignal | undefined
  // Nothing is written, so what is under way needs not come to its end: a batch may take seconds.
  readonly #onAbort = () => void this.#thread.terminate()
  #objects: number | undefined

  /**
   * @param data - what to read, and how
   * @param assertUnchanged - throws when the files on disk are no longer what they were
   * @param signal - when it is aborted, what is under way fails at once, and so does what comes later
   * @throws {FluxError} what the reader says when it cannot open the store
   */
  static async open(data: ReaderThreadData, assertUnchanged: () => void, signal?: AbortSignal): Promise<OfflineStore> {
    try {
      return await OfflineStore.#open(data, assertUnchanged, signal)
    } catch (error) {
      assertUnchanged()
      throw error
    }
  }

  static async #open(
    data: ReaderThreadData,
    assertUnchanged: () => void,
    signal: AbortSignal | undefined,
  ): Promise<OfflineStore> {
    const shared = newSharedCounts()
    const thread = await Thread.open<ReaderHandlers>(data.name, './reader-thread', import.meta.url, { ...data, shared })
    return new OfflineStore(data.name, thread, await thread.call('hash', undefined), shared, assertUnchanged, signal)
  }

  private constructor(
    name: string,
    thread: Thread<ReaderHandlers>,
    hash: HashName,
    shared: SharedCounts,
    assertUnchanged: () => void,
    signal: AbortSignal | undefined,
  ) {
    this.name = name
    this.hash = hash
    this.#shared = shared
    this.#thread = thread
    this.#assertUnchanged = assertUnchanged
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get objects(): number | undefined {
    return this.#objects ?? (this.#shared[SHARED.OBJECTS] || undefined)
  }

  get counts(): Readonly<ReadCounts> {
    this.#counts.addedUp = this.#shared[SHARED.ADDED_UP] ?? 0
    return this.#counts
  }

  async loadBatch(
    blobrefs: readonly string[],
    budgetBytes: number,
    maxBlobBytes = Number.POSITIVE_INFINITY,
  ): Promise<BlobResult[]> {
    const wanted = { ...this.#wanted(blobrefs), budgetBytes, maxBlobBytes }
    const { batch, objects } = await this.#ask('batch', wanted)
    this.#objects = objects
    for (const status of batch.status) if (status !== BLOB.DEFERRED) this.#counts.loaded++
    return blobrefs.map((blobref, i) => resultOf(batch, i, blobref))
  }

  async *stream(blobref: string): AsyncGenerator<Uint8Array, void, void> {
    const opened = await this.#ask('open', this.#wanted([blobref]))
    if (typeof opened === 'object') throw errorOf(opened.status, blobref, opened.reason)
    try {
      while (true) {
        const piece = await this.#ask('piece', { id: opened })
        if (piece === 'damaged') throw errorOf(BLOB.ALTERED, blobref, undefined)
        if (piece.length === 0) break
        yield piece
      }
      this.#counts.loaded++
    } finally {
      await this.#thread.call('drop', { id: opened }).catch(() => {})
    }
  }

  async sizes(blobrefs: readonly string[]): Promise<Float64Array> {
    const sizes = await this.#ask('sizes', this.#wanted(blobrefs))
    this.#counts.measured += blobrefs.length
    return sizes
  }

  async checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const { status, reasons } = await this.#ask('check', this.#wanted(blobrefs))
    this.#counts.loaded += blobrefs.length
    return blobrefs.map((blobref, i) => errorOf(status[i] as number, blobref, reasons.get(i)))
  }

  async list(from: number, count: number): Promise<string[]> {
    const digests = await this.#ask('list', { from, count })
    const digits = DIGEST_BYTES[this.hash] * 2
    return Array.from(
      { length: digests.length / digits },
      (_, i) => `${this.hash}-${digests.slice(i * digits, (i + 1) * digits)}`,
    )
  }

  async mark(blobrefs: readonly string[]): Promise<void> {
    await this.#ask('mark', this.#wanted(blobrefs))
    this.#counts.marked += blobrefs.length
  }

  totals(): Promise<StoreTotals> {
    return this.#ask('totals', undefined)
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const checkpoints = await this.#ask('checkpoints', undefined)
    if (checkpoints.length === 0) {
      throw new FluxError('ENOENT', `${this.name}: no checkpoint in this store`, {
        hint: 'an instance writes one when it shuts down; --root BLOBREF dumps any directory',
      })
    }
    return checkpoints
  }

  async assertUnchanged(): Promise<void> {
    this.#assertUnchanged()
  }

  close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    return this.#thread.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Call the thread. What comes of a store that somebody is changing may be torn: an error, or a blob that seems to be
   * damaged. So nothing is handed on before the files are known to be what they were.
   */
  async #ask<K extends keyof ReaderHandlers & string>(
    method: K,
    args: Parameters<ReaderHandlers[K]>[0],
  ): Promise<ReturnType<ReaderHandlers[K]>['reply']> {
    try {
      return await this.#thread.call(method, args)
    } finally {
      this.#assertUnchanged()
    }
  }

  #wanted(blobrefs: readonly string[]): { hex: string; count: number } {
    const prefix = `${this.hash}-`
    const digits = DIGEST_BYTES[this.hash] * 2
    let hex = ''
    for (const blobref of blobrefs) {
      // A blobref of the other algorithm cannot be in this store: ask for a digest that cannot be either.
      hex += blobref.startsWith(prefix) ? blobref.slice(prefix.length) : ''.padEnd(digits, '0')
    }
    return { hex, count: blobrefs.length }
  }
}

function resultOf(batch: PackedBatch, i: number, blobref: string): BlobResult {
  const status = batch.status[i]
  if (status === BLOB.PACKED) return batch.arena.subarray(batch.start[i], batch.end[i])
  return status === BLOB.LARGE ? batch.large.get(i) : errorOf(status as number, blobref, batch.reasons.get(i))
}

function errorOf(status: number, blobref: string, reason: string | undefined): ContentError | undefined {
  switch (status) {
    case BLOB.PACKED:
    case BLOB.LARGE:
    case BLOB.DEFERRED:
      return undefined
    case BLOB.MISSING:
      return new ContentError('ENOENT', blobref, 'No such file or directory')
    case BLOB.TOO_LARGE:
      return new ContentError('EFBIG', blobref, 'File too large')
    case BLOB.ALTERED:
      return new ContentError('EBADMSG', blobref, 'altered: the stored bytes do not match the blobref')
    default:
      return new ContentError('EIO', blobref, reason ?? 'Input/output error')
  }
}
