/**
 * Deflate (RFC 1951) by several threads, as pigz does it. The input is cut into blocks. Each block is deflated on its
 * own, with the last 32 KiB of the block before as its dictionary, and empty stored blocks join the results into one
 * deflate stream. Any inflate reads it, and the bytes do not depend on the number of threads.
 */
import { constants, crc32, deflateRaw } from 'node:zlib'

/** Input bytes of a block. Blocks of this size compress to within 0.1 % of the size of one stream. */
const BLOCK_BYTES = 512 * 1024
const WINDOW_BYTES = 32 * 1024

export interface DeflateOptions {
  /** 1 (fast) to 9 (small). */
  level: number
  /** Blocks deflated at the same time. More than the size of Node's thread pool gains nothing. */
  threads: number
}

export class DeflateBlocks {
  readonly #level: number
  readonly #threads: number
  readonly #emit: (block: Uint8Array) => Promise<void>
  readonly #pending: Promise<Uint8Array>[] = []
  #dictionary: Uint8Array = new Uint8Array()
  #crc = 0
  #bytes = 0

  /** @param emit - receives the stream, one piece at a time, in order */
  constructor({ level, threads }: DeflateOptions, emit: (block: Uint8Array) => Promise<void>) {
    this.#level = level
    this.#threads = threads
    this.#emit = emit
  }

  /** CRC-32 of the input so far. */
  get crc(): number {
    return this.#crc
  }

  /** Bytes of the input so far. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * @param chunk - do not change it afterwards. Block borders depend on chunk borders, so equal output needs equal
   *   chunks.
   */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      const block = chunk.subarray(at, at + BLOCK_BYTES)
      this.#crc = crc32(block, this.#crc)
      this.#bytes += block.length
      this.#pending.push(this.#deflate(block, constants.Z_SYNC_FLUSH))
      this.#dictionary = block.length >= WINDOW_BYTES ? block.subarray(block.length - WINDOW_BYTES) : new Uint8Array()
      // One more block than threads, so that no thread is idle while a finished block is written.
      while (this.#pending.length > this.#threads) await this.#emitFirst()
    }
  }

  /** End the stream. Settles when all of it has been emitted. */
  async finish(): Promise<void> {
    this.#pending.push(this.#deflate(new Uint8Array(), constants.Z_FINISH))
    while (this.#pending.length > 0) await this.#emitFirst()
  }

  async #emitFirst(): Promise<void> {
    await this.#emit((await this.#pending.shift()) as Uint8Array)
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
    // #emitFirst() handles a failure when this block's turn comes. Until then it must not be an unhandled rejection.
    result.catch(() => {})
    return result
  }
}
