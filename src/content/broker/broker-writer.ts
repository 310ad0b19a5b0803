import { FluxError } from '../../errors/index.ts'
import { type BatchResult, Flux, type FluxOpenOptions, RpcError, RpcFailure } from '../../flux/index.ts'
import { blobrefHex, blobrefOf, type HashName } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import type { ContentWriter, StoringBatch } from '../content-writer.ts'
import { RecentBlobrefs } from '../recent-blobrefs.ts'
import { CHECKPOINT_KEY, contentHash, fetchError } from './instance.ts'

export interface OpenBrokerWriterOptions extends FluxOpenOptions {
  /** Requests in flight at most (default 256, as `flux restore` has it). */
  maxreqs?: number | undefined
  /** Give blobs to the backing store on rank 0, past the caches of the brokers. */
  noCache?: boolean | undefined
}

const DEFAULT_MAXREQS = 256

/** Blobs in flight come to no more than this, or one at a time. */
const IN_FLIGHT_BYTES = 64 << 20

/** Nothing is sent until this share of the requests is free, for the reason that the loader has. */
const REFILL_SHARE = 0.25

/** Blobs that wait to be sent. */
interface Batch {
  readonly blobs: readonly Uint8Array[]
  readonly blobrefs: readonly string[]
  sent: number
  left: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Stores blobs by the brokers of a live instance. */
export class BrokerWriter implements ContentWriter {
  readonly hash: HashName
  readonly #flux: Flux
  readonly #maxreqs: number
  readonly #noCache: boolean
  readonly #queue: Batch[] = []
  readonly #recent = new RecentBlobrefs()
  #inFlight = 0
  #inFlightBytes = 0
  #pumpScheduled = false
  #failure: unknown

  private constructor(flux: Flux, hash: HashName, { maxreqs, noCache }: OpenBrokerWriterOptions) {
    this.hash = hash
    this.#flux = flux
    this.#maxreqs = maxreqs ?? DEFAULT_MAXREQS
    this.#noCache = noCache ?? false
  }

  /**
   * Connect to an instance.
   *
   * @param uri - as for {@link Flux.open}
   * @throws {FluxError} what {@link Flux.open} throws; `EPROTO` an algorithm that is neither sha1 nor sha256
   */
  static async open(uri?: string, options: OpenBrokerWriterOptions = {}): Promise<BrokerWriter> {
    const flux = await Flux.open(uri, options)
    try {
      return new BrokerWriter(flux, await contentHash(flux, options.signal), options)
    } catch (error) {
      await flux.close()
      throw error
    }
  }

  get name(): string {
    return this.#flux.uri
  }

  storeBatch(blobs: readonly Uint8Array[]): StoringBatch {
    const blobrefs = blobs.map((blob) => blobrefOf(this.hash, blob))
    return { blobrefs, stored: this.#enqueue(blobs, blobrefs) }
  }

  /**
   * Write a checkpoint, from which the KVS starts the next time it is loaded.
   *
   * @throws {FluxError} with the words of the C tool
   * @see flux-core `src/common/libkvs/kvs_checkpoint.c`
   */
  async commit(checkpoint: Checkpoint): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const service = this.#noCache ? 'content-backing' : 'content'
    await this.#flux
      .rpc(`${service}.checkpoint-put`, `{"key":"${CHECKPOINT_KEY}","value":${encodeCheckpoint(checkpoint)}}`, {
        nodeid: 0,
      })
      .catch((error) => {
        throw fetchError(error, 'error updating checkpoint', {
          ENOSYS: 'load a backing store such as content-sqlite first',
        })
      })
  }

  /**
   * Make a key the directory of a root. What the key was before is replaced.
   *
   * @throws {FluxError} with the words of the C tool
   */
  async commitKey(key: string, rootref: string, namespace = 'primary'): Promise<void> {
    const dirent = { ver: 1, type: 'dirref', data: [rootref] }
    const ops = [{ key, flags: 0, dirent }]
    await this.#flux.rpc('kvs.commit', { namespace, flags: 0, ops }).catch((error) => {
      throw fetchError(error, `error updating ${key}`, {
        ENOSYS: 'the kvs module is not loaded: --checkpoint restores without it',
      })
    })
  }

  /** True when the KVS module is loaded. */
  async isKvsRunning(): Promise<boolean> {
    try {
      await this.#flux.rpc('kvs.getroot', { namespace: 'primary', flags: 0 })
      return true
    } catch (error) {
      if (error instanceof RpcError && error.code === 'ENOSYS') return false
      throw error
    }
  }

  /** Have the content cache of rank 0 written to the backing store. @throws {FluxError} with the words of the C tool */
  async flush(): Promise<void> {
    await this.#flux.rpc('content.flush', undefined, { nodeid: 0 }).catch((error) => {
      throw fetchError(error, 'error flushing content cache', {})
    })
  }

  /** See {@link ContentStore.notifyStatus}. */
  async notifyStatus(status: string): Promise<void> {
    await this.#flux.send('state-machine.sd-notify', { status })
  }

  close(): Promise<void> {
    return this.#flux.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #enqueue(blobs: readonly Uint8Array[], blobrefs: readonly string[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const fresh: number[] = []
    for (const [i, blobref] of blobrefs.entries()) if (this.#recent.isNew(blobref)) fresh.push(i)
    // What is known may still be on its way: if it does not arrive, the commit is not made either.
    if (fresh.length === 0) return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#queue.push({
      blobs: fresh.map((i) => blobs[i] as Uint8Array),
      blobrefs: fresh.map((i) => blobrefs[i] as string),
      sent: 0,
      left: fresh.length,
      resolve,
      reject,
    })
    this.#schedulePump()
    return promise
  }

  /** Once for all responses that came in one piece. */
  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => {
      this.#pumpScheduled = false
      for (let batch = this.#queue[0]; batch; batch = this.#queue[0]) {
        if (!this.#send(batch)) return
        this.#queue.shift()
      }
    })
  }

  /** Send what there is room for, when that is worth it. @returns true when all of the batch is sent */
  #send(batch: Batch): boolean {
    const { blobs, blobrefs } = batch
    const first = batch.sent
    if (this.#inFlight > 0 && this.#maxreqs - this.#inFlight < this.#maxreqs * REFILL_SHARE) return false
    while (batch.sent < blobs.length && this.#inFlight < this.#maxreqs) {
      const { length } = blobs[batch.sent] as Uint8Array
      if (this.#inFlight > 0 && this.#inFlightBytes + length > IN_FLIGHT_BYTES) break
      this.#inFlight++
      this.#inFlightBytes += length
      batch.sent++
    }
    if (batch.sent === first) return false
    const payloads = blobs.slice(first, batch.sent)
    const topic = this.#noCache ? 'content-backing.store' : 'content.store'
    const nodeid = this.#noCache ? 0 : undefined
    this.#flux
      .rpcBatch(topic, payloads, {
        nodeid,
        forget: true,
        onResponse: (index, { results }) => {
          this.#inFlight--
          this.#inFlightBytes -= (payloads[index] as Uint8Array).length
          this.#schedulePump()
          const result = results[index] as BatchResult
          if (result instanceof RpcFailure) {
            this.#fail(fetchError(result.toError(topic, nodeid), 'error storing blob', {}), batch)
            return
          }
          this.#compare(result, blobrefs[first + index] as string, batch)
          if (--batch.left === 0) batch.resolve()
        },
      })
      .catch((error) => this.#fail(FluxError.fromSystem(error, this.name), batch))
    return batch.sent === blobs.length
  }

  #compare(digest: Uint8Array, blobref: string, batch: Batch): void {
    const hex = Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('hex')
    if (hex === blobrefHex(blobref)) return
    this.#fail(new FluxError('EPROTO', `${this.name}: stored ${blobref} as ${this.hash}-${hex}`), batch)
  }

  #fail(error: unknown, batch: Batch): void {
    this.#failure ??= error
    batch.reject(this.#failure)
    for (const waiting of this.#queue.splice(0)) waiting.reject(this.#failure)
  }
}
