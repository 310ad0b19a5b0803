/** What undoes compression. */
import { readFileSync } from 'node:fs'
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib'
import { Bzip2Decoder } from '../../../src/archive/filters/bzip2/decoder.ts'
import { DecodeError, type Decoder } from '../../../src/archive/filters/decoder.ts'
import { decode as gunzip } from '../../../src/archive/filters/gzip/decode.ts'
import type { Decode } from '../../../src/archive/filters/index.ts'
import { XzDecoder } from '../../../src/archive/filters/xz/decoder.ts'
import { decode as unzstd } from '../../../src/archive/filters/zstd/decode.ts'
import { ArchiveError } from '../../../src/archive/index.ts'
import { Reading } from '../../../src/archive/member.ts'
import { Lz4Stream, lz4DecodeBlock, lz4EncodeBlock } from '../../../src/bytes/index.ts'
import { sample } from '../../support/decoding.ts'
import { fixture } from '../../support/fixtures.ts'
import { assertSame, type Target } from '../target.ts'

/** Bytes that are decompressed of one input. Salvage does it in small pieces, each of which takes long. */
const MOST_OUTPUT = 1 << 20
const MOST_SALVAGED = 64 << 10

interface Output {
  bytes: number
  crc: number
  end: string
}

function decoderOutput(decoder: Decoder, chunks: readonly Buffer[], most = MOST_OUTPUT): Output {
  const output: Output = { bytes: 0, crc: 0, end: '' }
  const add = (pieces: Iterable<Uint8Array>) => {
    for (const piece of pieces) {
      output.crc = crc32(piece, output.crc)
      if ((output.bytes += piece.length) > most) return false
    }
    return true
  }
  try {
    for (const chunk of chunks) if (!add(decoder.push(Uint8Array.from(chunk)))) return output
    add(decoder.finish())
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    output.end = error.message
  }
  return output
}

function inPieces(input: Buffer): Buffer[] {
  const size = 1 + (crc32(input) % 100)
  const pieces: Buffer[] = []
  for (let at = 0; at < input.length; at += size) pieces.push(input.subarray(at, at + size))
  return pieces
}

const isExpected = (error: unknown) => error instanceof ArchiveError || error instanceof DecodeError

/** A stream whose blocks are short takes the least memory and time. */
function smallBlocks(stream: Buffer): Buffer {
  stream.write('1', 3)
  return stream
}

/** A few bytes of bzip2 can stand for millions, whose order takes a long time to find. */
const MOST_BZIP2_OUTPUT = 512 << 10

export const bzip2: Target = {
  name: 'bzip2',
  share: 0.25,
  // Work space for 900,000 bytes, for each of three decoders.
  budgetBytes: 64 << 20,
  tokens: [Buffer.from('314159265359', 'hex'), Buffer.from('177245385090', 'hex'), 'BZh1', 'BZh2'],
  seeds: () => [
    smallBlocks(readFileSync(fixture('archives', 'snapshot.tar.bz2'))),
    Buffer.from('425a683114eb6aa2000000000000', 'hex'),
    Buffer.from('QlpoMTFBWSZTWSekU7QAAAHfgAAQQAAAQAAACAAgACAAIZpoM00VFxdyRThQkCekU7Q=', 'base64'),
  ],
  run(input) {
    const read = (isSalvaging: boolean, pieces: readonly Buffer[]) =>
      decoderOutput(new Bzip2Decoder(isSalvaging), pieces, MOST_BZIP2_OUTPUT)
    assertSame(read(false, inPieces(input)), read(false, [input]), 'in pieces and in one')
    // Without the head of a stream, salvage needs room for the largest block.
    if (crc32(input) % 16 === 0) read(true, [input])
  },
  isExpected,
}

/** The checksums of the headers of the stream and of its first block. */
function fixXz(bytes: Buffer): void {
  if (bytes.length < 28) return
  bytes.writeUInt32LE(crc32(bytes.subarray(6, 8)), 8)
  const header = ((bytes[12] as number) + 1) * 4
  if (12 + header <= bytes.length) bytes.writeUInt32LE(crc32(bytes.subarray(12, 8 + header)), 8 + header)
}

export const xz: Target = {
  name: 'xz',
  // A dictionary of 8 MiB for each of two decoders, and again for each block.
  budgetBytes: 128 << 20,
  tokens: [
    '\xfd7zXZ\0',
    'YZ',
    Buffer.from('2101', 'hex'),
    Buffer.from([0x01]),
    Buffer.from([0xe0]),
    Buffer.from([0x80]),
  ],
  seeds: () => [readFileSync(fixture('archives', 'snapshot.tar.xz'))],
  fix: fixXz,
  run(input) {
    const whole = decoderOutput(new XzDecoder(), [input])
    assertSame(decoderOutput(new XzDecoder(), inPieces(input)), whole, 'in pieces and in one')
  },
  isExpected,
}

async function* chunksOf(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}

async function decodeSome(decode: Decode, name: string, input: Buffer, onLoss?: () => void): Promise<Output> {
  const output: Output = { bytes: 0, crc: 0, end: '' }
  try {
    for await (const piece of decode(chunksOf(input), new Reading('x', name, onLoss))) {
      output.crc = crc32(piece, output.crc)
      if ((output.bytes += piece.length) > (onLoss ? MOST_SALVAGED : MOST_OUTPUT)) break
    }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    output.end = error.message
  }
  return output
}

function nativeFilter(name: string, decode: Decode, parts: Pick<Target, 'tokens' | 'seeds'>): Target {
  return {
    name,
    budgetBytes: 64 << 20,
    // A stream goes to a thread and back several times.
    together: 16,
    ...parts,
    async run(input) {
      if (crc32(input) % 4 !== 0) await decodeSome(decode, name, input, () => {})
      else await decodeSome(decode, name, input)
    },
    isExpected,
  }
}

export const gzip = nativeFilter('gzip', gunzip, {
  tokens: [Buffer.from('1f8b08', 'hex'), Buffer.from('1f8b081c', 'hex')],
  seeds: () => [gzipSync('a'), gzipSync(sample(700)), Buffer.concat([gzipSync('a'), gzipSync('b'), Buffer.alloc(64)])],
})

export const zstd = nativeFilter('zstd', unzstd, {
  tokens: [Buffer.from('28b52ffd', 'hex'), Buffer.from('502a4d18', 'hex'), Buffer.from('5f2a4d18', 'hex')],
  seeds: () => {
    const frames = ['a', sample(700), Buffer.alloc(300_000)].map((bytes) => zstdCompressSync(bytes))
    return [...frames, Buffer.concat(frames), Buffer.from('502a4d18030000006162632 8b52ffd'.replace(' ', ''), 'hex')]
  },
})

/** The first two bytes are the expanded size. */
export const lz4: Target = {
  name: 'lz4',
  budgetBytes: 16 << 20,
  maxBytes: 2048,
  tokens: [Buffer.from([0xff, 0xff]), Buffer.from([0x0f, 1, 0, 0xff]), Buffer.from([0xf0, 0]), Buffer.from([0x10])],
  seeds: () =>
    [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(300, 'ab'), sample(900), Buffer.alloc(9000)].map((bytes) => {
      const packed = Buffer.alloc(bytes.length + 100)
      const length = lz4EncodeBlock(bytes, 0, bytes.length, packed, 2, packed.length - 2)
      packed.writeUInt16LE(bytes.length)
      return packed.subarray(0, 2 + length)
    }),
  run(input) {
    if (input.length < 2) return
    const size = input.readUInt16LE()
    const block = input.subarray(2)
    const [margin, guard] = [16, 0xaa]
    const target = Buffer.alloc(size + 2 * margin, guard)
    const isWhole = lz4DecodeBlock(block, 0, block.length, target, margin, size)
    const around = Buffer.concat([target.subarray(0, margin), target.subarray(margin + size)])
    assertSame(
      around.every((byte) => byte === guard),
      true,
      'nothing is written outside of the range',
    )
    const chunks = inPieces(block)
    const stream = new Lz4Stream(() => chunks.shift(), size)
    const pieces: Buffer[] = []
    for (let piece = stream.next(); piece; piece = stream.next()) pieces.push(Buffer.from(piece))
    assertSame(stream.isWhole, isWhole, 'a block is well formed')
    if (isWhole) assertSame(Buffer.concat(pieces).equals(target.subarray(margin, margin + size)), true, 'the bytes')
    // Any bytes come back after they were compressed.
    const packed = Buffer.alloc(input.length * 2 + 32)
    const length = lz4EncodeBlock(input, 0, input.length, packed, 0, packed.length)
    const back = Buffer.alloc(input.length)
    if (length > 0)
      assertSame(lz4DecodeBlock(packed, 0, length, back, 0, back.length) && back.equals(input), true, 'again')
  },
  isExpected: () => false,
}
