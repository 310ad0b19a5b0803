/** Holds the data of an archive while something that must be written before them is not known yet. */
import type { FileHandle } from 'node:fs/promises'
import { CHUNK_BYTES } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'
import { openNameless, temporaryError } from '../files/index.ts'

export interface Spool {
  /** Add to the end. One call at a time. */
  append(chunks: readonly Uint8Array[]): Promise<void>
  /** All data from the start, in pieces. A piece is valid until the next one is requested. */
  read(): AsyncIterable<Uint8Array>
  /** Release it. May be called at any time, also several times. Never throws. */
  close(): Promise<void>
}

/**
 * A temporary file without a name, so that nothing is left of it however the process ends. Created at the first append.
 */
export class TemporaryFile implements Spool {
  readonly #directory: string
  #handle: FileHandle | undefined
  #bytes = 0

  /** @param directory - a directory with enough room for all data */
  constructor(directory: string) {
    this.#directory = directory
  }

  async append(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      this.#handle ??= await openNameless(this.#directory)
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await this.#handle.write(chunk, at, chunk.length - at, this.#bytes)
          at += bytesWritten
          this.#bytes += bytesWritten
        }
      }
    } catch (error) {
      throw temporaryError(error, 'cannot write a temporary file in', this.#directory)
    }
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.#handle === undefined) return
    const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const
    // One buffer is filled while the caller writes the other.
    let next = this.#readAt(this.#handle, buffers[0], 0)
    for (let at = 0, turn = 1; at < this.#bytes; turn = 1 - turn) {
      const piece = await next
      at += piece.length
      if (at < this.#bytes) {
        next = this.#readAt(this.#handle, buffers[turn] as Buffer, at)
        // The next round awaits it, but the caller may stop before. Then a failure must not be an unhandled rejection.
        next.catch(() => {})
      }
      yield piece
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => {})
  }

  async #readAt(handle: FileHandle, buffer: Buffer, at: number): Promise<Uint8Array> {
    try {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw new FluxError('EIO', `the temporary file in ${this.#directory} has been cut short`)
      return buffer.subarray(0, bytesRead)
    } catch (error) {
      throw temporaryError(error, 'cannot read a temporary file in', this.#directory)
    }
  }
}

/** Bytes that {@link SpillingSpool} keeps in memory. */
const HELD_BYTES = 16 << 20

/** Keeps a little data in memory, and more in a temporary file. */
export class SpillingSpool implements Spool {
  readonly #file: TemporaryFile
  readonly #limit: number
  #chunks: Uint8Array[] = []
  #bytes = 0

  /** @param directory - directory of the temporary file, if one is needed */
  constructor(directory: string, limit = HELD_BYTES) {
    this.#file = new TemporaryFile(directory)
    this.#limit = limit
  }

  /** @param chunks - do not change them afterwards */
  async append(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      // zlib may return a small view of a large buffer. A copy frees the rest.
      this.#chunks.push(chunk.buffer.byteLength > 2 * chunk.length ? new Uint8Array(chunk) : chunk)
      this.#bytes += chunk.length
    }
    if (this.#bytes <= this.#limit) return
    const full = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    await this.#file.append(full)
  }

  async *read(): AsyncGenerator<Uint8Array> {
    yield* this.#file.read()
    yield* this.#chunks
  }

  async close(): Promise<void> {
    this.#chunks = []
    await this.#file.close()
  }
}
