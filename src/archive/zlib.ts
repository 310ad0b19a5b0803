/** Decompression by Node's own libraries. They work in the thread pool, and verify the checksums of their formats. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import { FluxError } from '../errors/index.ts'
import type { Reading } from './member.ts'

/** Bytes of a decompressed chunk. */
export const CHUNK_BYTES = 256 << 10

/** With damage, Node drops the chunk that it was filling: small ones lose less. */
const SALVAGED_CHUNK_BYTES = 1024

/** How large a chunk should be. */
export function chunkBytes({ isSalvaging }: Reading): number {
  return isSalvaging ? SALVAGED_CHUNK_BYTES : CHUNK_BYTES
}

/** Decompress raw deflate data (RFC 1951), as in zip. */
export function inflateRaw(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Buffer> {
  return through(chunks, createInflateRaw({ chunkSize: CHUNK_BYTES }), reading)
}

/** Pass chunks through a Node transform. Its errors become {@link ArchiveError}s. */
export async function* through(
  chunks: AsyncIterable<Uint8Array>,
  transform: Transform,
  reading: Reading,
): AsyncGenerator<Buffer> {
  let offset = 0
  let failure: unknown
  async function* counted() {
    try {
      for await (const chunk of chunks) {
        yield chunk
        offset += chunk.length
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  // The loop below handles every failure. The callback is empty, but pipeline() requires one.
  pipeline(Readable.from(counted(), { objectMode: true, highWaterMark: 1 }), transform, () => {})
  try {
    for await (const chunk of transform) yield chunk
  } catch (error) {
    // Node throws an error of the transform into the generator too, so only our own say that the input failed.
    if (failure instanceof FluxError) throw failure
    if (error instanceof FluxError) throw error
    throw zlibError(error as NodeJS.ErrnoException, reading, offset)
  }
}

function zlibError(error: NodeJS.ErrnoException, reading: Reading, offset: number): FluxError {
  const about = { cause: error, offset }
  const { code = '', message } = error
  if (code === 'Z_BUF_ERROR' || /unexpected end/.test(message)) {
    return reading.error('EBADMSG', 'truncated: the compressed data ends too early', { cause: error })
  }
  if (/too much memory|windowTooLarge/.test(message + code)) {
    return reading.error('ENOTSUP', 'is compressed with a window of more than 128 MiB, which is not supported', about)
  }
  return reading.error('EBADMSG', `damaged compressed data near compressed byte ${offset}: ${message}`, {
    cause: error,
  })
}
