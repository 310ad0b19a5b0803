/**
 * zstd (RFC 8878) as several frames in a row, each with its content size and a checksum, compressed in Node's thread
 * pool. Any zstd reads them as one file.
 */
import { constants, createZstdCompress, type ZstdCompress } from 'node:zlib'
import type { Sink } from '../../sink.ts'
import { type BlockCompressor, BlockFilter } from '../block-filter.ts'
import type { Filter, FilterOptions } from '../filter.ts'

/** Input bytes of a frame: twice the window of level 3. Archives are less than 1 % larger than as one frame. */
const BLOCK_BYTES = 4 << 20
const OUTPUT_BYTES = 1 << 20
/**
 * From this level on a block takes seconds. A call into the library cannot be interrupted, so each call gets a smaller
 * output buffer.
 */
const SLOW_LEVEL = 10
const SLOW_OUTPUT_BYTES = 64 << 10

export function openFilter(sink: Sink, options: FilterOptions): Filter {
  return new BlockFilter(sink, new ZstdCompressor(options.level), options)
}

export class ZstdCompressor implements BlockCompressor {
  readonly blockBytes = BLOCK_BYTES
  readonly #params: Record<number, number>
  readonly #outputBytes: number
  readonly #streams = new Set<ZstdCompress>()

  /** @param level - 1 (fast) to 19 (small) */
  constructor(level: number) {
    this.#outputBytes = level < SLOW_LEVEL ? OUTPUT_BYTES : SLOW_OUTPUT_BYTES
    const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
    this.#params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  }

  compress(block: Uint8Array): Promise<Uint8Array> {
    const options = { params: this.#params, chunkSize: this.#outputBytes, pledgedSrcSize: block.length }
    const stream = createZstdCompress(options)
    this.#streams.add(stream)
    const packed = new Promise<Uint8Array>((resolve, reject) => {
      const out: Buffer[] = []
      stream
        .on('data', (chunk: Buffer) => out.push(chunk))
        .on('end', () => resolve(Buffer.concat(out)))
        .on('error', (error) => reject(new Error(`zstd: ${error.message}`, { cause: error })))
        .on('close', () => reject(new Error('zstd: called off')))
      stream.end(block)
    })
    return packed.finally(() => this.#streams.delete(stream))
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
  }
}
