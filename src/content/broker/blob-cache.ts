/**
 * A cache of the blobs loaded last, so that a blob that is referenced again soon is not loaded again. For example, jobs
 * submitted together share a jobspec. The bytes are in one ring buffer; a blob leaves when new bytes overwrite it.
 */

/** Larger blobs are not kept: each would displace too many others. In bytes. */
const LARGEST = 64 * 1024

interface Kept {
  blobref: string
  start: number
  length: number
}

export class BlobCache {
  readonly #ring: Uint8Array
  readonly #kept = new Map<string, Kept>()
  /**
   * The same blobs in the order of the ring, from `#first`, the next to leave. The map has that order too, but finding
   * its first entry takes longer each time after first entries were deleted: that made a dump three times slower.
   */
  #order: Kept[] = []
  #first = 0
  #at = 0

  /** @param bytes - the size of the cache */
  constructor(bytes: number) {
    this.#ring = new Uint8Array(bytes)
  }

  /** A copy of a blob, or undefined when the cache does not have it. */
  get(blobref: string): Uint8Array | undefined {
    const kept = this.#kept.get(blobref)
    return kept && this.#ring.slice(kept.start, kept.start + kept.length)
  }

  add(blobref: string, blob: Uint8Array): void {
    const { length } = blob
    if (length === 0 || length > LARGEST || length > this.#ring.length || this.#kept.has(blobref)) return
    if (this.#at + length > this.#ring.length) {
      this.#evict(this.#at, this.#ring.length)
      this.#at = 0
    }
    this.#evict(this.#at, this.#at + length)
    this.#ring.set(blob, this.#at)
    const kept: Kept = { blobref, start: this.#at, length }
    this.#kept.set(blobref, kept)
    this.#order.push(kept)
    this.#at += length
  }

  /** Remove the blobs that begin in a range of the ring. */
  #evict(from: number, to: number): void {
    for (let kept = this.#order[this.#first]; kept && kept.start >= from && kept.start < to; ) {
      this.#kept.delete(kept.blobref)
      kept = this.#order[++this.#first]
    }
    if (this.#first > 4096) {
      this.#order = this.#order.slice(this.#first)
      this.#first = 0
    }
  }
}
