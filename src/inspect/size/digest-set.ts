import { release } from '../../bytes/index.ts'

/** Initial number of slots. At least a third of them is always free. */
const SLOTS = 1 << 12

/**
 * The set of blobs that have been seen, by the first 64 bits of their digests: 12 to 24 bytes for each blob. Among ten
 * million blobs, the chance that any two are taken for one is one in three hundred thousand. That is good enough for
 * adding up sizes, and for nothing else.
 */
export class DigestSet {
  #high = new Uint32Array(SLOTS)
  #low = new Uint32Array(SLOTS)
  #size = 0

  /** Number of blobs in the set. */
  get size(): number {
    return this.#size
  }

  /** Add the blob with the digest at `at` in `digests`. @returns true when it was not in the set */
  add(digests: Uint8Array, at = 0): boolean {
    const high = wordAt(digests, at)
    // A low half of 0 marks an empty slot, so such a digest is stored with 1.
    const low = wordAt(digests, at + 4) || 1
    if (!this.#insert(high, low)) return false
    if (++this.#size * 3 > this.#high.length * 2) this.#grow()
    return true
  }

  /** Release the memory at once. The set is of no more use. */
  release(): void {
    release(this.#high)
    release(this.#low)
  }

  #insert(high: number, low: number): boolean {
    const mask = this.#high.length - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      if (this.#low[slot] === 0) {
        this.#high[slot] = high
        this.#low[slot] = low
        return true
      }
      if (this.#low[slot] === low && this.#high[slot] === high) return false
    }
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low]
    this.#high = new Uint32Array(high.length * 2)
    this.#low = new Uint32Array(low.length * 2)
    for (let slot = 0; slot < low.length; slot++) {
      if (low[slot] !== 0) this.#insert(high[slot] as number, low[slot] as number)
    }
    release(high)
    release(low)
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}
