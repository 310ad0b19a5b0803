import { grown } from '../../bytes/index.ts'

/** A set of rowids, as a bitmap. */
export class RowSet {
  #bits: Uint8Array
  /** The largest rowid of the bitmap. */
  #last = 0xffffffff
  /**
   * Rowids out of the range of the bitmap. SQLite does not choose such rowids, but a damaged or edited store may have
   * them.
   */
  readonly #far = new Set<number>()

  /** @param bits - a bitmap to begin with: see {@link share} */
  constructor(bits?: Uint8Array) {
    this.#bits = bits ?? new Uint8Array(1 << 16)
    // Shared memory cannot grow.
    if (bits) this.#last = bits.length * 8 - 1
  }

  /**
   * Keep the rowids up to `last` in shared memory. Another thread makes a set of the returned bitmap. It sees rowids up to `last` that
   * are added later, and no others.
   */
  share(last: number): Uint8Array {
    const bytes = Math.max((Math.min(last, 0xffffffff) >>> 3) + 1, this.#bits.length)
    const bits = new Uint8Array(new SharedArrayBuffer(bytes))
    bits.set(this.#bits)
    this.#bits = bits
    this.#last = bytes * 8 - 1
    return bits
  }

  add(rowid: number): void {
    const at = rowid >>> 3
    if (rowid < 0 || rowid > this.#last) {
      this.#far.add(rowid)
      return
    }
    this.#bits = grown(this.#bits, at + 1)
    this.#bits[at] = (this.#bits[at] as number) | (1 << (rowid & 7))
  }

  has(rowid: number): boolean {
    if (rowid < 0 || rowid > this.#last) return this.#far.has(rowid)
    return ((this.#bits[rowid >>> 3] ?? 0) & (1 << (rowid & 7))) !== 0
  }
}
