import { BlobRequest, DIGEST_BYTES, type HashName } from '../content/index.ts'
import { type Refs, requestRef } from '../kvs/index.ts'

/** Blobs that are marked in one call. */
const MARKED = 8192

/** Collects blobs to be marked in a store on disk, and marks them in large batches. */
export class Marking {
  /** Blobs that were to be marked, and that the store does not have. */
  missing = 0
  readonly #hash: HashName
  readonly #mark: (digests: Uint8Array) => Promise<number>
  readonly #full: BlobRequest[] = []
  #open: BlobRequest

  /** @param mark - `StoreOnDisk.markDigests` of the store */
  constructor(hash: HashName, mark: (digests: Uint8Array) => Promise<number>) {
    this.#hash = hash
    this.#mark = mark
    this.#open = new BlobRequest(hash, MARKED)
  }

  /** Add the blobs of a value. */
  addAll(value: Refs): void {
    for (let i = 0; i < value.refCount; i++) {
      requestRef(this.#open, value, i)
      this.#next()
    }
  }

  addDigest(digest: Uint8Array): void {
    this.#open.digests.set(digest, this.#open.count++ * digest.length)
    this.#next()
  }

  /** Mark what has been added, when it is enough for a call. */
  markFull(): Promise<void> | undefined {
    return this.#full.length === 0 ? undefined : this.#markAll()
  }

  /** Mark all that is left. */
  async finish(): Promise<void> {
    if (this.#open.count > 0) this.#full.push(this.#open)
    this.#open = new BlobRequest(this.#hash, MARKED)
    await this.#markAll()
  }

  #next(): void {
    if (this.#open.count < MARKED) return
    this.#full.push(this.#open)
    this.#open = new BlobRequest(this.#hash, MARKED)
  }

  async #markAll(): Promise<void> {
    for (let request = this.#full.shift(); request; request = this.#full.shift()) {
      const { digests, count } = request
      this.missing += count - (await this.#mark(digests.subarray(0, count * DIGEST_BYTES[this.#hash])))
    }
  }
}
