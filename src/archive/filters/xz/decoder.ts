/**
 * The .xz container (tukaani.org/xz/xz-file-format.txt, 1.2.1): streams of blocks, with an index of the blocks at the
 * end of each stream, and zero padding in multiples of four bytes between streams. All checksums are verified. Filters
 * other than LZMA2 (those for machine code) are refused.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { DecodeError, type Decoder } from '../decoder.ts'
import { Crc64 } from './crc64.ts'
import { FOOTER_MAGIC, FOOTER_MAGIC_AT, LZMA2_FILTER, STREAM_FRAME_BYTES, STREAM_MAGIC } from './layout.ts'
import { Lzma2 } from './lzma2.ts'

/** The largest accepted dictionary. `xz -9` uses 64 MiB; the format allows up to 4 GiB. */
const MAX_DICTIONARY_BYTES = 256 << 20

/** The integrity check of a block. */
interface Check {
  bytes: number
  update(chunk: Uint8Array): void
  /** The checksum as the file stores it. */
  digest(): Uint8Array
}

type Part = 'stream' | 'block' | 'chunks' | 'block-end' | 'index' | 'footer' | 'padding'

export class XzDecoder implements Decoder {
  #input: Buffer = Buffer.alloc(0)
  #at = 0
  #part: Part = 'stream'
  #flags = 0
  #checkBytes = 0
  #check: Check = newCheck(0)
  #lzma2 = new Lzma2(0)
  #headerBytes = 0
  #packed = 0
  #unpacked = 0
  #declared: { packed: number | undefined; unpacked: number | undefined } = { packed: undefined, unpacked: undefined }
  /** A hash of the expected index records, so that memory does not hold a record for each block. */
  #records = createHash('sha256')
  #blocks = 0
  #indexBytes = 0;

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    const rest = this.#input.subarray(this.#at)
    this.#input =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk])
    this.#at = 0
    for (;;) {
      const out = this.#step()
      if (out === undefined) return
      if (out.length > 0) yield out
    }
  }

  *finish(): Generator<Uint8Array> {
    yield* this.push(new Uint8Array())
    if (this.#part !== 'padding' || this.#at < this.#input.length) throw new DecodeError('truncated')
  }

  /** Decode one part. @returns its output, or undefined when more input is needed */
  #step(): Uint8Array | undefined {
    switch (this.#part) {
      case 'stream':
        return this.#stream()
      case 'block':
        return this.#block()
      case 'chunks':
        return this.#chunk()
      case 'block-end':
        return this.#blockEnd()
      case 'index':
        return this.#index()
      case 'footer':
        return this.#footer()
      case 'padding':
        return this.#padding()
    }
  }

  /** @returns the next `n` bytes, or undefined when there are fewer */
  #look(n: number): Buffer | undefined {
    return this.#at + n > this.#input.length ? undefined : this.#input.subarray(this.#at, this.#at + n)
  }

  #stream(): Uint8Array | undefined {
    const header = this.#look(STREAM_FRAME_BYTES)
    if (header === undefined) return undefined
    if (header.toString('latin1', 0, STREAM_MAGIC.length) !== STREAM_MAGIC)
      throw new DecodeError('damaged: no xz stream where one should be')
    verify(header.subarray(6, 8), header.readUInt32LE(8), "a stream's header")
    this.#flags = header.readUInt16BE(6)
    if (this.#flags > 0x0f) throw new DecodeError('not supported: a stream of an unknown kind')
    this.#checkBytes = newCheck(this.#flags).bytes
    this.#records = createHash('sha256')
    this.#blocks = 0
    this.#indexBytes = 0
    this.#at += STREAM_FRAME_BYTES
    this.#part = 'block'
    return NOTHING
  }

  #block(): Uint8Array | undefined {
    const first = this.#look(1)?.[0]
    if (first === undefined) return undefined
    if (first === 0) {
      this.#part = 'index'
      return NOTHING
    }
    const bytes = (first + 1) * 4
    const header = this.#look(bytes)
    if (header === undefined) return undefined
    verify(header.subarray(0, bytes - 4), header.readUInt32LE(bytes - 4), "a block's header")
    const fields = new Fields(header.subarray(0, bytes - 4), 2)
    const flags = header[1] as number
    if (flags & 0x3c) throw new DecodeError('not supported: a block of an unknown kind')
    const packed = flags & 0x40 ? fields.integer() : undefined
    const unpacked = flags & 0x80 ? fields.integer() : undefined
    const filter = fields.integer()
    const size = fields.integer()
    if ((flags & 3) !== 0 || filter !== LZMA2_FILTER || size !== 1) {
      throw new DecodeError('not supported: a filter other than LZMA2')
    }
    const bits = fields.byte()
    if (bits > 40) throw new DecodeError('damaged: a dictionary out of bounds')
    const dictionary = bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11)
    if (dictionary > MAX_DICTIONARY_BYTES) {
      throw new DecodeError(
        `not supported: a dictionary of ${Math.ceil(dictionary / 2 ** 20)} MiB, more than ${MAX_DICTIONARY_BYTES >> 20}`,
      )
    }
    this.#declared = { packed, unpacked }
    this.#lzma2 = new Lzma2(dictionary)
    this.#check = newCheck(this.#flags)
    this.#headerBytes = bytes
    this.#packed = 0
    this.#unpacked = 0
    this.#at += bytes
    this.#part = 'chunks'
    return NOTHING
  }

  #chunk(): Uint8Array | undefined {
    const length = Lzma2.chunkLength(this.#input, this.#at)
    if (length === undefined || this.#at + length > this.#input.length) return undefined
    const out = this.#lzma2.chunk(this.#input, this.#at)
    this.#at += length
    this.#packed += length
    if (out === undefined) {
      this.#part = 'block-end'
      return NOTHING
    }
    this.#unpacked += out.length
    this.#check.update(out)
    return out
  }

  #blockEnd(): Uint8Array | undefined {
    const padding = -this.#packed & 3
    const end = this.#look(padding + this.#checkBytes)
    if (end === undefined) return undefined
    const { packed = this.#packed, unpacked = this.#unpacked } = this.#declared
    const padded = end.subarray(0, padding).every((byte) => byte === 0)
    if (!padded || packed !== this.#packed || unpacked !== this.#unpacked) {
      throw new DecodeError('damaged: a block of another size than its header says')
    }
    if (Buffer.compare(this.#check.digest(), end.subarray(padding)) !== 0) {
      throw new DecodeError("damaged: a block's checksum does not match")
    }
    this.#at += end.length
    this.#records.update(`${this.#headerBytes + this.#packed + this.#checkBytes} ${this.#unpacked}\n`)
    this.#blocks++
    this.#part = 'block'
    return NOTHING
  }

  /** The index is parsed in one go: it has a few bytes for each block, and there are few blocks. */
  #index(): Uint8Array | undefined {
    const fields = new Fields(this.#input, this.#at + 1)
    try {
      const count = fields.integer()
      if (count !== this.#blocks) throw new DecodeError('damaged: an index of other blocks')
      const records = createHash('sha256')
      for (let i = 0; i < count; i++) records.update(`${fields.integer()} ${fields.integer()}\n`)
      // A copy, because the index is parsed again if the checksum after it has not arrived yet.
      const expected = this.#records.copy().digest()
      if (!records.digest().equals(expected)) throw new DecodeError('damaged: an index of other blocks')
    } catch (error) {
      if (error !== SHORT) throw error
      return undefined
    }
    const bytes = Math.ceil((fields.at - this.#at) / 4) * 4
    const index = this.#look(bytes + 4)
    if (index === undefined) return undefined
    verify(index.subarray(0, bytes), index.readUInt32LE(bytes), 'the index')
    this.#indexBytes = index.length
    this.#at += index.length
    this.#part = 'footer'
    return NOTHING
  }

  #footer(): Uint8Array | undefined {
    const footer = this.#look(STREAM_FRAME_BYTES)
    if (footer === undefined) return undefined
    verify(footer.subarray(4, 10), footer.readUInt32LE(0), "a stream's footer")
    const indexBytes = (footer.readUInt32LE(4) + 1) * 4
    if (
      footer.toString('latin1', FOOTER_MAGIC_AT) !== FOOTER_MAGIC ||
      footer.readUInt16BE(8) !== this.#flags ||
      indexBytes !== this.#indexBytes
    ) {
      throw new DecodeError("damaged: a stream's footer does not match")
    }
    this.#at += STREAM_FRAME_BYTES
    this.#part = 'padding'
    return NOTHING
  }

  /** Zeros in multiples of four bytes, then another stream or the end. */
  #padding(): Uint8Array | undefined {
    const four = this.#look(4)
    if (four === undefined) return undefined
    if (four.readUInt32LE() === 0) this.#at += 4
    else this.#part = 'stream'
    return NOTHING
  }
}

const NOTHING = new Uint8Array()
/** Thrown when a number is not complete yet. */
const SHORT = new DecodeError('damaged: a header is too short')

/** Reads multibyte integers (section 1.2): seven bits in each byte, the highest bit clear in the last byte. */
export class Fields {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw SHORT
    return byte
  }

  integer(): number {
    let value = 0
    for (let i = 0; i < 9; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    throw new DecodeError('damaged: a number without an end')
  }
}

function verify(bytes: Uint8Array, crc: number, what: string): void {
  if (crc32(bytes) !== crc) throw new DecodeError(`damaged: the checksum of ${what} does not match`)
}

function newCheck(kind: number): Check {
  switch (kind) {
    case 0:
      return { bytes: 0, update: () => {}, digest: () => NOTHING }
    case 1: {
      let crc = 0
      const digest = () => {
        const bytes = Buffer.alloc(4)
        bytes.writeUInt32LE(crc)
        return bytes
      }
      return { bytes: 4, update: (chunk) => void (crc = crc32(chunk, crc)), digest }
    }
    case 4: {
      const crc = new Crc64()
      return { bytes: 8, update: (chunk) => crc.update(chunk), digest: () => crc.digest() }
    }
    case 10: {
      const hash = createHash('sha256')
      return { bytes: 32, update: (chunk) => void hash.update(chunk), digest: () => hash.digest() }
    }
  }
  throw new DecodeError('not supported: a checksum of an unknown kind')
}
