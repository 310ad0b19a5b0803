/**
 * Where the bytes of an archive come from: a file, which can be read at any offset, or a pipe, which can be read once.
 */
import { fstat, read } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { abortError, FluxError, throwIfAborted } from '../errors/index.ts'
import { openFifo, openNameless, temporaryError } from '../files/index.ts'

/** Bytes requested at a time. */
const CHUNK_BYTES = 256 << 10

/**
 * The rest of a buffer after a short read is used for the next one, unless it is smaller than this. A pipe returns at
 * most 64 KiB.
 */
const SLACK_BYTES = 64 << 10

/**
 * Longest wait before an empty non-blocking pipe is tried again, in milliseconds. The first wait is one millisecond.
 */
const RETRY_MS = 5

export class Source implements AsyncDisposable {
  /** Its name in errors. */
  readonly name: string
  /** Bytes of the file; undefined for a pipe or a device. */
  readonly size: number | undefined
  readonly isDirectory: boolean
  /** Bytes read so far. */
  bytesRead = 0
  readonly #fd: number
  readonly #handle: FileHandle | undefined
  readonly #signal: AbortSignal | undefined
  #reading: Promise<unknown> = Promise.resolve()

  private constructor(
    name: string,
    fd: number,
    handle: FileHandle | undefined,
    size: number | undefined,
    isDirectory: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.name = name
    this.#fd = fd
    this.#handle = handle
    this.size = size
    this.isDirectory = isDirectory
    this.#signal = signal
  }

  /**
   * @param path - `-` is standard input, which is not closed at the end
   * @throws {FluxError} with the errno of the file system, naming `path`
   */
  static async open(path: string, signal?: AbortSignal): Promise<Source> {
    const name = path === '-' ? 'standard input' : path
    try {
      const handle = path === '-' ? undefined : await openToRead(path, signal)
      if (signal?.aborted) await handle?.close()
      throwIfAborted(signal)
      const fd = handle?.fd ?? 0
      const stats = await promisify(fstat)(fd)
      return new Source(name, fd, handle, stats.isFile() ? stats.size : undefined, stats.isDirectory(), signal)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot open ${name}`)
    }
  }

  /** All bytes once, in order. The next read runs while the caller uses the last chunk. */
  async *chunks(): AsyncGenerator<Buffer> {
    let slab = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    let used = 0
    const begin = () => {
      if (slab.length - used < SLACK_BYTES) {
        slab = Buffer.allocUnsafeSlow(CHUNK_BYTES)
        used = 0
      }
      const target = slab.subarray(used)
      const reading = this.#read(target, null).then((length) => {
        used += length
        return target.subarray(0, length)
      })
      // A failure is handled when this read is awaited. Until then it must not be an unhandled rejection.
      reading.catch(() => {})
      return reading
    }
    for (let reading = begin(); ; ) {
      const chunk = await reading
      if (chunk.length === 0) return
      this.bytesRead += chunk.length
      reading = begin()
      yield chunk
    }
  }

  /** Read a file at `offset`. @returns fewer than `length` bytes only at the end of the file */
  async readAt(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length)
    let at = 0
    while (at < length) {
      const read = await this.#read(bytes.subarray(at), offset + at)
      if (read === 0) break
      at += read
    }
    this.bytesRead += at
    return bytes.subarray(0, at)
  }

  /**
   * Copy the rest of a pipe to a temporary file, for formats that need random access. The file has no name, and ends
   * with the process.
   *
   * @throws {FluxError} naming the directory, e.g. `ENOSPC`
   */
  static async spool(chunks: AsyncIterable<Uint8Array>, name: string, signal?: AbortSignal): Promise<Source> {
    let handle: FileHandle | undefined
    try {
      handle = await openNameless(tmpdir())
      let size = 0
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten
        size += chunk.length
      }
      return new Source(name, handle.fd, handle, size, false, signal)
    } catch (error) {
      await handle?.close()
      throw temporaryError(error, `cannot copy ${name} to a temporary file in`, tmpdir())
    }
  }

  /**
   * Close the file after the pending read, which would otherwise use the descriptor of another file. The read of a pipe
   * may never end, so nothing waits for it.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const close = () => this.#handle?.close().catch(() => {})
    if (this.size === undefined) void this.#reading.then(close)
    else await this.#reading.then(close)
  }

  /**
   * Does not read through the handle, as standard input has none. A read of a pipe cannot be cancelled: after an abort
   * it is abandoned.
   */
  #read(into: Buffer, position: number | null): Promise<number> {
    const signal = this.#signal
    let settle = () => {}
    this.#reading = Promise.all([this.#reading, new Promise<void>((resolve) => (settle = resolve))])
    return new Promise((resolve, reject) => {
      const interrupt = () => reject(abortError(signal as AbortSignal))
      if (signal?.aborted) {
        settle()
        return interrupt()
      }
      signal?.addEventListener('abort', interrupt, { once: true })
      let tries = 0
      const attempt = () =>
        read(this.#fd, into, 0, into.length, position, (error, length) => {
          if (error?.code === 'EAGAIN' && !signal?.aborted) {
            return setTimeout(attempt, Math.min(++tries, RETRY_MS))
          }
          settle()
          signal?.removeEventListener('abort', interrupt)
          if (error === null) resolve(length)
          else reject(FluxError.fromSystem(error, `cannot read ${this.name}`))
        })
      attempt()
    })
  }
}

async function openToRead(path: string, signal: AbortSignal | undefined): Promise<FileHandle> {
  return (await stat(path)).isFIFO() ? openFifo(path, 'read', signal) : open(path, 'r')
}
