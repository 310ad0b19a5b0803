/**
 * Gives blobs to a broker: batches in, requests out, as many in flight as may be. Requests of different batches follow each
 * other without a gap.
 */
import { FluxError } from '../../errors/index.ts'
import { type BatchResult, type Flux, RpcFailure } from '../../flux/index.ts'
import { blobrefHex } from '../blobref.ts'
import type { StoringBatch } from '../content-writer.ts'
import { RecentBlobrefs } from '../recent-blobrefs.ts'
import { type BlobService, isServiceRefusal } from './blob-services.ts'
import { coalesce } from './coalesce.ts'
import { fetchError } from './instance.ts'

/** How a {@link Storer} works. */
export interface StorerOptions {
  /** Who is given blobs; and who is given what that does not take. */
  services: readonly [BlobService, BlobService?]
  /** Requests in flight at most. */
  maxreqs: number
}

/** Blobs in flight come to no more than this, or one at a time. */
const IN_FLIGHT_BYTES = 64 << 20

/**
 * Blobs that are waiting or in flight come to about this. As many as wait when all before them are sent go next, in the
 * order of their digests: content-sqlite's index is in that order, so that neighbours fall on the same pages. On 375,000
 * keys that took a third off the processor time of its thread.
 */
const HELD_BYTES = 16 << 20
/** What a blob takes beyond its bytes. */
const BLOB_OVERHEAD_BYTES = 512

/** Nothing is sent until this share of the requests is free, for the reason that the loader has. */
const REFILL_SHARE = 0.25

/**
 * Larger blobs are for the cache to take or refuse: it has a limit that the backing store does not know of. The limit is
 * 1 GiB unless the content module is loaded with `blob-size-limit`; below RFC 10's 1 MiB it would refuse what Flux itself
 * stores.
 */
const ALWAYS_TAKEN_BYTES = 1 << 20

/** Blobs that somebody waits for. */
interface Batch {
  left: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** A blob that waits to be sent, or is on its way. */
interface Storing {
  readonly blob: Uint8Array
  readonly blobref: string
  readonly batch: Batch
}

/** What a {@link BrokerWriter} gives its blobs to. */
export class Storer {
  readonly #flux: Flux
  readonly #maxreqs: number
  readonly #fallback: BlobService | undefined
  readonly #batches = new Set<Batch>()
  #service: BlobService
  readonly #recent = new RecentBlobrefs()
  #arriving: Storing[] = []
  /** The next to be sent stands last, and what is sent is not in it: in falling order of the digests. */
  #queue: Storing[] = []
  /** For the second service. */
  readonly #again: Storing[] = []
  #inFlight = 0
  #inFlightBytes = 0
  #heldBytes = 0
  /** Somebody waits for it. */
  #room: PromiseWithResolvers<void> | undefined
  readonly #schedulePump = coalesce(() => this.#pump())
  #failure: unknown

  constructor(flux: Flux, { services, maxreqs }: StorerOptions) {
    this.#flux = flux
    this.#maxreqs = maxreqs
    this.#service = services[0]
    this.#fallback = services[1]
  }

  /**
   * @param blobs - views that are not changed until they are stored; those that were stored a short while ago are left out
   * @param blobrefs - of each
   */
  store(blobs: readonly Uint8Array[], blobrefs: readonly string[]): Pick<StoringBatch, 'stored' | 'room'> {
    const stored = this.#enqueue(blobs, blobrefs)
    if (this.#heldBytes < HELD_BYTES || this.#failure !== undefined) return { stored, room: Promise.resolve() }
    this.#room ??= Promise.withResolvers()
    return { stored, room: this.#room.promise }
  }

  /** @throws what was wrong with an earlier blob, or with the service as a whole */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #enqueue(blobs: readonly Uint8Array[], blobrefs: readonly string[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const batch: Batch = { left: 0, resolve, reject }
    for (const [i, blobref] of blobrefs.entries()) {
      // What is known may still be on its way: if it does not arrive, the commit is not made either.
      if (!this.#recent.isNew(blobref)) continue
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

  /** Send what there is room for, when that is worth it. */
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

  /** From the end, what there is room for, counted as in flight. */
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
