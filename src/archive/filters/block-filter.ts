/**
 * What filters have in common whose files may be several streams (or frames) one after another: the input is cut at fixed
 * places, each block is compressed on its own, several at once, and the results are written in order. So the bytes depend
 * on the input alone, not on how many threads there are or how the input came.
 */
import { abortError, FluxError, InterruptedError } from '../../errors/index.ts'
import type { Sink } from '../sink.ts'
import type { Filter, FilterOptions } from './filter.ts'

/** Compresses blocks, each into a whole stream. */
export interface BlockCompressor {
  /** Bytes of input in all blocks but the last. */
  readonly blockBytes: number
  /**
   * @param block - with all of its buffer, the compressor's from now on
   * @throws {Error} whose message says what compresses and what is wrong
   */
  compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  /** Let go of threads and the like, and of what they are at. No block comes after it. Never throws. */
  close?(): Promise<void>
}

export class BlockFilter implements Filter {
  readonly #sink: Sink
  readonly #compressor: BlockCompressor
  readonly #threads: number
  readonly #name: string
  /** Blocks begun and not written yet, in order. */
  readonly #pending: Promise<Uint8Array>[] = []
  /** How many are being compressed, and what those that are not wait for. */
  #running = 0
  readonly #waiting: (() => void)[] = []
  #block: Uint8Array<ArrayBuffer> | undefined
  #used = 0
  #begun = false
  #closed: Promise<void> | undefined
  /** Calls off the wait for a block. */
  #callOff: (error: Error) => void = () => {}
  readonly #signal: AbortSignal | undefined
  readonly #onSignal = () => void this.abort()

  constructor(sink: Sink, compressor: BlockCompressor, { threads, name, signal }: FilterOptions) {
    this.#sink = sink
    this.#compressor = compressor
    this.#threads = threads
    this.#name = name
    this.#signal = signal
    signal?.addEventListener('abort', this.#onSignal)
    if (signal?.aborted) this.#onSignal()
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { blockBytes } = this.#compressor
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        this.#block ??= new Uint8Array(blockBytes)
        const part = chunk.subarray(at, at + blockBytes - this.#used)
        this.#block.set(part, this.#used)
        this.#used += part.length
        at += part.length
        if (this.#used === blockBytes) await this.#begin()
      }
    }
  }

  async finish(): Promise<void> {
    // No input at all is a stream too: an empty one.
    if (this.#used > 0 || !this.#begun) await this.#begin()
    while (this.#pending.length > 0) await this.#writeFirst()
    await this.abort()
  }

  abort(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onSignal)
    this.#callOff(this.#calledOff)
    this.#closed ??= Promise.resolve(this.#compressor.close?.())
    return this.#closed
  }

  /** Why nothing more is compressed, once it is closed. */
  get #calledOff(): FluxError {
    return this.#signal?.aborted ? abortError(this.#signal) : new InterruptedError()
  }

  async #begin(): Promise<void> {
    const { blockBytes } = this.#compressor
    const block = this.#used === blockBytes ? this.#block : this.#block?.slice(0, this.#used)
    this.#block = undefined
    this.#used = 0
    this.#begun = true
    const result = this.#compress(block ?? new Uint8Array())
    // A failure is met when its turn comes, which may be after another one's.
    result.catch(() => {})
    this.#pending.push(result)
    // Twice as many as there are threads, so that none waits for the slowest.
    while (this.#pending.length >= 2 * this.#threads) await this.#writeFirst()
  }

  async #writeFirst(): Promise<void> {
    const result = this.#pending.shift() as Promise<Uint8Array>
    const packed = await new Promise<Uint8Array>((resolve, reject) => {
      this.#callOff = reject
      result.then(resolve, reject)
    })
    await this.#sink.write([packed])
  }

  /** An error of a compressor, which does not know what it is compressing. */
  #named(error: unknown): FluxError {
    const what = `cannot write ${this.#name}`
    if (!(error instanceof FluxError)) return FluxError.fromSystem(error, what)
    return new FluxError(error.code, `${what}: ${error.message}`, { cause: error, hint: error.hint })
  }

  async #compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#running < this.#threads) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (this.#closed) throw this.#calledOff
      return await this.#compressor.compress(block)
    } catch (error) {
      // What was called off fails in some way or other.
      throw this.#closed ? this.#calledOff : this.#named(error)
    } finally {
      // Whoever waits longest takes this one's place.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
