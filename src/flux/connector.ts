import type { Readable, Writable } from 'node:stream'

/** What a connector may be told. */
export interface ConnectOptions {
  /** Where `FLUX_SSH` and the like are looked up. */
  env: NodeJS.ProcessEnv
  /** Gives up, with what the signal was aborted for as cause. */
  signal?: AbortSignal | undefined
}

/** Whoever uses a connection. */
export interface TransportListener {
  /** A run of bytes, which is the listener's from now on: it is not written to again. */
  onData(chunk: Uint8Array): void
  /** More can be written, after {@link Transport.write} has answered false. */
  onDrain(): void
  /** The connection is gone; nothing is called after this. Undefined when the peer closed it in good order. */
  onClose(error: Error | undefined): void
}

/** A connection to a broker, after the handshake: bytes both ways. */
export interface Transport {
  /** Begin to deliver what arrives. */
  start(listener: TransportListener): void
  /**
   * Write all chunks, with one system call where the system takes them.
   * @param written - called once they may be changed again
   * @returns false when the caller should wait for `onDrain` before it writes more
   */
  write(chunks: readonly Uint8Array[], written: () => void): boolean
  /** Stop reading, so that the peer has to wait. */
  pause(): void
  resume(): void
  /** Write what is queued, then close. Calling it twice does no harm. */
  close(): Promise<void>
  /** Close at once. */
  destroy(): void
}

/** A peer that does not take what is queued is not waited for longer than this when we close. */
const CLOSE_WAIT_MS = 1000

/** A {@link Transport} over Node streams: a socket is both of them, a child process has one of each. */
export class StreamTransport implements Transport {
  readonly #readable: Readable
  readonly #writable: Writable
  #listener: TransportListener | undefined
  #error: Error | undefined
  #closed = false
  readonly #whenClosed = Promise.withResolvers<void>()

  constructor(readable: Readable, writable: Writable) {
    this.#readable = readable
    this.#writable = writable
    readable.on('error', (error) => this.#fail(error))
    readable.on('end', () => this.destroy())
    readable.on('close', () => this.#close())
    if ((writable as unknown) !== readable) writable.on('error', (error) => this.#fail(error))
    writable.on('drain', () => this.#listener?.onDrain())
  }

  /**
   * Wait for the first byte, with which the server says whether it lets us in. What comes after it stays unread.
   *
   * @returns the byte; undefined when the stream ended before it
   */
  async handshake(signal?: AbortSignal): Promise<number | undefined> {
    const readable = this.#readable
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    const onReadable = () => {
      const first = readable.read(1) as Buffer | null
      if (first) resolve(first[0])
    }
    const onAbort = () => reject(signal?.reason)
    readable.on('readable', onReadable)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    try {
      return await Promise.race([promise, this.#whenClosed.promise.then(() => undefined)])
    } finally {
      readable.off('readable', onReadable)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  start(listener: TransportListener): void {
    this.#listener = listener
    if (this.#closed) {
      queueMicrotask(() => listener.onClose(this.#error))
      return
    }
    this.#readable.on('data', (chunk: Buffer) => this.#listener?.onData(chunk))
    this.#readable.resume()
  }

  write(chunks: readonly Uint8Array[], written: () => void): boolean {
    const writable = this.#writable
    if (!writable.writable) return false
    if (chunks.length === 1) return writable.write(chunks[0], written)
    writable.cork()
    chunks.forEach((chunk, i) => {
      if (i === chunks.length - 1) writable.write(chunk, written)
      else writable.write(chunk)
    })
    writable.uncork()
    return !writable.writableNeedDrain
  }

  pause(): void {
    this.#readable.pause()
  }

  resume(): void {
    this.#readable.resume()
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#listener = undefined
      // Unread data would keep the stream from closing.
      this.#readable.resume()
      const timer = setTimeout(() => this.destroy(), CLOSE_WAIT_MS)
      this.#writable.end(() => this.destroy())
      await this.#whenClosed.promise
      clearTimeout(timer)
    }
  }

  destroy(): void {
    this.#readable.destroy()
    this.#writable.destroy()
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.destroy()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#whenClosed.resolve()
    this.#listener?.onClose(this.#error)
    this.#listener = undefined
  }
}
