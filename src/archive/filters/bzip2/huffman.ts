/** Bits of bzip2's longest code. */
export const MAX_CODE_BITS = 20

/**
 * A canonical Huffman code. For each code length it has the greatest code (`limits`), and the number to subtract from a
 * code to get its index in `symbols` (`bases`).
 */
export class HuffmanTable {
  readonly limits = new Int32Array(MAX_CODE_BITS + 1).fill(-1)
  readonly bases = new Int32Array(MAX_CODE_BITS + 1)
  readonly symbols: Uint16Array
  readonly shortest: number
  readonly longest: number

  constructor(lengths: Uint8Array) {
    const counts = new Uint16Array(MAX_CODE_BITS + 2)
    for (const length of lengths) counts[length] = (counts[length] as number) + 1
    this.symbols = Uint16Array.from(
      [...lengths.keys()].sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b),
    )
    this.shortest = Math.min(...lengths)
    this.longest = Math.max(...lengths)
    let code = 0
    let index = 0
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      this.bases[length] = code - index
      code += counts[length] as number
      index += counts[length] as number
      this.limits[length] = code - 1
      code *= 2
    }
  }
}
