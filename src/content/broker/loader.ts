/**
 * Loads blobs from a broker: batches in, requests out, as many in flight as the pace allows, in the order they were asked
 * for. Requests of different batches follow each other without a gap, so that the end of one batch is no pause.
 */
import { hash as digestHex } from 'node:crypto'
import { FluxError } from '../../errors/index.ts'
import { type BatchResult, type Flux, RpcFailure } from '../../flux/index.ts'
import { blobrefHash, blobrefHex, type HashName } from '../blobref.ts'
import { type BlobResult, ContentError } from '../content-store.ts'
import { BlobCache } from './blob-cache.ts'
import { type BlobService, backingGone, isBacking, isServiceRefusal } from './blob-services.ts'
import { coalesce } from './coalesce.ts'
import type { Pace } from './pace.ts'

export interface LoaderOptions {
  hash: HashName
  pace: Pace
  /** Who is asked; and who is asked for what that does not have. */
  services: readonly [BlobService, BlobService?]
  verify: boolean
}

/**
 * Blobs in flight may come to about this, going by the size of those that came before. Where that turns out to be far too
 * little, as when large ones follow thousands of small ones, what comes beyond it is dropped, and asked for again later.
 */
const IN_FLIGHT_BYTES = 32 << 20
const CACHE_BYTES = 16 << 20

/**
 * Nothing is asked for until this share of what may be in flight is free: a broker that is given requests one by one wakes
 * its threads for each. On 200,000 blobs with `--maxreqs 256`, a quarter took 25 % of our processor time away and 10 % of
 * the broker's; a half took less. The broker still has three quarters before it, so it does not run dry.
 */
const REFILL_SHARE = 0.25

/** How much the size of one blob changes what is expected of the next. */
const SIZE_WEIGHT = 1 / 64

/** A load that somebody waits for. */
interface Batch {
  results: BlobResult[]
  left: number
  budgetBytes: number
  /** Hold on to the bytes until the batch is complete. */
  keep: boolean
  loadedBytes: number
  resolve: (results: BlobResult[]) => void
  reject: (error: unknown) => void
}

/** A blob that is on its way, and the places that want it. */
interface Wanted {
  readonly blobref: string
  readonly places: { batch: Batch; index: number }[]
}

export class Loader {
  readonly #flux: Flux
  readonly #options: LoaderOptions
  readonly #cache = new BlobCache(CACHE_BYTES)
  /** Queued or in flight. */
  readonly #wanted = new Map<string, Wanted>()
  #queue: Wanted[] = []
  #next = 0
  /** What the first service did not have. */
  readonly #again: Wanted[] = []
  readonly #fallback: BlobService | undefined
  #service: BlobService
  /** What the backing store has said of itself: that it is there, and later, that it is not. */
  #hasBacking = false
  #isBackingGone = false
  #goneError: Promise<FluxError | undefined> | undefined
  #inFlight = 0
  #meanBytes = 0
  readonly #schedulePump = coalesce(() => this.#pump())
  readonly #batches = new Set<Batch>()
  #failure: unknown

  constructor(flux: Flux, options: LoaderOptions) {
    this.#flux = flux
    this.#options = options
    this.#service = options.services[0]
    this.#fallback = options.services[1]
  }

  /** As {@link load}, but the bytes are compared and dropped. @returns what is wrong with each */
  async check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const results = await this.#load(blobrefs, Number.POSITIVE_INFINITY, false)
    return results.map((result) => (result instanceof ContentError ? result : undefined))
  }

  load(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    return this.#load(blobrefs, budgetBytes, true)
  }

  #load(blobrefs: readonly string[], budgetBytes: number, keep: boolean): Promise<BlobResult[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (blobrefs.length === 0) return Promise.resolve([])
    const { promise, resolve, reject } = Promise.withResolvers<BlobResult[]>()
    const results: BlobResult[] = new Array(blobrefs.length)
    const batch: Batch = { results, left: blobrefs.length, budgetBytes, keep, loadedBytes: 0, resolve, reject }
    this.#batches.add(batch)
    for (const [index, blobref] of blobrefs.entries()) this.#want(blobref, batch, index)
    this.#schedulePump()
    return promise
  }

  #want(blobref: string, batch: Batch, index: number): void {
    if (blobrefHash(blobref) !== this.#options.hash) {
      // The broker would call it a protocol error; but it is just not there.
      this.#place(batch, index, missingBlob(blobref))
      return
    }
    const cached = this.#cache.get(blobref)
    if (cached) {
      this.#place(batch, index, cached)
      return
    }
    const wanted = this.#wanted.get(blobref)
    if (wanted) {
      wanted.places.push({ batch, index })
      return
    }
    const first: Wanted = { blobref, places: [{ batch, index }] }
    this.#wanted.set(blobref, first)
    this.#queue.push(first)
  }

  /** Fill what is in flight up to the limit, when there is room enough to be worth it. */
  #pump(): void {
    const limit = Math.min(this.#options.pace.limit, this.#byteLimit())
    const free = limit - this.#inFlight
    if (this.#inFlight > 0 && free < limit * REFILL_SHARE) return
    const again = this.#again.splice(0, free)
    const requests: Wanted[] = []
    while (again.length + requests.length < free && this.#next < this.#queue.length) {
      const wanted = this.#queue[this.#next++] as Wanted
      if (this.#isOverBudget(wanted)) this.#settle(wanted, undefined)
      else requests.push(wanted)
    }
    if (this.#next === this.#queue.length || this.#next > 4096) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
    if (this.#failure !== undefined) return
    if (again.length > 0 && this.#fallback) this.#request(again, this.#fallback)
    if (requests.length > 0) this.#request(requests, this.#service)
  }

  #byteLimit(): number {
    return Math.max(1, Math.floor(IN_FLIGHT_BYTES / Math.max(1, this.#meanBytes)))
  }

  /** True when every batch that wants the blob has had its share of bytes, and so much more. */
  #isOverBudget({ places }: Wanted, moreBytes = 0): boolean {
    for (const { batch } of places) if (batch.loadedBytes < batch.budgetBytes + moreBytes) return false
    return true
  }

  #request(requests: readonly Wanted[], service: BlobService): void {
    this.#inFlight += requests.length
    const { pace } = this.#options
    const payloads = requests.map(({ blobref }) => Buffer.from(blobrefHex(blobref), 'hex'))
    this.#flux
      .rpcBatch(service.topic, payloads, {
        nodeid: service.nodeid,
        forget: true,
        onResponse: (index, { results, roundTripMs, lastResponseMs }) => {
          this.#inFlight--
          pace.record(roundTripMs[index] as number, lastResponseMs)
          this.#arrived(requests[index] as Wanted, results[index] as BatchResult, service)
          this.#schedulePump()
        },
      })
      .catch((error) => this.#fail(error))
  }

  #arrived(wanted: Wanted, result: BatchResult, service: BlobService): void {
    const { blobref } = wanted
    if (isBacking(service)) {
      if (result instanceof RpcFailure && result.code === 'ENOSYS') this.#isBackingGone = true
      else this.#hasBacking = true
    }
    if (result instanceof RpcFailure) {
      if (this.#fallback && service !== this.#fallback) {
        if (isServiceRefusal(result)) this.#service = this.#fallback
        this.#again.push(wanted)
      }
      // What is wrong with one blob is a result; anything else is wrong with the service.
      else if (result.code === 'ENOENT' || (result.code === 'ENOSYS' && this.#fallback)) this.#missing(wanted)
      // EINVAL is an object that does not decompress to its size.
      else if (result.code === 'EIO' || result.code === 'EINVAL')
        this.#settle(wanted, new ContentError(result.code, blobref, result.message))
      else this.#fail(result.toError(service.topic, service.nodeid))
      return
    }
    this.#meanBytes += (result.length - this.#meanBytes) * SIZE_WEIGHT
    if (this.#isOverBudget(wanted, IN_FLIGHT_BYTES)) {
      this.#settle(wanted, undefined)
      return
    }
    const { hash, verify } = this.#options
    if (verify && digestHex(hash, result, 'hex') !== blobrefHex(blobref)) {
      const what = 'altered: the stored bytes do not match the blobref'
      this.#settle(wanted, new ContentError('EBADMSG', blobref, what))
      return
    }
    this.#cache.add(blobref, result)
    this.#settle(wanted, result)
  }

  /** A blob that nobody has. But a cache says that of healthy ones too, once the backing store is gone. */
  #missing(wanted: Wanted): void {
    const missing = missingBlob(wanted.blobref)
    if (!this.#isBackingGone) {
      this.#settle(wanted, missing)
      return
    }
    this.#goneError ??= backingGone(this.#flux, this.#hasBacking)
    this.#goneError.then(
      (gone) => (gone ? this.#fail(gone) : this.#settle(wanted, missing)),
      (error) => this.#fail(error),
    )
  }

  #settle(wanted: Wanted, result: BlobResult): void {
    this.#wanted.delete(wanted.blobref)
    for (const { batch, index } of wanted.places) this.#place(batch, index, result)
  }

  #place(batch: Batch, index: number, result: BlobResult): void {
    if (batch.keep || result instanceof ContentError) batch.results[index] = result
    if (result instanceof Uint8Array) batch.loadedBytes += result.length
    if (--batch.left > 0) return
    this.#batches.delete(batch)
    batch.resolve(batch.results)
  }

  /** The service as a whole cannot go on. */
  #fail(error: unknown): void {
    this.#failure ??= FluxError.fromSystem(error, this.#flux.uri)
    for (const batch of this.#batches) batch.reject(this.#failure)
    this.#batches.clear()
  }
}

export function missingBlob(blobref: string): ContentError {
  return new ContentError('ENOENT', blobref, 'No such file or directory')
}
