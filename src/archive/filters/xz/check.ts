/** Checks that a stream written by the program `xz` belongs to the block that it was given. */
import { crc32 } from 'node:zlib'
import { DecodeError } from '../decoder.ts'
import { Crc64 } from './crc64.ts'
import { Fields } from './decoder.ts'
import { CHECK_CRC64, FOOTER_MAGIC, FOOTER_MAGIC_AT, STREAM_FRAME_BYTES, STREAM_MAGIC } from './layout.ts'

const STREAM_HEADER = Buffer.from([...Buffer.from(STREAM_MAGIC, 'latin1'), 0, CHECK_CRC64])
const CHECK_BYTES = 8

/**
 * Check header, index and footer, and the CRC-64 of each block, which the program computed from its input. Nothing is
 * decompressed.
 *
 * @param input - the input of the program
 * @param packed - its output
 * @returns what is wrong, as text that follows the program's name; undefined for a sound stream
 * @see tukaani.org/xz/xz-file-format.txt, 1.2.1
 */
export function checkXzStream(input: Uint8Array, packed: Uint8Array): string | undefined {
  const stream = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const footer = stream.subarray(-STREAM_FRAME_BYTES)
  const isWhole =
    stream.length >= 2 * STREAM_FRAME_BYTES &&
    stream.subarray(0, STREAM_HEADER.length).equals(STREAM_HEADER) &&
    footer.toString('latin1', FOOTER_MAGIC_AT) === FOOTER_MAGIC &&
    footer.readUInt32LE(0) === crc32(footer.subarray(4, 10))
  if (!isWhole) return `wrote ${stream.length} bytes that are no whole xz stream`
  const indexBytes = (footer.readUInt32LE(4) + 1) * 4
  const indexAt = stream.length - STREAM_FRAME_BYTES - indexBytes
  if (indexAt < STREAM_FRAME_BYTES) return 'wrote an xz stream that lacks its blocks'
  const index = stream.subarray(indexAt, indexAt + indexBytes)
  if (crc32(index.subarray(0, -4)) !== index.readUInt32LE(indexBytes - 4)) return 'wrote a damaged index'
  try {
    return checkBlocks(input, stream.subarray(STREAM_FRAME_BYTES, indexAt), new Fields(index.subarray(0, -4), 1))
  } catch (error) {
    if (error instanceof DecodeError) return 'wrote a damaged index'
    throw error
  }
}

function checkBlocks(input: Uint8Array, blocks: Buffer, index: Fields): string | undefined {
  let blockEnd = 0
  let inputAt = 0
  for (let count = index.integer(); count > 0; count--) {
    blockEnd += Math.ceil(index.integer() / 4) * 4
    const inputEnd = inputAt + index.integer()
    if (blockEnd > blocks.length) return 'wrote an xz stream that lacks a part of its blocks'
    const crc = new Crc64()
    crc.update(input.subarray(inputAt, inputEnd))
    const check = blocks.subarray(blockEnd - CHECK_BYTES, blockEnd)
    if (inputEnd <= input.length && !check.equals(crc.digest())) return 'wrote other data than it was given'
    inputAt = inputEnd
  }
  if (inputAt !== input.length) return `compressed ${inputAt} of the ${input.length} bytes that it was given`
  return blockEnd === blocks.length ? undefined : 'wrote more blocks than its index names'
}
