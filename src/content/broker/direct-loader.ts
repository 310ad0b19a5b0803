/**
 * Reads blobs from the file of the backing store, beside the broker that writes to it, and asks the broker for the rest.
 *
 * The name of a blob is its digest, and what is read is compared with it, so no state of the file can give wrong bytes: what
 * is missing, torn or overwritten is asked of the broker. The file is read as it was when it was opened, more or less: blobs
 * that the broker stored later are not found, and rows that it moved are not where they were. When that is so for too
 * many, it is opened again. docs/pacing.md has the argument.
 */
import type { HashName } from '../blobref.ts'
import { ContentError } from '../content-error.ts'
import type { BlobResult } from '../content-store.ts'
import { OfflineStore } from '../offline-store.ts'
import type { ReadCounts } from '../read-counts.ts'
import { StoreReader } from '../store-reader.ts'
import type { BackingFile } from './backing-file.ts'
import { type Loader, missingBlob } from './loader.ts'

export interface DirectLoaderOptions {
  /** The algorithm of the instance. */
  hash: HashName
  /** Asked for what the file does not have. */
  loader: Loader
  /** Finds the file, each time it is opened; undefined: it cannot be read from here. */
  find: () => Promise<BackingFile | undefined>
  /** Its `direct` is counted up. */
  counts: ReadCounts
  signal?: AbortSignal | undefined
}

/** The file is opened after so many blobs: a thread and a database are not worth it for a look-up or two. */
const OPEN_AFTER = 64

/** Over so many blobs it is judged whether the file is still good. */
const JUDGED = 256
/** The part of them that the file lacks and the broker has, from which on it is not. */
const STALE_SHARE = 0.5

/**
 * A file that turns bad within so many blobs of being opened is left alone for as many; and each time that happens again, for
 * twice as many. One that served longer is opened again at once.
 */
const REST = 4096

export class DirectLoader {
  readonly #options: DirectLoaderOptions
  #file: OfflineStore | undefined
  #opening: Promise<void> | undefined
  #isOver = false
  /** Blobs that were asked for, of whomever. */
  #asked = 0
  /** When that many have been, the file is opened. */
  #openAt = OPEN_AFTER
  #rest = 0
  /** Blobs that were looked for in the file since it was opened; and since it was judged. */
  #served = 0
  #tried = 0
  /** Those that the file did not have and the broker had, since it was judged. */
  #stale = 0

  constructor(options: DirectLoaderOptions) {
    this.#options = options
  }

  /** As of {@link ContentStore}, while the file is being read; undefined while the broker is asked for all. */
  get window(): number | undefined {
    return this.#file?.window
  }

  /** As {@link Loader.load}. */
  async load(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const { loader, counts } = this.#options
    const file = this.#fileFor(blobrefs.length)
    if (file === undefined) return loader.load(blobrefs, budgetBytes)
    const results = await file.loadBatch(blobrefs, budgetBytes).catch(() => blobrefs.map(missingBlob))
    const rest: number[] = []
    let tried = 0
    let loadedBytes = 0
    for (const [i, result] of results.entries()) {
      if (result === undefined) continue
      tried++
      if (result instanceof ContentError) rest.push(i)
      else loadedBytes += result.length
    }
    counts.direct += tried - rest.length
    let found = 0
    if (rest.length > 0) {
      const answers = await loader.load(namesAt(blobrefs, rest), budgetBytes - loadedBytes)
      for (const [i, place] of rest.entries()) {
        results[place] = answers[i]
        if (answers[i] instanceof Uint8Array) found++
      }
    }
    this.#judge(file, tried, found)
    return results
  }

  /** As {@link Loader.check}. */
  async check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const { loader, counts } = this.#options
    const file = this.#fileFor(blobrefs.length)
    if (file === undefined) return loader.check(blobrefs)
    const errors = await file.checkBatch(blobrefs).catch(() => blobrefs.map(missingBlob))
    const rest: number[] = []
    for (const [i, error] of errors.entries()) if (error !== undefined) rest.push(i)
    counts.direct += blobrefs.length - rest.length
    let found = 0
    if (rest.length > 0) {
      const answers = await loader.check(namesAt(blobrefs, rest))
      for (const [i, place] of rest.entries()) {
        errors[place] = answers[i]
        if (answers[i] === undefined) found++
      }
    }
    this.#judge(file, blobrefs.length, found)
    return errors
  }

  /** Let go of the file. */
  async close(): Promise<void> {
    this.#isOver = true
    await this.#opening
    await this.#file?.close()
    this.#file = undefined
  }

  /** The file, if so many blobs can be looked for in it now. Nobody waits until it is open. */
  #fileFor(count: number): OfflineStore | undefined {
    this.#asked += count
    if (this.#file === undefined && this.#asked > this.#openAt && !this.#isOver) this.#opening ??= this.#open()
    return this.#file
  }

  async #open(): Promise<void> {
    const { find, hash, signal } = this.#options
    try {
      const found = await find()
      if (found === undefined || this.#isOver) {
        this.#isOver = true
        return
      }
      const file = new OfflineStore(await StoreReader.open(found.path, found.plan, signal))
      if (this.#isOver || file.hash !== hash) {
        this.#putOff()
        await file.close()
        return
      }
      this.#file = file
      this.#served = this.#tried = this.#stale = 0
    } catch {
      // All of a young database may be in its write-ahead log. Who cannot be asked tells so to whoever asks for blobs.
      this.#putOff()
    } finally {
      this.#opening = undefined
    }
  }

  /** Leave the file alone for a while. */
  #putOff(): void {
    this.#rest = Math.max(REST, this.#rest * 2)
    this.#openAt = this.#asked + this.#rest
  }

  /** @param tried - blobs that were looked for in the file. @param stale - those that only the broker had */
  #judge(file: OfflineStore, tried: number, stale: number): void {
    // It may have been given up since.
    if (file !== this.#file) return
    this.#served += tried
    this.#tried += tried
    this.#stale += stale
    if (this.#tried < JUDGED) return
    const isStale = this.#stale > this.#tried * STALE_SHARE
    this.#tried = this.#stale = 0
    if (!isStale) return
    this.#file = undefined
    void file.close().catch(() => {})
    if (this.#served < REST) this.#putOff()
    else {
      this.#rest = 0
      this.#openAt = this.#asked
    }
  }
}

function namesAt(blobrefs: readonly string[], places: readonly number[]): string[] {
  return places.map((place) => blobrefs[place] as string)
}
