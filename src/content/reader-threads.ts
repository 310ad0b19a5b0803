/** The threads that read a store on disk: one, and a second one once it is clear that much will be read. */
import { availableParallelism } from 'node:os'
import { Thread } from '../threads/index.ts'
import type { SharedCounts } from './read-counts.ts'
import type { ReaderHandlers } from './reader-handlers.ts'
import type { ReaderThreadData } from './reader-thread.ts'
import type { ReadPlan } from './store-kind.ts'

/**
 * Blobs that are asked for before a second thread is started. It takes some 50 ms of processor time to start, as much as
 * reading so many blobs.
 */
const SECOND_AFTER = 16_384

/** What either thread can answer. All else has state, or is asked for once: the first thread answers it. */
const SHARED_METHODS: ReadonlySet<keyof ReaderHandlers> = new Set(['batch', 'check', 'checkRange'])

/**
 * Calls of commands that look at a whole store and do little with each blob. The main thread of a dump is as busy as the thread
 * that reads for it, so a dump gains from a second one only where there is a third processor.
 */
const SURVEYING: ReadonlySet<keyof ReaderHandlers> = new Set(['check', 'checkRange', 'mark'])

export class ReaderThreads {
  readonly #name: string
  readonly #module: string
  readonly #shared: SharedCounts
  readonly #first: Thread<ReaderHandlers>
  #second: Thread<ReaderHandlers> | undefined
  #starting: Promise<void> | undefined
  #asked = 0
  #isSurvey = false
  #isOver = false

  /** @throws {FluxError} the thread cannot be started, or cannot open the store */
  static async open(name: string, { module, data }: ReadPlan, shared: SharedCounts): Promise<ReaderThreads> {
    return new ReaderThreads(name, module, shared, await openThread({ name, module, data, shared }))
  }

  private constructor(name: string, module: string, shared: SharedCounts, first: Thread<ReaderHandlers>) {
    this.#name = name
    this.#module = module
    this.#shared = shared
    this.#first = first
  }

  /** Number of threads. */
  get count(): 1 | 2 {
    return this.#second === undefined ? 1 : 2
  }

  /** Call a handler. @throws {FluxError} as {@link Thread.call} */
  call<K extends keyof ReaderHandlers & string>(
    method: K,
    args: Parameters<ReaderHandlers[K]>[0],
  ): Promise<ReturnType<ReaderHandlers[K]>['reply']> {
    this.#isSurvey ||= SURVEYING.has(method)
    if (!SHARED_METHODS.has(method)) return this.#first.call(method, args)
    this.#asked += (args as { count: number }).count
    if (this.#asked > SECOND_AFTER && availableParallelism() > (this.#isSurvey ? 1 : 2))
      this.#starting ??= this.#startSecond()
    const second = this.#second
    return (second && second.pending < this.#first.pending ? second : this.#first).call(method, args)
  }

  /** Close the store, and end the threads. May be called twice. */
  async close(): Promise<void> {
    this.#isOver = true
    await this.#starting
    await Promise.all([this.#first.close(), this.#second?.close()])
  }

  /** End the threads at once. Calls in progress fail. May be called twice. */
  async terminate(): Promise<void> {
    this.#isOver = true
    await Promise.all([this.#first.terminate(), this.#second?.terminate()])
  }

  /** If the second thread cannot be started, the first one reads everything. That is no error. */
  async #startSecond(): Promise<void> {
    try {
      const data = await this.#first.call('twin', undefined)
      if (data === undefined || this.#isOver) return
      const second = await openThread({ name: this.#name, module: this.#module, data, shared: this.#shared })
      if (this.#isOver) await second.terminate()
      else this.#second = second
    } catch {
      // The store has been removed since it was opened, there are no more threads, or the first thread has died.
    }
  }
}

function openThread(data: ReaderThreadData): Promise<Thread<ReaderHandlers>> {
  return Thread.open<ReaderHandlers>(data.name, './reader-thread', import.meta.url, data)
}
