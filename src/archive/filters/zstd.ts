/**
 * zstd (RFC 8878) as frames one after another, each with its size and a checksum, compressed in Node's thread pool. Any
 * zstd reads them as one file.
 */
import { constants, zstdCompress } from 'node:zlib'
import type { BlockCompressor } from './block-filter.ts'

/** Input bytes of a frame: twice the window of level 3, and within a hundredth of one frame's size. */
const BLOCK_BYTES = 4 << 20
const OUTPUT_BYTES = 1 << 20

export class ZstdCompressor implements BlockCompressor {
  readonly blockBytes = BLOCK_BYTES
  readonly #params: Record<number, number>

  /** @param level - 1 (fast) to 19 (small) */
  constructor(level: number) {
    const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
    this.#params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  }

  compress(block: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      zstdCompress(
        block,
        { params: this.#params, chunkSize: OUTPUT_BYTES, pledgedSrcSize: block.length },
        (error, data) => {
          if (error === null) resolve(data)
          else reject(new Error(`zstd: ${error.message}`, { cause: error }))
        },
      )
    })
  }
}
