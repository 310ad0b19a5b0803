import type { Readable, Writable } from 'node:stream'

/** Options of a connector. */
export interface ConnectOptions {
  /** The environment, for `FLUX_SSH` and the like. */
  env: NodeJS.ProcessEnv
  /** Ends the attempt. The error is that of `abortError`. */
  signal?: AbortSignal | undefined
}

/** Receives what a {@link Transport} reports. */
export interface TransportListener {
  /** Bytes have arrived. The listener owns the chunk: it is never written to again. */
  onData(chunk: Uint8Array): void
  /** More can be written, after {@link Transport.write} returned false. */
  onDrain(): void
  /**
   * The connection has ended; no further call follows.
   *
   * @param error - undefined when the peer closed it in good order
   */
  onClose(error: Error | undefined): void
}

/** A connection to a broker after the handshake. It carries bytes both ways. */
export interface Transport {
  /** Start to deliver incoming bytes to `listener`. */
  start(listener: TransportListener): void
  /**
   * Write all chunks, in one system call where possible.
   * @param written - called when the chunks may be changed again
   * @returns false when the caller should wait for `onDrain` before it writes more
   */
  write(chunks: readonly Uint8Array[], written: () => void): boolean
  /** Stop reading, so that the peer must wait. */
  pause(): void
  resume(): void
  /** Write what is queued, then close. May be called twice. */
  close(): Promise<void>
  /** Close at once. */
  destroy(): void
}

/** When we close, how long to wait for a peer that does not read what is queued. */
const CLOSE_WAIT_MS = 1000

/** A {@link Transport} over Node streams: a socket for both directions, or the two pipes of a child process. */
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
   * Wait for the first byte, by which the server says whether it admits us. Further bytes stay unread.
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
