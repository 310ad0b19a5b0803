/**
 * gzip (RFC 1952), compressed by several threads: the input is cut into blocks, each is deflated on its own with the last
 * 32 KiB of the one before as its dictionary, and the results are joined by empty stored blocks into one deflate stream in
 * one member. Any gunzip reads it, and the bytes do not depend on the number of threads. This is what pigz does.
 */
import { constants, crc32, deflateRaw } from 'node:zlib'
import type { Sink } from '../sink.ts'
import type { Filter, FilterOptions } from './filter.ts'

/** Input bytes deflated at a time: blocks this long compress as well as one stream, within a thousandth. */
const BLOCK_BYTES = 512 * 1024
const WINDOW_BYTES = 32 * 1024

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)

export class GzipFilter implements Filter {
  readonly #sink: Sink
  readonly #level: number
  readonly #threads: number
  readonly #pending: Promise<Uint8Array>[] = []
  #dictionary: Uint8Array = new Uint8Array()
  #crc = 0
  #bytes = 0
  #begun = false

  /** @param options.level - 1 (fast) to 9 (small) */
  constructor(sink: Sink, { level, threads }: FilterOptions) {
    this.#sink = sink
    this.#level = level
    this.#threads = threads
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
        const block = chunk.subarray(at, at + BLOCK_BYTES)
        this.#crc = crc32(block, this.#crc)
        this.#bytes += block.length
        this.#pending.push(this.#deflate(block, constants.Z_SYNC_FLUSH))
        this.#dictionary = block.length >= WINDOW_BYTES ? block.subarray(block.length - WINDOW_BYTES) : new Uint8Array()
        // One more than there are threads, so that none waits while a finished block is written.
        while (this.#pending.length > this.#threads) await this.#writeFirst()
      }
    }
  }

  async finish(): Promise<void> {
    this.#pending.push(this.#deflate(new Uint8Array(), constants.Z_FINISH))
    while (this.#pending.length > 0) await this.#writeFirst()
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#crc, 0)
    trailer.writeUInt32LE(this.#bytes % 0x1_0000_0000, 4)
    await this.#sink.write([trailer])
  }

  async #writeFirst(): Promise<void> {
    const block = (await this.#pending.shift()) as Uint8Array
    await this.#sink.write(this.#begun ? [block] : [HEADER, block])
    this.#begun = true
  }

  #deflate(block: Uint8Array, finishFlush: number): Promise<Uint8Array> {
    const dictionary = this.#dictionary.length > 0 ? { dictionary: this.#dictionary } : {}
    const result = new Promise<Uint8Array>((resolve, reject) => {
      deflateRaw(
        block,
        { level: this.#level, finishFlush, chunkSize: BLOCK_BYTES / 4, ...dictionary },
        (error, data) => (error ? reject(error) : resolve(data)),
      )
    })
    // A failure is met when its turn comes, which may be after another one's.
    result.catch(() => {})
    return result
  }
}
