import { grown } from '../../bytes/index.ts'

/** A set of rowids, as a bitmap. */
export class RowSet {
  #bits = new Uint8Array(1 << 16)
  /**
   * Rowids out of the range of the bitmap. SQLite does not choose such rowids, but a damaged or edited store may have
   * them.
   */
  readonly #far = new Set<number>()

  add(rowid: number): void {
    if (rowid < 0 || rowid > 0xffffffff) {
      this.#far.add(rowid)
      return
    }
    const at = rowid >>> 3
    this.#bits = grown(this.#bits, at + 1)
    this.#bits[at] = (this.#bits[at] as number) | (1 << (rowid & 7))
  }

  has(rowid: number): boolean {
    if (rowid < 0 || rowid > 0xffffffff) return this.#far.has(rowid)
    return ((this.#bits[rowid >>> 3] ?? 0) & (1 << (rowid & 7))) !== 0
  }
}
