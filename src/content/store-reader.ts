import { Thread } from '../threads/index.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import { newSharedCounts, noCounts, type ReadCounts, SHARED, type SharedCounts } from './read-counts.ts'
import type { ReaderHandlers, ReaderThreadData } from './reader-thread.ts'
import type { ReadPlan } from './store-kind.ts'

/** The caller's side of the reading thread of a store on disk. */
export class StoreReader {
  /** The name of the store for messages. */
  readonly name: string
  readonly hash: HashName
  readonly #counts = noCounts()
  readonly #shared: SharedCounts
  readonly #thread: Thread<ReaderHandlers>
  readonly #assertUnchanged: () => void
  readonly #signal: AbortSignal | undefined
  // End the thread at once: a batch may take seconds, and a reader has nothing to finish.
  readonly #onAbort = () => void this.#thread.terminate()

  /**
   * @param name - the name of the store for messages
   * @param plan - what to read, and how
   * @param signal - when it is aborted, calls in progress and later calls fail at once
   * @throws {FluxError} the thread cannot open the store
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

  /** Number of objects, when the thread knows it. */
  get objects(): number | undefined {
    return this.#shared[SHARED.OBJECTS] || undefined
  }

  /** What has been read so far. The callers of {@link ask} update it. */
  get counts(): ReadCounts {
    this.#counts.addedUp = this.#shared[SHARED.ADDED_UP] ?? 0
    return this.#counts
  }

  /**
   * Call a handler of the thread. If another process changes the store meanwhile, the result may be wrong: an error, or
   * a blob that seems damaged. So the files are checked for changes before a result is returned.
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

  /** Close a stream in the thread. Errors are ignored. */
  async drop(id: number): Promise<void> {
    await this.#thread.call('drop', { id }).catch(() => {})
  }

  /** Blobrefs in the form that the thread's handlers need. */
  wanted(blobrefs: readonly string[]): { hex: string; count: number } {
    const prefix = `${this.hash}-`
    const digits = DIGEST_BYTES[this.hash] * 2
    let hex = ''
    for (const blobref of blobrefs) {
      // A blobref of the other algorithm cannot be in this store. Ask for a digest that no blob has.
      hex += blobref.startsWith(prefix) ? blobref.slice(prefix.length) : ''.padEnd(digits, '0')
    }
    return { hex, count: blobrefs.length }
  }

  /** @throws {FluxError} `EBUSY` the files on disk have changed */
  assertUnchanged(): void {
    this.#assertUnchanged()
  }

  /** End the thread. May be called twice. */
  close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    return this.#thread.close()
  }
}
