import { Thread } from '../threads/index.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import { newSharedCounts, noCounts, type ReadCounts, SHARED, type SharedCounts } from './read-counts.ts'
import type { ReaderHandlers, ReaderThreadData } from './reader-thread.ts'
import type { ReadPlan } from './store-kind.ts'

/** The reading thread of a store on disk, as whoever asks it sees it. */
export class StoreReader {
  /** What is shown of the store in messages. */
  readonly name: string
  readonly hash: HashName
  readonly #counts = noCounts()
  readonly #shared: SharedCounts
  readonly #thread: Thread<ReaderHandlers>
  readonly #assertUnchanged: () => void
  readonly #signal: AbortSignal | undefined
  // Nothing is written, so what is under way needs not come to its end: a batch may take seconds.
  readonly #onAbort = () => void this.#thread.terminate()

  /**
   * @param name - what is shown of the store in messages
   * @param plan - what to read, and how
   * @param signal - when it is aborted, what is under way fails at once, and so does what comes later
   * @throws {FluxError} what the thread says when it cannot open the store
   */
  static async open(name: string, plan: ReadPlan, signal?: AbortSignal): Promise<StoreReader> {
    const { module, data, assertUnchanged = () => {} } = plan
    const shared = newSharedCounts()
    try {
      const threadData: ReaderThreadData = { name, module, data, shared }
      const thread = await Thread.open<ReaderHandlers>(name, './reader-thread', import.meta.url, threadData)
      return new StoreReader(name, thread, await thread.call('hash', undefined), shared, assertUnchanged, signal)
    } catch (error) {
      assertUnchanged()
      throw error
    }
  }

  private constructor(
    name: string,
    thread: Thread<ReaderHandlers>,
    hash: HashName,
    shared: SharedCounts,
    assertUnchanged: () => void,
    signal: AbortSignal | undefined,
  ) {
    this.name = name
    this.hash = hash
    this.#shared = shared
    this.#thread = thread
    this.#assertUnchanged = assertUnchanged
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Number of objects, once the thread has come across it. */
  get objects(): number | undefined {
    return this.#shared[SHARED.OBJECTS] || undefined
  }

  /** What has been asked for so far: whoever asks counts it. */
  get counts(): ReadCounts {
    this.#counts.addedUp = this.#shared[SHARED.ADDED_UP] ?? 0
    return this.#counts
  }

  /**
   * Ask the thread. What comes of a store that somebody is changing may be torn: an error, or a blob that seems to be
   * damaged. So nothing is handed on before the files are known to be what they were.
   */
  async ask<K extends keyof ReaderHandlers & string>(
    method: K,
    args: Parameters<ReaderHandlers[K]>[0],
  ): Promise<ReturnType<ReaderHandlers[K]>['reply']> {
    try {
      return await this.#thread.call(method, args)
    } finally {
      this.#assertUnchanged()
    }
  }

  /** Let the thread end a stream, whatever has become of the store. */
  async drop(id: number): Promise<void> {
    await this.#thread.call('drop', { id }).catch(() => {})
  }

  /** Blobrefs as the thread is asked for them. */
  wanted(blobrefs: readonly string[]): { hex: string; count: number } {
    const prefix = `${this.hash}-`
    const digits = DIGEST_BYTES[this.hash] * 2
    let hex = ''
    for (const blobref of blobrefs) {
      // A blobref of the other algorithm cannot be in this store: ask for a digest that cannot be either.
      hex += blobref.startsWith(prefix) ? blobref.slice(prefix.length) : ''.padEnd(digits, '0')
    }
    return { hex, count: blobrefs.length }
  }

  /** @throws {FluxError} `EBUSY` the files on disk are no longer what they were */
  assertUnchanged(): void {
    this.#assertUnchanged()
  }

  /** End the thread. Twice does no harm. */
  close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    return this.#thread.close()
  }
}
