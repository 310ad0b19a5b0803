import { FluxError } from '../errors/index.ts'
import type { BlobRequest } from './blob-request.ts'
import { errorOf, resultOf } from './blob-results.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import { type Checkpoint, MAX_CHECKPOINTS } from './checkpoint.ts'
import type { ContentError } from './content-error.ts'
import type { BlobResult, ContentStore } from './content-store.ts'
import { BLOB, MAX_BATCH, type PackedBatch } from './packed-batch.ts'
import type { ReadCounts } from './read-counts.ts'
import type { ReaderHandlers } from './reader-handlers.ts'
import { StoreCopier } from './store-copier.ts'
import type { RangeCheck, StoreOnDisk, StoreTotals } from './store-on-disk.ts'
import type { StoreReader } from './store-reader.ts'

/**
 * The window in blobs. Batches of a few hundred blobs hide the cost of crossing between threads; larger ones only
 * lengthen the wait for a directory that the walk needs next. Two batches in flight keep a thread busy while one is
 * being used.
 */
const WINDOW = 1024

/** What helps where checkpoints do not. */
const ROOTS_HINT = 'content roots lists the roots that no checkpoint names'

/** A content store on disk, read without a broker: a thread does the blocking reads. */
export class OfflineStore implements ContentStore {
  readonly name: string
  readonly hash: HashName
  readonly isUnverified: boolean
  readonly onDisk: StoreOnDisk
  readonly #onDisk: ReadOnDisk
  readonly #reader: StoreReader
  #objects: number | undefined

  /**
   * @param name - the name for messages (default: the reader's name)
   * @param isUnverified - see {@link ContentStore.isUnverified}
   * @internal
   */
  constructor(reader: StoreReader, name = reader.name, isUnverified = false) {
    this.name = name
    this.hash = reader.hash
    this.isUnverified = isUnverified
    this.#onDisk = new ReadOnDisk(reader)
    this.onDisk = this.#onDisk
    this.#reader = reader
  }

  /** It grows when a second thread reads. */
  get window(): number {
    return WINDOW * this.#reader.places
  }

  get objects(): number | undefined {
    return this.#objects ?? this.#reader.objects
  }

  get counts(): Readonly<ReadCounts> {
    return this.#reader.counts
  }

  async loadBatch(
    blobrefs: readonly string[],
    budgetBytes: number,
    maxBlobBytes = Number.POSITIVE_INFINITY,
  ): Promise<BlobResult[]> {
    // The rest is left out, and asked for again.
    const wanted = this.#reader.wanted(blobrefs.slice(0, MAX_BATCH))
    const batch = await this.#load({ ...wanted, budgetBytes, maxBlobBytes })
    return blobrefs.map((blobref, i) => (i < MAX_BATCH ? resultOf(batch, i, blobref) : undefined))
  }

  loadPacked(request: BlobRequest, budgetBytes: number, maxBlobBytes = Number.POSITIVE_INFINITY): Promise<PackedBatch> {
    const { digests, count } = request
    return this.#load({ digests, count, budgetBytes, maxBlobBytes })
  }

  async #load(wanted: Parameters<ReaderHandlers['batch']>[0]): Promise<PackedBatch> {
    const { batch, objects } = await this.#reader.ask('batch', wanted)
    this.#objects = objects
    const { counts } = this.#reader
    for (const status of batch.status) if (status !== BLOB.DEFERRED) counts.loaded++
    return batch
  }

  async checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const reader = this.#reader
    const errors: (ContentError | undefined)[] = []
    for (let at = 0; at < blobrefs.length; at += MAX_BATCH) {
      const some = blobrefs.slice(at, at + MAX_BATCH)
      const { status, reasons } = await reader.ask('check', reader.wanted(some))
      reader.counts.loaded += some.length
      for (const [i, blobref] of some.entries()) errors.push(errorOf(status[i] as number, blobref, reasons.get(i)))
    }
    return errors
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const checkpoints = await this.#reader.ask('checkpoints', undefined).catch((error) => {
      if (!(error instanceof FluxError) || error.code !== 'EPROTO') throw error
      throw new FluxError('EPROTO', error.message, { cause: error, hint: ROOTS_HINT })
    })
    if (checkpoints.length === 0) {
      throw new FluxError('ENOENT', `${this.name}: no checkpoint in this store`, {
        hint: `an instance writes one when it shuts down; ${ROOTS_HINT}, and --root BLOBREF dumps one`,
      })
    }
    this.#onDisk.hasOlderCheckpoints = checkpoints.length > MAX_CHECKPOINTS
    return checkpoints.slice(0, MAX_CHECKPOINTS)
  }

  async assertUnchanged(): Promise<void> {
    this.#reader.assertUnchanged()
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The additional functions of a store on disk. */
class ReadOnDisk implements StoreOnDisk {
  readonly #reader: StoreReader

  readonly copier: StoreCopier | undefined
  hasOlderCheckpoints = false

  constructor(reader: StoreReader) {
    this.#reader = reader
    const { newCopy } = reader
    if (newCopy) this.copier = new StoreCopier(reader, newCopy)
  }

  async *stream(blobref: string): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#reader
    const opened = await reader.ask('open', reader.wanted([blobref]))
    if (typeof opened === 'object') throw errorOf(opened.status, blobref, opened.reason)
    try {
      while (true) {
        const piece = await reader.ask('piece', { id: opened })
        if (piece === 'damaged') throw errorOf(BLOB.ALTERED, blobref, undefined)
        if (piece.length === 0) break
        yield piece
      }
      reader.counts.loaded++
    } finally {
      await reader.drop(opened)
    }
  }

  sizes(blobrefs: readonly string[]): Promise<Float64Array> {
    return this.sizesOf(this.#reader.wanted(blobrefs).digests)
  }

  async sizesOf(digests: Uint8Array): Promise<Float64Array> {
    const count = digests.length / DIGEST_BYTES[this.#reader.hash]
    const sizes = await this.#reader.ask('sizes', { digests, count })
    this.#reader.counts.measured += count
    return sizes
  }

  async list(from: number, count: number): Promise<string[]> {
    const { hash } = this.#reader
    const digests = await this.#reader.ask('list', { from, count })
    const hex = hexOf(digests)
    const digits = DIGEST_BYTES[hash] * 2
    return Array.from({ length: hex.length / digits }, (_, i) => `${hash}-${hex.slice(i * digits, (i + 1) * digits)}`)
  }

  async checkRange(from: number, count: number, { onlyMarked = false } = {}): Promise<RangeCheck> {
    const { hash, counts } = this.#reader
    const { isLast, checked, bad, faults = [] } = await this.#reader.ask('checkRange', { from, count, onlyMarked })
    counts.loaded += checked
    const error = ({ digest, status, reason }: (typeof bad)[number]) =>
      errorOf(status, `${hash}-${hexOf(digest)}`, reason) as ContentError
    const fault = (what: string) =>
      new FluxError('EBADMSG', `${this.#reader.name}: damaged: ${what}`, { hint: '--salvage reads what is left of it' })
    return { isLast, checked, errors: bad.map(error), faults: faults.map(fault) }
  }

  async mark(blobrefs: readonly string[]): Promise<void> {
    await this.markDigests(this.#reader.wanted(blobrefs).digests)
    this.#reader.counts.marked += blobrefs.length
  }

  markDigests(digests: Uint8Array): Promise<number> {
    return this.#reader.ask('mark', { digests, count: digests.length / DIGEST_BYTES[this.#reader.hash] })
  }

  totals(): Promise<StoreTotals> {
    return this.#reader.ask('totals', undefined)
  }
}

function hexOf(digests: Uint8Array): string {
  return Buffer.from(digests.buffer, digests.byteOffset, digests.length).toString('hex')
}
