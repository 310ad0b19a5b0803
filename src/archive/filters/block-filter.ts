/**
 * The base of filters whose files can be several streams (or frames) in a row. The input is cut at fixed offsets,
 * blocks are compressed independently, several at a time, and the results are written in order. So the bytes depend
 * only on the input, not on the number of threads or on how the input was chunked.
 */
import { abortError, FluxError, InterruptedError } from '../../errors/index.ts'
import type { Sink } from '../sink.ts'
import type { Filter, FilterOptions } from './filter.ts'

/** Compresses blocks, each into a complete stream. */
export interface BlockCompressor {
  /** Input bytes of a block; the last one may be shorter. */
  readonly blockBytes: number
  /**
   * @param block - owned by the compressor from now on, together with its whole buffer
   * @throws {Error} its message names the compressor and the failure
   */
  compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  /** Stop pending work and release threads or processes. No block is compressed afterwards. Never throws. */
  close?(): Promise<void>
}

export class BlockFilter implements Filter {
  readonly #sink: Sink
  readonly #compressor: BlockCompressor
  readonly #threads: number
  readonly #name: string
  /** Results of blocks that are not written yet, in order. */
  readonly #pending: Promise<Uint8Array>[] = []
  /** Blocks being compressed, and the wake-up calls of those that wait for their turn. */
  #running = 0
  readonly #waiting: (() => void)[] = []
  #block: Uint8Array<ArrayBuffer> | undefined
  #used = 0
  #begun = false
  #closed: Promise<void> | undefined
  /** Rejects the wait for the first block. */
  #rejectWait: (error: Error) => void = () => {}
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
    // Empty input gives one empty stream.
    if (this.#used > 0 || !this.#begun) await this.#begin()
    while (this.#pending.length > 0) await this.#writeFirst()
    await this.abort()
  }

  abort(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onSignal)
    this.#rejectWait(this.#abortError)
    this.#closed ??= Promise.resolve(this.#compressor.close?.())
    return this.#closed
  }

  /** The error of work that is interrupted by {@link abort}. */
  get #abortError(): FluxError {
    return this.#signal?.aborted ? abortError(this.#signal) : new InterruptedError()
  }

  async #begin(): Promise<void> {
    const { blockBytes } = this.#compressor
    const block = this.#used === blockBytes ? this.#block : this.#block?.slice(0, this.#used)
    this.#block = undefined
    this.#used = 0
    this.#begun = true
    const result = this.#compress(block ?? new Uint8Array())
    // #writeFirst() handles a failure when this block's turn comes. Until then it must not be an unhandled rejection.
    result.catch(() => {})
    this.#pending.push(result)
    // Twice as many blocks as threads, so that no thread waits for the slowest block.
    while (this.#pending.length >= 2 * this.#threads) await this.#writeFirst()
  }

  async #writeFirst(): Promise<void> {
    const result = this.#pending.shift() as Promise<Uint8Array>
    const packed = await new Promise<Uint8Array>((resolve, reject) => {
      this.#rejectWait = reject
      result.then(resolve, reject)
    })
    await this.#sink.write([packed])
  }

  /** Add the archive's name to an error of the compressor, which does not know it. */
  #named(error: unknown): FluxError {
    const what = `cannot write ${this.#name}`
    if (!(error instanceof FluxError)) return FluxError.fromSystem(error, what)
    return new FluxError(error.code, `${what}: ${error.message}`, { cause: error, hint: error.hint })
  }

  async #compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#running < this.#threads) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (this.#closed) throw this.#abortError
      return await this.#compressor.compress(block)
    } catch (error) {
      // After an abort the compressor may fail with any error.
      throw this.#closed ? this.#abortError : this.#named(error)
    } finally {
      // The block that has waited longest is next.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
