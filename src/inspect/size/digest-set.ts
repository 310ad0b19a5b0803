/** Slots at first; there are always at least a third free. */
const SLOTS = 1 << 12

/**
 * Which blobs have been met, by the first 64 bits of their digests: 12 to 24 bytes for each. Among ten million blobs the
 * chance that two are taken for one is one in three hundred thousand, which does for adding up, and for nothing else.
 */
export class DigestSet {
  #high = new Uint32Array(SLOTS)
  #low = new Uint32Array(SLOTS)
  #size = 0

  /** Number of blobs met. */
  get size(): number {
    return this.#size
  }

  /** @returns true when the blob had not been met */
  add(blobref: string): boolean {
    const at = blobref.indexOf('-') + 1
    const high = Number.parseInt(blobref.slice(at, at + 8), 16)
    // Both 0 is an empty slot; the one digest that begins so is as good as its neighbour.
    const low = Number.parseInt(blobref.slice(at + 8, at + 16), 16) || 1
    if (!this.#insert(high, low)) return false
    if (++this.#size * 3 > this.#high.length * 2) this.#grow()
    return true
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
    for (const [slot, bits] of low.entries()) if (bits !== 0) this.#insert(high[slot] as number, bits)
  }
}
