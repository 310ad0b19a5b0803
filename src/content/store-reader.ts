import { FluxError, throwIfAborted } from '../errors/index.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'
import { newSharedCounts, noCounts, type ReadCounts, SHARED, type SharedCounts } from './read-counts.ts'
import { type ReaderHandlers, readerHandlers, type Wanted } from './reader-handlers.ts'
import { ReaderThreads } from './reader-threads.ts'
import type { ReadPlan } from './store-kind.ts'

/**
 * Blobs that are read here before there is a thread. A look at one key needs a few, a list of some hundred jobs a thousand.
 * Starting a thread takes longer than reading these.
 */
const READ_HERE = 4096

/**
 * After this many batches of one blob, each asked for when the one before was there, further ones are read here: in a chain of
 * directories nothing can be read ahead, and the way to a thread and back takes several times as long as the blob.
 */
const ONE_BY_ONE = 64

/** How often a chain lets other things go on here: signals, timers, progress. */
const PAUSE_AFTER = 256

/** Larger blobs are left to the thread: nothing else goes on here while one is read. */
const LARGE_BYTES = 1 << 20

/** Where a store is read. */
interface Place {
  readonly threads?: ReaderThreads
  readonly here?: ReaderHandlers
}

/**
 * The caller's side of what reads a store on disk: the first blobs in this thread, if the store allows it, then all in a
 * thread of its own, and then in two.
 */
export class StoreReader {
  /** The name of the store for messages. */
  readonly name: string
  readonly hash: HashName
  readonly #counts = noCounts()
  readonly #shared: SharedCounts
  readonly #plan: ReadPlan
  #main: Promise<Place> | undefined
  #here: ReaderHandlers | undefined
  #threads: ReaderThreads | undefined
  #asked = 0
  /** Calls under way. */
  #underWay = 0
  /** How many batches of one blob have come one by one. */
  #oneByOne = 0
  /** Reads such batches here, when the rest is read in the thread; undefined where that cannot be. */
  #aside: Promise<ReaderHandlers | undefined> | undefined
  readonly #assertUnchanged: () => void
  readonly #signal: AbortSignal | undefined
  // End the threads at once: a batch may take seconds, and a reader has nothing to finish.
  readonly #onAbort = () => void this.#threads?.terminate()

  /**
   * @param name - the name of the store for messages
   * @param plan - what to read, and how
   * @param signal - when it is aborted, calls in progress and later calls fail at once
   * @param inThread - start the thread at once: the store cannot be opened again later
   * @throws {FluxError} the store cannot be opened
   */
  static async open(name: string, plan: ReadPlan, signal?: AbortSignal, inThread = false): Promise<StoreReader> {
    const shared = newSharedCounts()
    try {
      const place = await openPlace(name, plan, shared, !inThread)
      const hash = place.here ? place.here.hash().reply : await (place.threads as ReaderThreads).call('hash', undefined)
      return new StoreReader(name, place, hash, plan, shared, signal)
    } catch (error) {
      plan.assertUnchanged?.()
      throw error
    }
  }

  private constructor(
    name: string,
    place: Place,
    hash: HashName,
    plan: ReadPlan,
    shared: SharedCounts,
    signal: AbortSignal | undefined,
  ) {
    this.name = name
    this.hash = hash
    this.#shared = shared
    this.#plan = plan
    this.#here = place.here
    this.#threads = place.threads
    this.#assertUnchanged = plan.assertUnchanged ?? (() => {})
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Number of objects, when the thread knows it. */
  get objects(): number | undefined {
    return this.#shared[SHARED.OBJECTS] || undefined
  }

  /** Number of places where blobs are read at the same time. */
  get places(): number {
    return this.#threads?.count ?? 1
  }

  /** Blobs that have been copied so far. */
  get copied(): number {
    return this.#shared[SHARED.COPIED] ?? 0
  }

  /** See {@link ReadPlan.newCopy}. */
  get newCopy(): ReadPlan['newCopy'] {
    return this.#plan.newCopy
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
    const isAlone = method === 'batch' && (args as Wanted).count === 1 && this.#underWay === 0
    this.#oneByOne = isAlone ? this.#oneByOne + 1 : 0
    this.#underWay++
    try {
      const near = this.#oneByOne > ONE_BY_ONE ? await this.#besides() : this.#here
      if (near && (this.#oneByOne > ONE_BY_ONE || this.#isForHere(method, args))) {
        throwIfAborted(this.#signal)
        const reply = this.#answer(near, method, withinHere(method, args))
        if (!hasTooLarge(method, reply)) return reply
      }
      const { threads, here } = await this.#mainPlace()
      if (threads) return await threads.call(method, args)
      throwIfAborted(this.#signal)
      return this.#answer(here as ReaderHandlers, method, args)
    } finally {
      this.#underWay--
      this.#assertUnchanged()
    }
  }

  /** What reads a chain of blobs here. */
  async #besides(): Promise<ReaderHandlers | undefined> {
    if (this.#oneByOne % PAUSE_AFTER === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    if (this.#here) return this.#here
    this.#aside ??= this.#plan.load
      ? openPlace(this.name, this.#plan, this.#shared, true).then(
          ({ here }) => here,
          // The store may have been removed since it was opened.
          () => undefined,
        )
      : Promise.resolve(undefined)
    return this.#aside
  }

  /** Close a stream in the thread. Errors are ignored. */
  async drop(id: number): Promise<void> {
    const { threads, here } = await this.#mainPlace()
    if (threads) await threads.call('drop', { id }).catch(() => {})
    else here?.drop({ id })
  }

  /** Blobrefs in the form that the thread's handlers need. */
  wanted(blobrefs: readonly string[]): Wanted {
    const prefix = `${this.hash}-`
    const digits = DIGEST_BYTES[this.hash] * 2
    let hex = ''
    for (const blobref of blobrefs) {
      // A blobref of the other algorithm cannot be in this store. Ask for a digest that no blob has.
      hex += blobref.startsWith(prefix) ? blobref.slice(prefix.length) : ''.padEnd(digits, '0')
    }
    return { digests: Buffer.from(hex, 'hex'), count: blobrefs.length }
  }

  /** @throws {FluxError} `EBUSY` the files on disk have changed */
  assertUnchanged(): void {
    this.#assertUnchanged()
  }

  /** End the threads. May be called twice. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    await this.#main
    this.#here?.close()
    ;(await this.#aside)?.close()
    await this.#threads?.close()
  }

  /** Here only batches are read, and checkpoints, until {@link READ_HERE} blobs have been asked for. */
  #isForHere(method: keyof ReaderHandlers, args: unknown): boolean {
    if (method === 'checkpoints') return true
    if (method !== 'batch') return false
    this.#asked += (args as { count: number }).count
    return this.#asked <= READ_HERE
  }

  #answer<K extends keyof ReaderHandlers & string>(
    handlers: ReaderHandlers,
    method: K,
    args: Parameters<ReaderHandlers[K]>[0],
  ): ReturnType<ReaderHandlers[K]>['reply'] {
    try {
      return handlers[method](args as never).reply
    } catch (error) {
      throw FluxError.fromSystem(error, this.name)
    }
  }

  /**
   * Where most of the store is read: in the thread, which is started when it is first needed. The store may have been removed
   * since it was opened, or there may be no more threads: then it is read here to the end.
   */
  #mainPlace(): Promise<Place> {
    this.#main ??= this.#here
      ? this.#moveToThread(this.#here)
      : Promise.resolve({ threads: this.#threads as ReaderThreads })
    return this.#main
  }

  async #moveToThread(here: ReaderHandlers): Promise<Place> {
    const place = await openPlace(this.name, this.#plan, this.#shared, false).catch(() => ({ here }))
    if (!('threads' in place)) return place
    here.close()
    this.#here = undefined
    this.#threads = place.threads
    if (this.#signal?.aborted) this.#onAbort()
    return place
  }
}

/** The same call, for blobs that do not take long. */
function withinHere<K extends keyof ReaderHandlers>(
  method: K,
  args: Parameters<ReaderHandlers[K]>[0],
): Parameters<ReaderHandlers[K]>[0] {
  if (method !== 'batch') return args
  const batch = args as Parameters<ReaderHandlers['batch']>[0]
  return { ...batch, maxBlobBytes: Math.min(batch.maxBlobBytes, LARGE_BYTES) } as typeof args
}

function hasTooLarge<K extends keyof ReaderHandlers>(
  method: K,
  reply: ReturnType<ReaderHandlers[K]>['reply'],
): boolean {
  return method === 'batch' && (reply as { batch: PackedBatch }).batch.status.includes(BLOB.TOO_LARGE)
}

async function openPlace(name: string, plan: ReadPlan, shared: SharedCounts, isHere: boolean): Promise<Place> {
  const { data, load } = plan
  if (isHere && load) {
    try {
      return { here: readerHandlers((await load()).openReader(data), shared) }
    } catch (error) {
      throw FluxError.fromSystem(error, name)
    }
  }
  return { threads: await ReaderThreads.open(name, plan, shared) }
}
