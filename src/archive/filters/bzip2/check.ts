/** Checks that a stream written by the program `bzip2` belongs to the block that it was given. */
import { crc32 } from 'node:zlib'
import { END_MAGIC, LEVEL_BYTES, STREAM_MAGIC } from './layout.ts'

const END = BigInt(END_MAGIC)
/** Bits of the end magic and the checksum after it. */
const END_BITS = 80
/** Bytes that hold these bits at any bit offset. */
const TAIL_BYTES = END_BITS / 8 + 1

/** Each byte with its bits reversed: bzip2's CRC-32 is that of zip with reversed bits. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => reverse(byte, 8))

/**
 * Check the stream's header, and the checksum of the input at its end. Nothing is decompressed.
 *
 * @param level - 1 to 9: bzip2's blocks in units of 100,000 bytes
 * @param input - the input of the program
 * @param packed - its output
 * @returns what is wrong, as text that follows the program's name; undefined for a sound stream
 */
export function checkBzip2Stream(level: number, input: Uint8Array, packed: Uint8Array): string | undefined {
  const tail = Buffer.from(packed.subarray(-TAIL_BYTES))
  const isBegun = Buffer.from(packed.subarray(0, 4)).toString('latin1') === `${STREAM_MAGIC}${level}`
  const crc = isBegun ? streamCrc(tail) : undefined
  if (crc === undefined) return `wrote ${packed.length} bytes that are no whole bzip2 stream`
  return expectedCrcs(level, input).includes(crc) ? undefined : 'compressed other data than it was given'
}

/** The checksum at the end of a stream; undefined when the end is not there. */
function streamCrc(tail: Buffer): number | undefined {
  const bits = BigInt(`0x${tail.toString('hex') || '0'}`)
  for (let filled = 0n; filled < 8n; filled++) {
    const end = bits >> filled
    if (((end >> 32n) & 0xffff_ffff_ffffn) === END) return Number(end & 0xffff_ffffn)
  }
  return undefined
}

/**
 * The checksums that libbz2 may give a stream, computed from those of its blocks. A block ends at a fixed number of
 * bytes after runs are shortened, and a run that is not finished goes whole into the next block. If the input ends
 * exactly there, it depends on how the program calls libbz2 whether that run becomes a last block of its own.
 */
function expectedCrcs(level: number, input: Uint8Array): number[] {
  const most = level * LEVEL_BYTES - 19
  const reversed = new Uint8Array(input.length)
  let stream = 0
  let from = 0
  let inBlock = 0
  let byte = -1
  let run = 0
  for (let i = 0; i < input.length; i++) {
    if (inBlock >= most) {
      stream = combine(stream, reversed.subarray(from, i - run))
      from = i - run
      inBlock = 0
    }
    const next = input[i] as number
    reversed[i] = REVERSED[next] as number
    if (next === byte && run < 255) run++
    else {
      inBlock += run < 4 ? run : 5
      byte = next
      run = 1
    }
  }
  if (input.length === 0) return [0]
  const last = combine(stream, reversed.subarray(from))
  if (inBlock < most) return [last]
  const full = combine(stream, reversed.subarray(from, input.length - run))
  return [last, combine(full, reversed.subarray(input.length - run))]
}

function combine(stream: number, block: Uint8Array): number {
  const crc = reverse(crc32(block), 32)
  return (((stream << 1) | (stream >>> 31)) ^ crc) >>> 0
}

function reverse(value: number, bits: number): number {
  let reversed = 0
  for (let i = 0; i < bits; i++) reversed = (reversed << 1) | ((value >>> i) & 1)
  return reversed >>> 0
}
