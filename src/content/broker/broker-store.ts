import { checkUri, Flux, type FluxOpenOptions, type JsonObject, RpcError, RpcFailure } from '../../flux/index.ts'
import { blobrefHex, type HashName } from '../blobref.ts'
import { type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'
import type { ContentError } from '../content-error.ts'
import type { BlobResult, ContentStore } from '../content-store.ts'
import type { LiveInstance } from '../live-instance.ts'
import { noCounts, type ReadCounts } from '../read-counts.ts'
import { findBackingFile } from './backing-file.ts'
import { type BlobService, blobServices, isBacking } from './blob-services.ts'
import { BrokerInstance } from './broker-instance.ts'
import { DirectLoader } from './direct-loader.ts'
import { CHECKPOINT_KEY, contentHash, fetchError } from './instance.ts'
import { Loader, missingBlob } from './loader.ts'
import { AdaptivePace, FixedPace, type Pace } from './pace.ts'

/** How {@link BrokerStore} reads a live instance. */
export interface OpenBrokerOptions extends FluxOpenOptions {
  /** Compare each blob with its blobref (default true). */
  verify?: boolean | undefined
  /** The most requests in flight. By default it adapts to the load of the instance: see docs/pacing.md. */
  maxreqs?: number | undefined
  /** Load only from the backing store on rank 0, never from the brokers' caches. */
  noCache?: boolean | undefined
  /**
   * Read blobs from the file of the backing store, where that lies on this host and its broker is a process of this user,
   * and ask the broker for what is not there (default true). What is read so is compared with its blobref in any case.
   * With `noCache` it is not done.
   */
  direct?: boolean | undefined
}

const VALIDATE = 'content-backing.validate'

/** Requests to keep queued besides those in flight, so that the walk does not have to supply them one by one. */
const QUEUED = 32

/** The content store of a live instance, as its brokers serve it. */
export class BrokerStore implements ContentStore {
  readonly hash: HashName
  readonly instance: LiveInstance
  readonly #counts = noCounts()
  readonly #flux: Flux
  readonly #pace: Pace
  readonly #loader: Loader
  readonly #direct: DirectLoader | undefined
  readonly #noCache: boolean
  readonly isUnverified: boolean
  readonly #verify: boolean
  #canValidate = true

  private constructor(
    flux: Flux,
    hash: HashName,
    services: readonly [BlobService, BlobService?],
    options: OpenBrokerOptions,
  ) {
    const { verify = true, maxreqs, noCache = false, direct = true, signal } = options
    this.hash = hash
    this.instance = new BrokerInstance(flux, this.#counts)
    this.#flux = flux
    this.#noCache = noCache
    this.#verify = verify
    this.isUnverified = !verify
    this.#pace = maxreqs === undefined ? new AdaptivePace() : new FixedPace(maxreqs)
    this.#loader = new Loader(flux, { hash, pace: this.#pace, services, verify })
    // The first service is the backing store, and there is another: this is rank 0.
    if (!direct || !isBacking(services[0]) || services[1] === undefined) return
    const find = () => findBackingFile(flux, signal)
    this.#direct = new DirectLoader({ hash, loader: this.#loader, find, counts: this.#counts, signal })
  }

  /**
   * Connect to an instance.
   *
   * @param uri - as for {@link Flux.open}
   * @throws {FluxError} what {@link Flux.open} throws; `EPROTO` an algorithm that is neither sha1 nor sha256
   */
  static async open(uri?: string, options: OpenBrokerOptions = {}): Promise<BrokerStore> {
    const flux = await Flux.open(uri, options)
    try {
      const { noCache = false, signal } = options
      const hash = await contentHash(flux, signal)
      return new BrokerStore(flux, hash, await blobServices(flux, 'load', { noCache, signal }), options)
    } catch (error) {
      await flux.close()
      throw error
    }
  }

  /** Check the form of a URI without connecting. @throws {FluxError} `EINVAL`, `ENOENT` it is none */
  static checkUri(uri: string): void {
    checkUri(uri)
  }

  get name(): string {
    return this.#flux.uri
  }

  get counts(): Readonly<ReadCounts> {
    return this.#counts
  }

  /** A walk loads half of the window as one batch: one half is in flight while the other is queued. */
  get window(): number {
    return this.#direct?.window ?? 2 * (this.#pace.limit + QUEUED)
  }

  async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const results = await (this.#direct ?? this.#loader).load(blobrefs, budgetBytes)
    for (const result of results) if (result !== undefined) this.#counts.loaded++
    return results
  }

  async checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const errors = await this.#check(blobrefs)
    this.#counts.loaded += blobrefs.length
    return errors
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const { value } = await this.#checkpointGet().catch((error) => {
      throw fetchError(error, 'error fetching checkpoints', CHECKPOINT_HINTS)
    })
    // Until v0.76 the value is one object; since then it is a list.
    const values = Array.isArray(value) ? value : [value]
    return values.map((value, index) => decodeCheckpoint(value, `error fetching checkpoints: checkpoint ${index}`))
  }

  async assertUnchanged(): Promise<void> {
    // Blobs never change, and a blob that a kept root reaches is never removed.
  }

  async close(): Promise<void> {
    await Promise.all([this.#flux.close(), this.#direct?.close()])
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Without verification, only asks the backing store whether the blobs exist, and does not load them. */
  async #check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    if (!this.#verify && this.#canValidate) {
      const payloads = blobrefs.map((blobref) => Buffer.from(blobrefHex(blobref), 'hex'))
      const { results } = await this.#flux.rpcBatch(VALIDATE, payloads, { nodeid: 0 })
      const failure = results.find((result) => result instanceof RpcFailure && result.code !== 'ENOENT')
      if (failure === undefined) {
        return results.map((result, i) =>
          result instanceof RpcFailure ? missingBlob(blobrefs[i] as string) : undefined,
        )
      }
      const error = (failure as RpcFailure).toError(VALIDATE, 0)
      // EPROTO: a blobref of another algorithm. ENOSYS: brokers before v0.77 have no such service.
      if (error.code !== 'ENOSYS' && error.code !== 'EPROTO') throw error
      this.#canValidate = error.code !== 'ENOSYS'
    }
    return (this.#direct ?? this.#loader).check(blobrefs)
  }

  async #checkpointGet(): Promise<JsonObject> {
    const service = this.#noCache ? 'content-backing' : 'content'
    const payload = { key: CHECKPOINT_KEY }
    try {
      return await this.#flux.rpc(`${service}.checkpoint-get`, payload, { nodeid: 0 })
    } catch (error) {
      if (!(error instanceof RpcError && error.code === 'ENOSYS')) throw error
      // The topic until v0.42.
      return this.#flux.rpc('kvs-checkpoint.get', payload, { nodeid: 0 }).catch(() => {
        throw error
      })
    }
  }
}

const CHECKPOINT_HINTS = {
  ENOENT: 'none has been written yet: a dump without --checkpoint holds the current root',
  ENOSYS:
    'no backing store is loaded: flux module load content-sqlite brings it back; a dump without --checkpoint holds the current root',
}
