/**
 * Loads batches of blobs from a broker. It sends requests in the order of the blobs and keeps as many in flight as the
 * pace allows. Requests of different batches follow each other without a gap, so there is no pause at the end of a
 * batch.
 */
import { hash as digestHex } from 'node:crypto'
import { errnoNumber, FluxError } from '../../errors/index.ts'
import { type BatchResult, type Flux, RpcFailure } from '../../flux/index.ts'
import { blobrefHash, blobrefHex, type HashName } from '../blobref.ts'
import { ContentError } from '../content-error.ts'
import type { BlobResult } from '../content-store.ts'
import { BlobCache } from './blob-cache.ts'
import { type BlobService, backingGone, isBacking, isServiceRefusal } from './blob-services.ts'
import { coalesce } from './coalesce.ts'
import type { Pace } from './pace.ts'

export interface LoaderOptions {
  hash: HashName
  pace: Pace
  /** The services to try, in order: see {@link blobServices}. */
  services: readonly [BlobService, BlobService?]
  verify: boolean
}

/**
 * Bytes of blobs in flight, about, estimated from the mean size of the blobs before. When the estimate is far too small
 * (large blobs after thousands of small ones), blobs beyond the limit are dropped and loaded again later.
 */
const IN_FLIGHT_BYTES = 32 << 20
const CACHE_BYTES = 16 << 20

/**
 * No request is sent until this share of the limit is free: when requests arrive one by one, the broker wakes its
 * threads for each. On 200,000 blobs with `--maxreqs 256`, a quarter saved 25 % of our processor time and 10 % of the
 * broker's; a half saved less. The broker still has three quarters of the requests to work on, so it does not run dry.
 */
const REFILL_SHARE = 0.25

/** The weight of one blob in the running mean of sizes. */
const SIZE_WEIGHT = 1 / 64

/** One call of {@link Loader.load} or {@link Loader.check}. */
interface Batch {
  results: BlobResult[]
  left: number
  budgetBytes: number
  /** Keep the bytes until the batch is complete. */
  keep: boolean
  loadedBytes: number
  resolve: (results: BlobResult[]) => void
  reject: (error: unknown) => void
}

/** A blob that is queued or in flight, and the places in batches that it is for. */
interface Wanted {
  readonly blobref: string
  readonly places: { batch: Batch; index: number }[]
}

export class Loader {
  readonly #flux: Flux
  readonly #options: LoaderOptions
  readonly #cache = new BlobCache(CACHE_BYTES)
  /** The blobs that are queued or in flight. */
  readonly #wanted = new Map<string, Wanted>()
  #queue: Wanted[] = []
  #next = 0
  /** Blobs to ask the second service for. */
  readonly #again: Wanted[] = []
  readonly #fallback: BlobService | undefined
  #service: BlobService
  /** The backing store has answered; and later, it was not there any more. */
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

  /** As {@link load}, but only verify the blobs and drop the bytes. @returns the error of each blob, if it has one */
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
    // Without a budget, a batch could give no blob at all, and would be asked for again for ever.
    const batch: Batch = {
      results,
      left: blobrefs.length,
      budgetBytes: Math.max(1, budgetBytes),
      keep,
      loadedBytes: 0,
      resolve,
      reject,
    }
    this.#batches.add(batch)
    for (const [index, blobref] of blobrefs.entries()) this.#want(blobref, batch, index)
    this.#schedulePump()
    return promise
  }

  #want(blobref: string, batch: Batch, index: number): void {
    if (blobrefHash(blobref) !== this.#options.hash) {
      // The broker would answer with a protocol error, but such a blob is simply missing.
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

  /** Send requests up to the limit, if enough of it is free ({@link REFILL_SHARE}). */
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

  /** True when all batches that need the blob have loaded their budget plus `moreBytes`. */
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
      // An error of one blob is a result. Any other error is one of the service.
      else if (result.code === 'ENOENT' || (result.code === 'ENOSYS' && this.#fallback)) this.#missing(wanted)
      // EINVAL: the stored object does not decompress to its size. A number without a name has the code EIO, but says
      // nothing of the blob.
      else if (result.errnum === errnoNumber('EIO') || result.code === 'EINVAL')
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

  /** Neither service has the blob. But a cache reports that for healthy blobs too when the backing store is gone. */
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

  /** The service fails as a whole: fail all batches. */
  #fail(error: unknown): void {
    this.#failure ??= FluxError.fromSystem(error, this.#flux.uri)
    for (const batch of this.#batches) batch.reject(this.#failure)
    this.#batches.clear()
  }
}

export function missingBlob(blobref: string): ContentError {
  return new ContentError('ENOENT', blobref, 'No such file or directory')
}
