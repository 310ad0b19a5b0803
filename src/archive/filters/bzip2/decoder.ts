/**
 * A bzip2 decoder that works block by block. It decodes bits to symbols (with up to six Huffman tables, one chosen for
 * every 50 symbols), reverses move-to-front and the runs of zeros, inverts the Burrows-Wheeler transform, and restores
 * runs of four and more bytes, which the encoder shortens first. Each block and each stream has a checksum. Streams in
 * a row decode as one, as in bunzip2.
 *
 * There is no standard; this follows J. Tsai, "BZIP2: Format Specification" (2016). We do not use bzip2-wasm, because
 * it needs the whole archive in memory, and its decompressed length beforehand.
 */
import { DecodeError, type Decoder } from '../decoder.ts'
import { findMagic } from './find-magic.ts'
import { HuffmanTable, MAX_CODE_BITS } from './huffman.ts'
import { BLOCK_MAGIC, END_MAGIC, LEVEL_BYTES, STREAM_MAGIC } from './layout.ts'
import { untransform } from './untransform.ts'

const GROUP_SYMBOLS = 50
const MAX_SELECTORS = 18_002
const RUNA = 0
const RUNB = 1

/** Most bytes of a compressed block with everything before it: a block of noise grows by less than 1 %. */
const MAX_BLOCK_BYTES = 1_200_000

/** Bytes of a magic. */
const MAGIC_BYTES = 6
const MAX_LEVEL = 9

/** Thrown when the input so far ends within a block. */
class NeedMore extends Error {}
const NEED_MORE = new NeedMore()

export class Bzip2Decoder implements Decoder {
  #input: Uint8Array = new Uint8Array()
  #at = 0
  #bits = 0
  #bitCount = 0
  #ended = false
  /** The level (1 to 9) of the current stream; 0 between streams. */
  #level = 0
  #streams = 0
  #streamCrc = 0
  #symbols = new Uint32Array()
  readonly #isSalvaging: boolean
  /** True after damage, until the next block is found. */
  #isSeeking = false
  #hasLost = false
  #losses: string[] = []

  /** @param isSalvaging - leave out damaged blocks, and go on at the next one */
  constructor(isSalvaging = false) {
    this.#isSalvaging = isSalvaging
  }

  takeLosses(): string[] {
    return this.#losses.splice(0)
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    const rest = this.#input.subarray(this.#at)
    this.#input = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    this.#at = 0
    // A block is decoded in one go, so wait until the input must contain all of it.
    while (this.#input.length - this.#at > MAX_BLOCK_BYTES) if ((yield* this.#next()) === 'end') return
  }

  *finish(): Generator<Uint8Array> {
    this.#ended = true
    while ((yield* this.#next()) === 'more');
  }

  *#next(): Generator<Uint8Array, 'more' | 'end'> {
    if (this.#isSeeking) return this.#seek(this.#at * 8)
    const start = this.#at * 8 - this.#bitCount
    try {
      return yield* this.#step()
    } catch (error) {
      if (!this.#isSalvaging || !(error instanceof DecodeError) || error.message.startsWith('not supported'))
        throw error
      this.#losses.push(error.message)
      this.#hasLost = true
      // Damage can hide the end of a stream, or its beginning.
      this.#level ||= MAX_LEVEL
      return this.#seek(start + 1)
    }
  }

  /** Go on at the next block, or at the end of the stream: both begin at any bit. */
  #seek(from: number): 'more' | 'end' {
    const found = findMagic(this.#input, from)
    this.#bits = 0
    this.#bitCount = 0
    this.#isSeeking = found < 0
    if (found >= 0) {
      this.#at = found >> 3
      if (found & 7) this.#read(found & 7)
      return 'more'
    }
    // A magic can begin in the last bytes.
    this.#at = this.#ended ? this.#input.length : Math.max(this.#at, this.#input.length - MAGIC_BYTES)
    return this.#ended ? 'end' : 'more'
  }

  *#step(): Generator<Uint8Array, 'more' | 'end'> {
    try {
      if (this.#level === 0) return this.#beginStream()
      const magic = this.#read(24) * 0x100_0000 + this.#read(24)
      if (magic === BLOCK_MAGIC) yield* this.#block()
      else if (magic === END_MAGIC) this.#endStream()
      else throw new DecodeError('damaged: no block where one should be')
      return 'more'
    } catch (error) {
      if (error !== NEED_MORE) throw error
      throw new DecodeError(this.#ended ? 'truncated' : 'damaged: a block is too long')
    }
  }

  #beginStream(): 'more' | 'end' {
    if (this.#ended && this.#at === this.#input.length && this.#streams > 0) return 'end'
    const magic = String.fromCharCode(...this.#input.subarray(this.#at, this.#at + 3))
    const level = (this.#input[this.#at + 3] ?? 0) - 0x30
    if (magic !== STREAM_MAGIC || level < 1 || level > 9) {
      if (this.#ended && STREAM_MAGIC.startsWith(magic) && this.#input.length - this.#at < 4)
        throw new DecodeError('truncated')
      // Like bunzip2, ignore data after the last stream that do not begin another one.
      if (this.#streams > 0) {
        this.#at = this.#input.length
        return 'end'
      }
      throw new DecodeError('damaged: not a bzip2 stream')
    }
    this.#at += 4
    this.#level = level
    this.#streamCrc = 0
    return 'more'
  }

  #endStream(): void {
    const crc = this.#read(32)
    // The checksum is over all blocks, which are checked one by one too.
    if (crc !== this.#streamCrc && !this.#hasLost) throw new DecodeError("damaged: a stream's checksum does not match")
    // Continue at the next whole byte, which may already be in the bit buffer.
    this.#at -= this.#bitCount >> 3
    this.#bitCount = 0
    this.#bits = 0
    this.#level = 0
    this.#streams++
  }

  /** @param count - up to 32 */
  #read(count: number): number {
    if (count > 24) return this.#read(count - 16) * 0x1_0000 + this.#read(16)
    while (this.#bitCount < count) {
      if (this.#at >= this.#input.length) throw NEED_MORE
      this.#bits = (this.#bits << 8) | (this.#input[this.#at++] as number)
      this.#bitCount += 8
    }
    this.#bitCount -= count
    const value = (this.#bits >>> this.#bitCount) & (count === 0 ? 0 : 0xffff_ffff >>> (32 - count))
    // Keep only unused bits, so that the shift above never drops a set bit.
    this.#bits &= this.#bitCount === 0 ? 0 : 0xffff_ffff >>> (32 - this.#bitCount)
    return value >>> 0
  }

  *#block(): Generator<Uint8Array> {
    const crc = this.#read(32)
    if (this.#read(1) === 1) throw new DecodeError('not supported: a randomised block, of bzip2 before 0.9.5')
    const origin = this.#read(24)
    const count = this.#transformed(this.#alphabet())
    if (origin >= count) throw new DecodeError('damaged: a block begins outside of itself')
    let actual: number
    if (this.#isSalvaging) {
      // Nothing of a damaged block may get out.
      const pieces: Uint8Array[] = []
      const block = untransform(this.#symbols, origin, count)
      for (let step = block.next(); ; step = block.next()) {
        if (step.done) {
          actual = step.value
          break
        }
        pieces.push(step.value)
      }
      if (actual === crc) yield* pieces
    } else actual = yield* untransform(this.#symbols, origin, count)
    if (actual !== crc) throw new DecodeError("damaged: a block's checksum does not match")
    this.#streamCrc = (((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ crc) >>> 0
  }

  /** Read the list of bytes that occur in the block. */
  #alphabet(): Uint8Array {
    const used: number[] = []
    const ranges = this.#read(16)
    for (let range = 0; range < 16; range++) {
      if (!(ranges & (0x8000 >> range))) continue
      const bytes = this.#read(16)
      for (let byte = 0; byte < 16; byte++) if (bytes & (0x8000 >> byte)) used.push(range * 16 + byte)
    }
    if (used.length === 0) throw new DecodeError('damaged: a block of no bytes')
    return Uint8Array.from(used)
  }

  #selectors(tables: number): Uint8Array {
    const count = this.#read(15)
    if (count === 0) throw new DecodeError('damaged: a block without tables')
    const front = [0, 1, 2, 3, 4, 5].slice(0, tables)
    const selectors = new Uint8Array(Math.min(count, MAX_SELECTORS))
    for (let i = 0; i < count; i++) {
      let index = 0
      while (this.#read(1) === 1) if (++index >= tables) throw new DecodeError('damaged: a selector of a missing table')
      const table = front.splice(index, 1)[0] as number
      front.unshift(table)
      // Some encoders write more selectors than a block can use. Ignore the rest.
      if (i < selectors.length) selectors[i] = table
    }
    return selectors
  }

  #table(symbols: number): HuffmanTable {
    const lengths = new Uint8Array(symbols)
    let length = this.#read(5)
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (;;) {
        if (length < 1 || length > MAX_CODE_BITS) throw new DecodeError('damaged: a code is too long')
        if (this.#read(1) === 0) break
        length += this.#read(1) === 0 ? 1 : -1
      }
      lengths[symbol] = length
    }
    return new HuffmanTable(lengths)
  }

  /** Decode the symbols of a block into {@link #symbols}, one byte each. @returns their number */
  #transformed(front: Uint8Array): number {
    const end = front.length + 1
    const tableCount = this.#read(3)
    if (tableCount < 2 || tableCount > 6) throw new DecodeError('damaged: a wrong number of tables')
    const selectors = this.#selectors(tableCount)
    const tables = Array.from({ length: tableCount }, () => this.#table(end + 1))
    const limit = this.#level * LEVEL_BYTES
    // Only now, so that damage before costs no memory.
    if (this.#symbols.length < limit) this.#symbols = new Uint32Array(limit)
    const out = this.#symbols
    let count = 0
    let run = 0
    let place = 1
    let table = tables[0] as HuffmanTable
    for (let n = 0, group = 0; ; n--) {
      if (n === 0) {
        n = GROUP_SYMBOLS
        if (group >= selectors.length) throw new DecodeError('damaged: a block is longer than its tables')
        table = tables[selectors[group++] as number] as HuffmanTable
      }
      const symbol = this.#symbol(table)
      if (symbol <= RUNB) {
        run += symbol === RUNA ? place : 2 * place
        place *= 2
        if (run > limit) throw new DecodeError('damaged: a block is too long')
        continue
      }
      if (run > 0) {
        if (count + run > limit) throw new DecodeError('damaged: a block is too long')
        out.fill(front[0] as number, count, count + run)
        count += run
        run = 0
        place = 1
      }
      if (symbol === end) return count
      if (count >= limit) throw new DecodeError('damaged: a block is too long')
      const index = symbol - 1
      const byte = front[index] as number
      if (index < 16) for (let i = index; i > 0; i--) front[i] = front[i - 1] as number
      else front.copyWithin(1, 0, index)
      front[0] = byte
      out[count++] = byte
    }
  }

  #symbol(table: HuffmanTable): number {
    // Load at least twenty bits, or all that are left, since the input can end sooner.
    while (this.#bitCount < MAX_CODE_BITS && this.#at < this.#input.length) {
      this.#bits = (this.#bits << 8) | (this.#input[this.#at++] as number)
      this.#bitCount += 8
    }
    const { limits, bases, symbols, shortest, longest } = table
    for (let length = shortest; length <= longest; length++) {
      if (length > this.#bitCount) throw NEED_MORE
      const code = this.#bits >>> (this.#bitCount - length)
      if (code <= (limits[length] as number)) {
        this.#bitCount -= length
        this.#bits &= this.#bitCount === 0 ? 0 : 0xffff_ffff >>> (32 - this.#bitCount)
        return symbols[code - (bases[length] as number)] as number
      }
    }
    throw new DecodeError('damaged: an invalid code')
  }
}
