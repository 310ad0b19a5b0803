/**
 * A decoder of the LZ4 block format that works piece by piece. A match reaches back 64 KiB at most, so the decoder
 * holds only the last 64 KiB, however large the block is. For small blocks it is slower than {@link lz4DecodeBlock}.
 */

/** How far back a match may reach. */
const HISTORY = 1 << 16

/** Bytes that one call of {@link Lz4Stream.next} expands. */
const PIECE = 1 << 20

/** Expands one LZ4 block. */
export class Lz4Stream {
  readonly #more: () => Uint8Array | undefined
  readonly #size: number
  /** The history, followed by the piece that is being expanded. */
  readonly #buffer = Buffer.allocUnsafeSlow(HISTORY + PIECE)
  #end = 0
  /** Bytes expanded so far, plus those still to be copied for the current literals and match. */
  #expanded = 0
  #source: Uint8Array = new Uint8Array()
  #at = 0
  #literals = 0
  #match = 0
  #offset = 0
  /** The match length bits of the current token; undefined when a token is next. */
  #matchBits: number | undefined
  #state: 'open' | 'whole' | 'damaged' = 'open'

  /**
   * @param more - returns the next bytes of the block; undefined at its end. They are held until they are expanded.
   * @param size - the exact number of bytes that the block must expand to
   */
  constructor(more: () => Uint8Array | undefined, size: number) {
    this.#more = more
    this.#size = size
  }

  /** After the last piece: true when the block was well formed and expanded to its size. */
  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  /** The next bytes: a view, valid until the next call. Undefined at the end, or where the block is damaged. */
  next(): Uint8Array | undefined {
    const kept = Math.min(this.#end, HISTORY)
    this.#buffer.copyWithin(0, this.#end - kept, this.#end)
    this.#end = kept
    while (this.#state === 'open' && this.#end < kept + PIECE) this.#step(kept + PIECE)
    return this.#end > kept ? this.#buffer.subarray(kept, this.#end) : undefined
  }

  #step(limit: number): void {
    if (this.#literals > 0) this.#copyLiterals(limit)
    else if (this.#match > 0) this.#copyMatch(limit)
    else if (this.#matchBits === undefined) this.#readToken()
    else if (!this.#refill()) this.#state = this.#expanded === this.#size ? 'whole' : 'damaged'
    else this.#readMatch(this.#matchBits)
  }

  #readToken(): void {
    const token = this.#byte()
    this.#matchBits = token & 15
    this.#literals = this.#length(token >>> 4)
    this.#expect(this.#literals)
  }

  #readMatch(bits: number): void {
    this.#offset = this.#byte() | (this.#byte() << 8)
    this.#match = this.#length(bits) + 4
    this.#matchBits = undefined
    if (this.#offset === 0 || this.#offset > this.#end) this.#state = 'damaged'
    this.#expect(this.#match)
  }

  /** A length: the four bits of the token, plus the bytes that extend it. */
  #length(bits: number): number {
    let length = bits
    for (let more = bits === 15 ? 255 : 0; more === 255 && this.#state === 'open'; length += more) more = this.#byte()
    return length
  }

  #expect(bytes: number): void {
    this.#expanded += bytes
    if (this.#expanded > this.#size) this.#state = 'damaged'
  }

  #copyLiterals(limit: number): void {
    if (!this.#refill()) {
      this.#state = 'damaged'
      return
    }
    const length = Math.min(this.#literals, this.#source.length - this.#at, limit - this.#end)
    this.#buffer.set(this.#source.subarray(this.#at, this.#at + length), this.#end)
    this.#at += length
    this.#end += length
    this.#literals -= length
  }

  #copyMatch(limit: number): void {
    const [buffer, from, to] = [this.#buffer, this.#end - this.#offset, this.#end]
    const length = Math.min(this.#match, limit - to)
    // A match that overlaps its target repeats the bytes between: copy them once, then double the copy each time.
    let copied = Math.min(length, this.#offset)
    buffer.copyWithin(to, from, from + copied)
    while (copied < length) {
      const more = Math.min(copied, length - copied)
      buffer.copyWithin(to + copied, to, to + more)
      copied += more
    }
    this.#end += length
    this.#match -= length
  }

  #byte(): number {
    if (this.#refill()) return this.#source[this.#at++] as number
    this.#state = 'damaged'
    return 0
  }

  /** @returns false at the end of the block */
  #refill(): boolean {
    while (this.#at === this.#source.length) {
      const more = this.#more()
      if (more === undefined) return false
      this.#source = more
      this.#at = 0
    }
    return true
  }
}
