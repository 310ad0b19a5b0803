/** A growing list of digests, as bytes one after another. Blobrefs as strings would take ten times the memory. */
export class DigestList {
  readonly #width: number
  #bytes: Uint8Array
  #used = 0

  /** @param width - bytes of a digest */
  constructor(width: number) {
    this.#width = width
    this.#bytes = Buffer.allocUnsafeSlow(width * 64)
  }

  /** Number of digests. */
  get length(): number {
    return this.#used / this.#width
  }

  /** Append a digest that is written in lower-case hex. @param at - where it begins in `text` */
  pushHex(text: Uint8Array, at: number): void {
    const end = this.#used + this.#width
    if (end > this.#bytes.length) this.#grow(end)
    const bytes = this.#bytes
    for (let i = this.#used, from = at; i < end; i++, from += 2) {
      bytes[i] = (nibble(text[from] as number) << 4) | nibble(text[from + 1] as number)
    }
    this.#used = end
  }

  /** Append digests, one after another. */
  push(digests: Uint8Array): void {
    const end = this.#used + digests.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.set(digests, this.#used)
    this.#used = end
  }

  /** Remove the last `count` digests, or all. @returns them, in a buffer of their own, which can be transferred */
  takeLast(count: number): Uint8Array<ArrayBuffer> {
    const from = Math.max(0, this.#used - count * this.#width)
    const taken = new Uint8Array(this.#bytes.subarray(from, this.#used))
    this.#used = from
    return taken
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = larger
  }
}

/** The value of a lower-case hex digit. */
function nibble(digit: number): number {
  return digit < 0x3a ? digit - 0x30 : digit - 0x57
}
