/**
 * Stores batches of blobs through a broker. It keeps as many requests in flight as allowed. Requests of different
 * batches follow each other without a gap.
 */
import { FluxError } from '../../errors/index.ts'
import { type BatchResult, type Flux, RpcFailure } from '../../flux/index.ts'
import { blobrefHex, Digests, type HashName } from '../blobref.ts'
import type { StoringBatch } from '../content-writer.ts'
import { RecentDigests } from '../recent-digests.ts'
import { type BlobService, isServiceRefusal } from './blob-services.ts'
import { coalesce } from './coalesce.ts'
import { fetchError } from './instance.ts'

/** How a {@link Storer} works. */
export interface StorerOptions {
  /** The services to try, in order: see {@link blobServices}. */
  services: readonly [BlobService, BlobService?]
  /** The most requests in flight. */
  maxreqs: number
  /** The algorithm of the blobrefs. */
  hash: HashName
}

/** The most bytes of blobs in flight; a single larger blob may be in flight alone. */
const IN_FLIGHT_BYTES = 64 << 20

/**
 * Bytes of blobs that wait or are in flight, about. When the queue is empty, all waiting blobs go into it, in the order
 * of their digests: content-sqlite's index is in that order, so neighbours are on the same pages. On 375,000 keys that
 * saved a third of the processor time of its thread.
 */
const HELD_BYTES = 16 << 20
/** What a blob takes in memory besides its bytes. */
const BLOB_OVERHEAD_BYTES = 512

/** No request is sent until this share of the limit is free, for the same reason as in the loader. */
const REFILL_SHARE = 0.25

/**
 * Larger blobs go to the cache, which has a size limit that the backing store does not enforce. The limit is 1 GiB
 * unless the content module is loaded with `blob-size-limit`. A limit below RFC 10's 1 MiB would refuse Flux's own
 * blobs.
 */
const ALWAYS_TAKEN_BYTES = 1 << 20

/** One call of {@link Storer.store}. */
interface Batch {
  left: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** A blob that waits or is in flight. */
interface Storing {
  readonly blob: Uint8Array
  readonly blobref: string
  readonly batch: Batch
}

/** Stores the blobs of a {@link BrokerWriter}. */
export class Storer {
  readonly #flux: Flux
  readonly #maxreqs: number
  readonly #fallback: BlobService | undefined
  readonly #batches = new Set<Batch>()
  #service: BlobService
  readonly #recent: RecentDigests
  #arriving: Storing[] = []
  /** Blobs to send, in descending order of digests: the next one is last. */
  #queue: Storing[] = []
  /** Blobs for the second service. */
  readonly #again: Storing[] = []
  #inFlight = 0
  #inFlightBytes = 0
  #heldBytes = 0
  /** Set while a caller waits for room. */
  #room: PromiseWithResolvers<void> | undefined
  readonly #schedulePump = coalesce(() => this.#pump())
  #failure: unknown

  constructor(flux: Flux, { services, maxreqs, hash }: StorerOptions) {
    this.#recent = new RecentDigests(hash)
    this.#flux = flux
    this.#maxreqs = maxreqs
    this.#service = services[0]
    this.#fallback = services[1]
  }

  /**
   * Queue blobs. Those that were stored a short while ago are left out.
   *
   * @param blobs - views; do not change them until they are stored
   * @param blobrefs - the blobref of each
   */
  store(blobs: readonly Uint8Array[], blobrefs: readonly string[]): Pick<StoringBatch, 'stored' | 'room'> {
    const stored = this.#enqueue(blobs, blobrefs)
    if (this.#heldBytes < HELD_BYTES || this.#failure !== undefined) return { stored, room: Promise.resolve() }
    this.#room ??= Promise.withResolvers()
    return { stored, room: this.#room.promise }
  }

  /** @throws {FluxError} an earlier blob could not be stored, or the service has failed */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #enqueue(blobs: readonly Uint8Array[], blobrefs: readonly string[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const batch: Batch = { left: 0, resolve, reject }
    const { words } = new Digests(blobrefs.map(blobrefHex).join(''))
    for (const [i, blobref] of blobrefs.entries()) {
      // A blob that is not new may still be in flight. If storing it fails, the commit fails too.
      if (!this.#recent.isNew(words, i)) continue
      const blob = blobs[i] as Uint8Array
      const isForCache = this.#fallback && blob.length > ALWAYS_TAKEN_BYTES
      const queue = isForCache ? this.#again : this.#arriving
      queue.push({ blob, blobref, batch })
      batch.left++
      this.#heldBytes += blob.length + BLOB_OVERHEAD_BYTES
    }
    if (batch.left === 0) return Promise.resolve()
    this.#batches.add(batch)
    this.#schedulePump()
    return promise
  }

  /** Send requests up to the limits, if enough is free ({@link REFILL_SHARE}). */
  #pump(): void {
    if (this.#inFlight > 0 && this.#maxreqs - this.#inFlight < this.#maxreqs * REFILL_SHARE) return
    if (this.#failure !== undefined) return
    const again = this.#take(this.#again)
    if (this.#queue.length === 0) {
      this.#queue = this.#arriving.sort((a, b) => (a.blobref < b.blobref ? 1 : -1))
      this.#arriving = []
    }
    const requests = this.#take(this.#queue)
    if (again.length > 0 && this.#fallback) this.#request(again, this.#fallback)
    if (requests.length > 0) this.#request(requests, this.#service)
  }

  /** Take blobs from the end, as many as fit in flight, and count them as in flight. */
  #take(from: Storing[]): Storing[] {
    const taken: Storing[] = []
    for (let last = from.at(-1); last && this.#inFlight < this.#maxreqs; last = from.at(-1)) {
      const { length } = last.blob
      if (this.#inFlight > 0 && this.#inFlightBytes + length > IN_FLIGHT_BYTES) break
      this.#inFlight++
      this.#inFlightBytes += length
      taken.push(last)
      from.pop()
    }
    return taken
  }

  #request(requests: readonly Storing[], service: BlobService): void {
    this.#flux
      .rpcBatch(
        service.topic,
        requests.map(({ blob }) => blob),
        {
          nodeid: service.nodeid,
          forget: true,
          onResponse: (index, { results }) => {
            const storing = requests[index] as Storing
            this.#inFlight--
            this.#inFlightBytes -= storing.blob.length
            this.#schedulePump()
            this.#answered(storing, results[index] as BatchResult, service)
          },
        },
      )
      .catch((error) => this.#fail(FluxError.fromSystem(error, this.#flux.uri)))
  }

  #answered(storing: Storing, result: BatchResult, service: BlobService): void {
    const { blob, blobref, batch } = storing
    if (result instanceof RpcFailure) {
      if (this.#fallback && service !== this.#fallback && isServiceRefusal(result)) {
        this.#service = this.#fallback
        this.#again.push(storing)
      } else {
        this.#fail(fetchError(result.toError(service.topic, service.nodeid), 'error storing blob', {}))
      }
      return
    }
    this.#heldBytes -= blob.length + BLOB_OVERHEAD_BYTES
    if (this.#heldBytes < HELD_BYTES) this.#makeRoom()
    const hex = Buffer.from(result.buffer, result.byteOffset, result.length).toString('hex')
    if (hex !== blobrefHex(blobref)) {
      this.#fail(new FluxError('EPROTO', `${this.#flux.uri}: stored ${blobref} under the digest ${hex}`))
    } else if (--batch.left === 0) {
      this.#batches.delete(batch)
      batch.resolve()
    }
  }

  #makeRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#makeRoom()
    for (const batch of this.#batches) batch.reject(this.#failure)
    this.#batches.clear()
  }
}
