/**
 * The range decoder of LZMA (I. Pavlov, "LZMA specification", 2015): decodes each bit with its adaptive probability.
 */
import { DecodeError } from '../decoder.ts'

const TOP = 2 ** 24
/** A probability of one half, in units of 1/2048. */
export const HALF = 1024
const PROBABILITY_BITS = 11
const MOVE_BITS = 5

/** A model of `count` bits, each with an initial probability of one half. */
export const probabilities = (count: number): Uint16Array => new Uint16Array(count).fill(HALF)

/** A base class, not a member, because it is called for each bit, and a call to another object costs more. */
export class RangeDecoder {
  #input: Uint8Array = new Uint8Array()
  #at = 0
  #inputEnd = 0
  #range = 0
  #code = 0

  /** Begin to decode the bytes from `at` to `end`. @throws {DecodeError} */
  protected begin(bytes: Uint8Array, at: number, end: number): void {
    this.#input = bytes
    this.#inputEnd = end
    if (end - at < 5 || bytes[at] !== 0) throw new DecodeError('damaged: a chunk that begins wrongly')
    this.#range = 0xffff_ffff
    this.#code = 0
    for (let i = 1; i < 5; i++) this.#code = ((this.#code << 8) | (bytes[at + i] as number)) >>> 0
    this.#at = at + 5
  }

  /** @throws {DecodeError} not all bytes have been used */
  protected assertEnd(): void {
    if (this.#at !== this.#inputEnd || this.#code !== 0)
      throw new DecodeError('damaged: a chunk does not have its declared length')
  }

  #normalize(): void {
    if (this.#range < TOP) {
      if (this.#at >= this.#inputEnd) throw new DecodeError('damaged: a chunk does not have its declared length')
      this.#range = (this.#range << 8) >>> 0
      this.#code = ((this.#code << 8) | (this.#input[this.#at++] as number)) >>> 0
    }
  }

  protected bit(model: Uint16Array, index: number): number {
    const probability = model[index] as number
    const bound = (this.#range >>> PROBABILITY_BITS) * probability
    let bit = 0
    if (this.#code < bound) {
      this.#range = bound
      model[index] = probability + ((2048 - probability) >> MOVE_BITS)
    } else {
      this.#range -= bound
      this.#code -= bound
      model[index] = probability - (probability >> MOVE_BITS)
      bit = 1
    }
    if (this.#range < TOP) this.#normalize()
    return bit
  }

  protected tree(model: Uint16Array, base: number, bits: number): number {
    let symbol = 1
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.bit(model, base + symbol)
    return symbol - (1 << bits)
  }

  protected reverseTree(model: Uint16Array, base: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(model, base + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << i
    }
    return value
  }

  protected direct(bits: number): number {
    let value = 0
    for (let i = 0; i < bits; i++) {
      this.#range >>>= 1
      let bit = 0
      if (this.#code >= this.#range) {
        this.#code -= this.#range
        bit = 1
      }
      value = ((value << 1) | bit) >>> 0
      this.#normalize()
    }
    return value
  }
}
