import {
  BLOB,
  type BlobRequest,
  type BlobResult,
  type Checkpoint,
  type ContentError,
  type ContentStore,
  type HashName,
  type OfflineStore,
  type PackedBatch,
  type StoreOnDisk,
} from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { ArchiveCache, keyOfArchive } from './archive-cache.ts'
import type { RestoreResult } from './restore.ts'
import {
  isDamaged,
  type OpenArchiveStoreOptions,
  openKept,
  type RestoredArchive,
  restoreToStore,
} from './restored-archive.ts'

/**
 * An archive as a content store. It is restored into a temporary file without a name, which ends with the process, or
 * was kept by an earlier process. Values that lie in the archive as they are stay there, and are read from it. Its only checkpoint is the restored root, with the time of the newest member.
 */
export class ArchiveStore implements ContentStore {
  readonly name: string
  readonly hash: HashName
  /** The type of the archive, and the result of restoring it. */
  readonly restored: RestoreResult
  #store: OfflineStore
  /** Restores the archive; given while the store is one that was kept. */
  #restore: (() => Promise<RestoredArchive>) | undefined
  #restoring: Promise<void> | undefined
  /** True when the thread of a kept store holds marks, or the caller a place in its list. */
  #isSurveyed = false
  readonly #replaced: OfflineStore[] = []

  /**
   * Restore an archive into a temporary store, or open the store that was kept.
   *
   * @param path - a file, a pipe or a directory; `-` is standard input
   * @throws {ArchiveError} it is damaged, or not an archive
   * @throws {FluxError} it cannot be restored, or there is no room for the store
   */
  static async open(path: string, options: OpenArchiveStoreOptions = {}): Promise<ArchiveStore> {
    const { hash = 'sha1', cacheDir, salvage = false } = options
    const key = salvage ? undefined : keyOfArchive(path, hash)
    const cache = cacheDir === undefined || key === undefined ? undefined : new ArchiveCache(cacheDir)
    if (cache === undefined || key === undefined)
      return new ArchiveStore(path, await restoreToStore(path, options, key))
    const kept = await openKept(cache, key, path, options)
    if (kept === undefined) return new ArchiveStore(path, await restoreToStore(path, options, key, cache))
    return new ArchiveStore(path, kept, () => {
      cache.drop(key)
      return restoreToStore(path, { ...options, onWarning: undefined }, key, cache)
    })
  }

  private constructor(path: string, { store, result }: RestoredArchive, restore?: () => Promise<RestoredArchive>) {
    this.name = store.name
    this.hash = store.hash
    this.restored = { ...result, infile: path }
    this.#store = store
    this.#restore = restore
  }

  /** True when the archive was not read: an earlier process had kept its store. */
  get isKept(): boolean {
    return this.#restore !== undefined
  }

  get window(): number {
    return this.#store.window
  }

  get objects(): number | undefined {
    return this.#store.objects
  }

  get counts(): OfflineStore['counts'] {
    return this.#store.counts
  }

  get onDisk(): StoreOnDisk {
    if (!this.isKept) return this.#store.onDisk
    const survey = <T>(ask: (onDisk: StoreOnDisk) => Promise<T>, isDamaged?: (result: T) => boolean) => {
      this.#isSurveyed = true
      return this.#sound(() => ask(this.#store.onDisk), isDamaged)
    }
    return {
      stream: (blobref) => this.#stream(blobref),
      sizes: (blobrefs) =>
        this.#sound(
          () => this.#store.onDisk.sizes(blobrefs),
          (sizes) => sizes.includes(-1),
        ),
      sizesOf: (digests) =>
        this.#sound(
          () => this.#store.onDisk.sizesOf(digests),
          (sizes) => sizes.includes(-1),
        ),
      list: (from, count) => survey((onDisk) => onDisk.list(from, count)),
      checkRange: (from, count, options) =>
        survey(
          (onDisk) => onDisk.checkRange(from, count, options),
          ({ errors, faults }) => errors.length + faults.length > 0,
        ),
      mark: (blobrefs) => survey((onDisk) => onDisk.mark(blobrefs)),
      markDigests: (digests) => survey((onDisk) => onDisk.markDigests(digests)),
      totals: () => survey((onDisk) => onDisk.totals()),
    }
  }

  loadBatch(blobrefs: readonly string[], budgetBytes: number, maxBlobBytes?: number): Promise<BlobResult[]> {
    return this.#sound(
      () => this.#store.loadBatch(blobrefs, budgetBytes, maxBlobBytes),
      (results) => results.some(isDamaged),
    )
  }

  loadPacked(request: BlobRequest, budgetBytes: number, maxBlobBytes?: number): Promise<PackedBatch> {
    return this.#sound(
      () => this.#store.loadPacked(request, budgetBytes, maxBlobBytes),
      ({ status }) => status.some((one) => DAMAGED.has(one)),
    )
  }

  checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    return this.#sound(
      () => this.#store.checkBatch(blobrefs),
      (errors) => errors.some(isDamaged),
    )
  }

  checkpoints(): Promise<Checkpoint[]> {
    return this.#store.checkpoints()
  }

  assertUnchanged(): Promise<void> {
    return this.#store.assertUnchanged()
  }

  async close(): Promise<void> {
    await this.#restoring?.catch(() => {})
    for (const store of [...this.#replaced, this.#store]) await store.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#stream(blobref: string): AsyncGenerator<Uint8Array, void, void> {
    // The blob is verified before its first piece, so nothing has been yielded when it is found to be damaged.
    const { first, stream } = await this.#sound(async () => {
      const stream = this.#store.onDisk.stream(blobref)
      return { first: await stream.next(), stream }
    })
    if (!first.done) yield first.value
    yield* stream
  }

  /** Read from the store. If it was kept and turns out to be damaged, restore the archive, and read again. */
  async #sound<T>(read: () => Promise<T>, isDamaged: (result: T) => boolean = () => false): Promise<T> {
    const store = this.#store
    try {
      const result = await read()
      if (!this.isKept && store === this.#store) return result
      if (!isDamaged(result)) return result
    } catch (error) {
      if (!(error instanceof FluxError) || (!this.isKept && store === this.#store)) throw error
      if (error.code === 'EINTR' || error.code === 'ETIMEDOUT') throw error
    }
    // Several batches may be loading at once.
    if (this.#restore) this.#restoring ??= this.#restoreAgain(this.#restore)
    await this.#restoring
    return read()
  }

  async #restoreAgain(restore: () => Promise<RestoredArchive>): Promise<void> {
    const { store, result } = await restore()
    if (result.rootref !== this.restored.rootref || this.#isSurveyed) {
      await store.close()
      const hint = 'try again: it will be read anew'
      throw new FluxError('EBUSY', `${this.name}: what was kept of it is damaged, or it changed meanwhile`, { hint })
    }
    this.#replaced.push(this.#store)
    this.#store = store
    this.#restore = undefined
  }
}

const DAMAGED: ReadonlySet<number> = new Set([BLOB.MISSING, BLOB.ALTERED, BLOB.UNREADABLE])
