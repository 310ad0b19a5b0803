/**
 * LZMA2: chunks of LZMA data or of plain bytes, which share one dictionary. The names are those of the LZMA
 * specification (I. Pavlov, "LZMA specification", 2015) and of section 5.3.1 of the .xz format.
 *
 * We use no package, because node-liblzma can need a compiler at installation, and @napi-rs/lzma (1.5.3) keeps a large
 * block, or everything after the first of several streams, in memory until the end.
 */
import { DecodeError } from '../decoder.ts'
import { HALF, probabilities, RangeDecoder } from './range-decoder.ts'

const STATES = 12
const POSITION_STATES = 16
const LENGTH_STATES = 4
const END_SLOT = 14
const ALIGN_BITS = 4
const FULL_DISTANCES = 1 << (END_SLOT >> 1)
const MATCH_MIN = 2

/** Most output bytes of one LZMA2 chunk. */
const CHUNK_BYTES = 2 << 20

/** Room in the window beyond the dictionary, so that its contents rarely have to be moved. */
const SLIDE_BYTES = 16 << 20

/** The model of match lengths: short, medium or long, each with its own tree. */
class LengthModel {
  readonly choice = probabilities(2)
  readonly low = probabilities(POSITION_STATES << 3)
  readonly mid = probabilities(POSITION_STATES << 3)
  readonly high = probabilities(256)

  reset(): void {
    for (const part of [this.choice, this.low, this.mid, this.high]) part.fill(HALF)
  }
}

export class Lzma2 extends RangeDecoder {
  readonly #dictionaryBytes: number
  /** The last output, and room for one more chunk. Grows with the output. */
  #window = new Uint8Array(1 << 16)
  /** Index of the next byte in the window, and how many bytes before it belong to the dictionary. */
  #end = 0
  #filled = 0

  #lc = 0
  #literalPositionMask = 0
  #positionMask = 0
  #position = 0
  #state = 0
  #rep0 = 0
  #rep1 = 0
  #rep2 = 0
  #rep3 = 0
  #needs: 'dictionary' | 'properties' | undefined = 'dictionary'
  readonly #isMatch = probabilities(STATES * POSITION_STATES)
  readonly #isRep = probabilities(STATES)
  readonly #isRep0 = probabilities(STATES)
  readonly #isRep1 = probabilities(STATES)
  readonly #isRep2 = probabilities(STATES)
  readonly #isRep0Long = probabilities(STATES * POSITION_STATES)
  readonly #slots = probabilities(LENGTH_STATES << 6)
  readonly #special = probabilities(1 + FULL_DISTANCES - END_SLOT)
  readonly #align = probabilities(1 << ALIGN_BITS)
  readonly #lengths = new LengthModel()
  readonly #repLengths = new LengthModel()
  readonly #literals = probabilities(0x300 << 4)

  constructor(dictionaryBytes: number) {
    super()
    this.#dictionaryBytes = Math.max(dictionaryBytes, 4096)
  }

  /** Bytes of a chunk with its header; undefined when the header is incomplete. */
  static chunkLength(bytes: Uint8Array, at: number): number | undefined {
    const control = bytes[at]
    if (control === undefined) return undefined
    if (control === 0) return 1
    if (control < 0x80) return at + 3 > bytes.length ? undefined : 3 + word(bytes, at + 1) + 1
    return at + 5 > bytes.length ? undefined : (control >= 0xc0 ? 6 : 5) + word(bytes, at + 3) + 1
  }

  /**
   * Decode one complete chunk.
   *
   * @returns a copy of its output; undefined for the chunk that ends the stream
   */
  chunk(bytes: Uint8Array, start: number): Uint8Array | undefined {
    const control = bytes[start] as number
    if (control === 0) return undefined
    if (control === 1 || control >= 0xe0) {
      this.#filled = 0
      this.#end = 0
      this.#position = 0
      // After a dictionary reset, the next LZMA chunk must set new properties.
      this.#needs = 'properties'
    } else if (this.#needs === 'dictionary') {
      throw new DecodeError('damaged: a chunk before the first dictionary')
    }
    return control < 0x80 ? this.#plain(bytes, start, control) : this.#lzma(bytes, start, control)
  }

  #plain(bytes: Uint8Array, start: number, control: number): Uint8Array {
    if (control > 2) throw new DecodeError('damaged: a chunk of no known kind')
    const length = word(bytes, start + 1) + 1
    const from = this.#room(length)
    this.#window.set(bytes.subarray(start + 3, start + 3 + length), from)
    this.#put(length)
    this.#position += length
    return this.#window.slice(from, this.#end)
  }

  #lzma(bytes: Uint8Array, start: number, control: number): Uint8Array {
    const length = ((control & 0x1f) << 16) + word(bytes, start + 1) + 1
    const packed = word(bytes, start + 3) + 1
    let at = start + 5
    if (control >= 0xc0) {
      this.#properties(bytes[at++] as number)
      this.#needs = undefined
      this.#resetState()
    } else if (this.#needs === 'properties') {
      throw new DecodeError('damaged: a chunk before the first properties')
    } else if (control >= 0xa0) {
      this.#resetState()
    }
    this.begin(bytes, at, at + packed)
    const from = this.#room(length)
    this.#decode(length)
    this.assertEnd()
    this.#put(length)
    return this.#window.slice(from, this.#end)
  }

  #properties(byte: number): void {
    const lc = byte % 9
    const lp = Math.floor(byte / 9) % 5
    const pb = Math.floor(byte / 45)
    if (byte >= 225 || lc + lp > 4) throw new DecodeError('damaged: properties out of bounds')
    this.#lc = lc
    this.#literalPositionMask = (1 << lp) - 1
    this.#positionMask = (1 << pb) - 1
  }

  #resetState(): void {
    this.#state = 0
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0
    for (const part of [this.#isMatch, this.#isRep, this.#isRep0, this.#isRep1, this.#isRep2, this.#isRep0Long])
      part.fill(HALF)
    for (const part of [this.#slots, this.#special, this.#align, this.#literals]) part.fill(HALF)
    this.#lengths.reset()
    this.#repLengths.reset()
  }

  /**
   * Make room for `length` bytes at {@link #end}. The window grows with the output, and slides when it has its full
   * size.
   */
  #room(length: number): number {
    const full = this.#dictionaryBytes + CHUNK_BYTES + Math.min(this.#dictionaryBytes, SLIDE_BYTES)
    if (this.#end + length > this.#window.length && this.#window.length < full) {
      // Not at once to the declared size, since a short forged header could declare any.
      const larger = new Uint8Array(Math.min(full, Math.max(2 * this.#window.length, this.#end + length)))
      larger.set(this.#window.subarray(0, this.#end))
      this.#window = larger
    }
    if (this.#end + length > this.#window.length) {
      this.#window.copyWithin(0, this.#end - this.#filled, this.#end)
      this.#end = this.#filled
    }
    return this.#end
  }

  #put(length: number): void {
    this.#end += length
    this.#filled = Math.min(this.#filled + length, this.#dictionaryBytes)
  }

  #length(model: LengthModel, positionState: number): number {
    if (this.bit(model.choice, 0) === 0) return this.tree(model.low, positionState << 3, 3)
    if (this.bit(model.choice, 1) === 0) return 8 + this.tree(model.mid, positionState << 3, 3)
    return 16 + this.tree(model.high, 0, 8)
  }

  #distance(length: number): number {
    const slot = this.tree(this.#slots, Math.min(length, LENGTH_STATES - 1) << 6, 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const base = ((2 | (slot & 1)) << bits) >>> 0
    if (slot < END_SLOT) return base + this.reverseTree(this.#special, base - slot, bits)
    const high = this.direct(bits - ALIGN_BITS) * 2 ** ALIGN_BITS
    return base + high + this.reverseTree(this.#align, 0, ALIGN_BITS)
  }

  #literal(window: Uint8Array, to: number): number {
    const before = this.#filledBefore(to) > 0 ? (window[to - 1] as number) : 0
    const place = ((this.#position & this.#literalPositionMask) << this.#lc) + (before >> (8 - this.#lc))
    const base = 0x300 * place
    const model = this.#literals
    let symbol = 1
    if (this.#state >= 7) {
      let match = window[to - this.#rep0 - 1] as number
      do {
        const matchBit = (match >> 7) & 1
        match <<= 1
        const bit = this.bit(model, base + ((1 + matchBit) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (matchBit !== bit) break
      } while (symbol < 0x100)
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(model, base + symbol)
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
    return symbol & 0xff
  }

  #filledBefore(to: number): number {
    return this.#filled + (to - this.#end)
  }

  /** Decode `count` bytes into the window, from {@link #end} on. */
  #decode(count: number): void {
    const window = this.#window
    let to = this.#end
    const end = to + count
    while (to < end) {
      const positionState = this.#position & this.#positionMask
      const stateAt = (this.#state << 4) + positionState
      if (this.bit(this.#isMatch, stateAt) === 0) {
        window[to] = this.#literal(window, to)
        to++
        this.#position++
        continue
      }
      let length: number
      if (this.bit(this.#isRep, this.#state) === 0) {
        this.#rep3 = this.#rep2
        this.#rep2 = this.#rep1
        this.#rep1 = this.#rep0
        length = this.#length(this.#lengths, positionState)
        this.#state = this.#state < 7 ? 7 : 10
        this.#rep0 = this.#distance(length)
      } else {
        length = this.#repeated(positionState, stateAt)
      }
      length += MATCH_MIN
      // The match starts before the dictionary, or goes past the end of the chunk, which LZMA2 does not allow.
      if (this.#rep0 >= Math.min(this.#filledBefore(to), this.#dictionaryBytes) || to + length > end) {
        throw new DecodeError('damaged: a match outside the dictionary or its chunk')
      }
      const from = to - this.#rep0 - 1
      for (let i = 0; i < length; i++) window[to + i] = window[from + i] as number
      to += length
      this.#position += length
    }
  }

  /** A match with one of the last four distances. @returns its length minus {@link MATCH_MIN} */
  #repeated(positionState: number, stateAt: number): number {
    if (this.bit(this.#isRep0, this.#state) === 0) {
      if (this.bit(this.#isRep0Long, stateAt) === 0) {
        this.#state = this.#state < 7 ? 9 : 11
        return 1 - MATCH_MIN
      }
    } else {
      let distance: number
      if (this.bit(this.#isRep1, this.#state) === 0) {
        distance = this.#rep1
      } else {
        if (this.bit(this.#isRep2, this.#state) === 0) {
          distance = this.#rep2
        } else {
          distance = this.#rep3
          this.#rep3 = this.#rep2
        }
        this.#rep2 = this.#rep1
      }
      this.#rep1 = this.#rep0
      this.#rep0 = distance
    }
    const length = this.#length(this.#repLengths, positionState)
    this.#state = this.#state < 7 ? 8 : 11
    return length
  }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}
