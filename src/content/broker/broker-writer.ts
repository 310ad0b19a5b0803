import { Flux, type FluxOpenOptions, RpcError } from '../../flux/index.ts'
import { blobrefOf, type HashName } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import type { ContentWriter, StoringBatch } from '../content-writer.ts'
import { blobServices } from './blob-services.ts'
import { CHECKPOINT_KEY, contentHash, fetchError } from './instance.ts'
import { Storer } from './storer.ts'

/** How {@link BrokerWriter} stores blobs in a live instance. */
export interface OpenBrokerWriterOptions extends FluxOpenOptions {
  /** The most requests in flight (default 256, as in `flux restore`). */
  maxreqs?: number | undefined
  /** Store only to the backing store on rank 0, never to the brokers' caches. */
  noCache?: boolean | undefined
}

const DEFAULT_MAXREQS = 256

/** Stores blobs in a live instance, through its brokers. */
export class BrokerWriter implements ContentWriter {
  readonly hash: HashName
  readonly #flux: Flux
  readonly #noCache: boolean
  readonly #storer: Storer

  private constructor(flux: Flux, hash: HashName, storer: Storer, noCache: boolean) {
    this.hash = hash
    this.#flux = flux
    this.#storer = storer
    this.#noCache = noCache
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
      const { noCache = false, maxreqs = DEFAULT_MAXREQS, signal } = options
      const hash = await contentHash(flux, signal)
      const services = await blobServices(flux, 'store', { noCache, signal })
      return new BrokerWriter(flux, hash, new Storer(flux, { services, maxreqs, hash }), noCache)
    } catch (error) {
      await flux.close()
      throw error
    }
  }

  get name(): string {
    return this.#flux.uri
  }

  storeBatch(blobs: readonly Uint8Array[], handedOver = false): StoringBatch {
    const blobrefs = blobs.map((blob) => blobrefOf(this.hash, blob))
    return { blobrefs, ...this.#storer.store(handedOver ? blobs : copyOf(blobs), blobrefs) }
  }

  /**
   * Write a checkpoint. The KVS module starts from it the next time it is loaded.
   *
   * @param failed - the first words of an error: those of the C tool that does the same
   * @throws {FluxError} with the words of the C tool
   * @see flux-core `src/common/libkvs/kvs_checkpoint.c`
   */
  async commit(checkpoint: Checkpoint, failed = 'error updating checkpoint'): Promise<void> {
    this.#storer.assertSound()
    const service = this.#noCache ? 'content-backing' : 'content'
    await this.#flux
      .rpc(`${service}.checkpoint-put`, `{"key":"${CHECKPOINT_KEY}","value":${encodeCheckpoint(checkpoint)}}`, {
        nodeid: 0,
        // Slow: the broker first writes its cache to the backing store.
        silence: 'told',
      })
      .catch((error) => {
        throw fetchError(error, failed, {
          ENOSYS: 'load a backing store such as content-sqlite first',
        })
      })
  }

  /**
   * Make a key the directory of a root. The old value of the key is replaced.
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

  /** Flush the content cache of rank 0 to the backing store. @throws {FluxError} with the words of the C tool */
  async flush(): Promise<void> {
    await this.#flux.rpc('content.flush', undefined, { nodeid: 0, silence: 'told' }).catch((error) => {
      throw fetchError(error, 'error flushing content cache', {})
    })
  }

  /** See {@link LiveInstance.notifyStatus}. */
  async notifyStatus(status: string): Promise<void> {
    await this.#flux.send('state-machine.sd-notify', { status })
  }

  close(): Promise<void> {
    return this.#flux.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Views of one buffer with the bytes of all blobs. */
function copyOf(blobs: readonly Uint8Array[]): Uint8Array[] {
  const copy = Buffer.allocUnsafeSlow(blobs.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  return blobs.map((blob) => {
    copy.set(blob, at)
    return copy.subarray(at, (at += blob.length))
  })
}
