/** Decompression by Node's own libraries: they work in the thread pool, and check what the format has to check. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import { FluxError } from '../errors/index.ts'
import type { Reading } from './member.ts'

/** Bytes handed on at a time. */
export const CHUNK_BYTES = 256 << 10

/** Deflate without a frame around it, as in zip. */
export function inflateRaw(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Buffer> {
  return through(chunks, createInflateRaw({ chunkSize: CHUNK_BYTES }), reading)
}

/** What a transform of Node makes of the chunks, its errors in our words. */
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
  // The iteration below meets every failure; the callback is there because pipeline() wants one.
  pipeline(Readable.from(counted(), { objectMode: true, highWaterMark: 1 }), transform, () => {})
  try {
    for await (const chunk of transform) yield chunk
  } catch (error) {
    if (failure !== undefined) throw failure
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
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') return reading.error('EIO', 'the input was closed', about)
  return reading.error('EBADMSG', `damaged compressed data near compressed byte ${offset}: ${message}`, {
    cause: error,
  })
}
