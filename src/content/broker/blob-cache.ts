/**
 * The blobs loaded last, so that one which is referenced again soon is not asked for again. Jobs submitted together share
 * a jobspec, for one. The bytes lie in one ring; a blob leaves when the ring comes round to it.
 */

/** Larger blobs are not kept: they would drive out too many others. */
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
   * The same, in the order of the ring, beginning with what comes next. The map has that order too, but to look for the
   * first of a map from which firsts are deleted takes longer each time: it made a dump three times as slow.
   */
  #order: Kept[] = []
  #first = 0
  #at = 0

  /** @param bytes - how much is kept */
  constructor(bytes: number) {
    this.#ring = new Uint8Array(bytes)
  }

  /** A copy of a blob, or undefined when it is not there. */
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

  /** Forget what begins between two places. */
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
