/**
 * Decompresses zstd (RFC 8878) with Node's libzstd, frame by frame. Node's stream ends after the first frame without an
 * error, even if it is a skippable one or more frames follow.
 */
import { createZstdDecompress } from 'node:zlib'
import { Input } from '../../input.ts'
import type { Reading } from '../../member.ts'
import { untilDamage } from '../../mend.ts'
import { chunkBytes, through } from '../../zlib.ts'
import { FRAME_MAGIC, MAX_BLOCK_BYTES, RLE_BLOCK, SKIPPABLE_MAGIC } from './layout.ts'

export async function* decode(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Buffer> {
  const input = new Input(chunks)
  try {
    while (await input.fill(1)) {
      if (!(await input.fill(8))) throw truncated(reading)
      const magic = input.buffer.readUInt32LE(input.position)
      if (magic === FRAME_MAGIC) {
        const bytes = frame(input, reading)
        // What came before damage is decompressed too.
        const whole = reading.isSalvaging ? untilDamage(bytes, reading) : bytes
        yield* through(whole, createZstdDecompress({ chunkSize: chunkBytes(reading) }), reading)
      } else if (magic >>> 4 === SKIPPABLE_MAGIC) {
        const size = 8 + input.buffer.readUInt32LE(input.position + 4)
        if ((await input.skip(size)) < size) throw truncated(reading)
      } else {
        throw reading.error('EBADMSG', `damaged compressed data: no frame at compressed byte ${input.offset}`)
      }
    }
  } finally {
    await input.close()
  }
}

/** The bytes of one frame: its header, its blocks (RFC 8878, 3.1.1), and a checksum if it has one. */
async function* frame(input: Input, reading: Reading): AsyncGenerator<Uint8Array> {
  const take = async (n: number) => {
    const bytes = await input.take(n)
    if (bytes.length < n) throw truncated(reading)
    return bytes
  }
  const start = await take(5)
  yield start
  const flags = start[4] as number
  const singleSegment = (flags >> 5) & 1
  const contentSize = [singleSegment, 2, 4, 8][flags >> 6] as number
  const dictionary = [0, 1, 2, 4][flags & 3] as number
  const header = (singleSegment ? 0 : 1) + dictionary + contentSize
  if (header > 0) yield await take(header)
  for (let last = false; !last; ) {
    if (!(await input.fill(3))) throw truncated(reading)
    const first = blockAt(input, input.position)
    if (first === undefined) throw reading.error('EBADMSG', 'damaged compressed data: a block is too long')
    if (!(await input.fill(first.bytes))) throw truncated(reading)
    // Pass on all loaded blocks together: passing on each alone costs as much as decompressing it.
    const from = input.position
    while (!last && input.ready(3)) {
      const block = blockAt(input, input.position)
      // A damaged one fails above, after those before it were passed on.
      if (block === undefined || !input.ready(block.bytes)) break
      input.position += block.bytes
      last = block.last
      if (input.available === 0) break
    }
    yield input.buffer.subarray(from, input.position)
  }
  if (flags & 4) yield await take(4)
}

/** The size of a block with its header, whose three bytes are at `at` in the buffer; undefined for a damaged one. */
function blockAt(input: Input, at: number): { bytes: number; last: boolean } | undefined {
  const fields = input.buffer.readUIntLE(at, 3)
  const size = fields >> 3
  if (size > MAX_BLOCK_BYTES) return undefined
  return { bytes: 3 + (((fields >> 1) & 3) === RLE_BLOCK ? 1 : size), last: (fields & 1) === 1 }
}

function truncated(reading: Reading): Error {
  return reading.error('EBADMSG', 'truncated: the compressed data ends too early')
}
