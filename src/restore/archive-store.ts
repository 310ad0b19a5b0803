import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BLOB,
  type BlobRequest,
  type BlobResult,
  type Checkpoint,
  ContentError,
  type ContentStore,
  type HashName,
  type OfflineStore,
  openPack,
  type PackedBatch,
  PackWriter,
  type StoreOnDisk,
} from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { makeTemporaryDirectory, temporaryError } from '../files/index.ts'
import { ArchiveCache, keyOfArchive, type Warning } from './archive-cache.ts'
import { type ArchiveReading, Restore, type RestoreResult } from './restore.ts'

/** Options of {@link ArchiveStore.open}. */
export interface OpenArchiveStoreOptions {
  /** Hash algorithm of its blobrefs (default sha1). An archive does not say which one the instance used. */
  hash?: HashName | undefined
  /** Read what is left of a damaged archive: see {@link RestoreOptions.salvage}. It is not kept then. */
  salvage?: boolean | undefined
  /** Directory of the temporary content store (default: the directory for temporary files). */
  scratchDir?: string | undefined
  /**
   * Directory where restored archives are kept, to which no other user can write (default: none are kept). Archives
   * from 1 MiB on are kept, if they are files; together they take up to 4 GiB, and a tenth of the room in the file
   * system. Nothing fails because of it.
   */
  cacheDir?: string | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called before the archive is read, with an object that gives the progress. Not called when it need not be read. */
  onStart?: ((reading: ArchiveReading) => void) | undefined
  signal?: AbortSignal | undefined
}

/** An archive that has been restored. */
interface Restored {
  readonly store: OfflineStore
  readonly result: RestoreResult
}

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
  #restore: (() => Promise<Restored>) | undefined
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
    if (cache === undefined || key === undefined) return new ArchiveStore(path, await restore(path, options, key))
    const kept = await openKept(cache, key, path, options)
    if (kept === undefined) return new ArchiveStore(path, await restore(path, options, key, cache))
    return new ArchiveStore(path, kept, () => {
      cache.drop(key)
      return restore(path, { ...options, onWarning: undefined }, key, cache)
    })
  }

  private constructor(path: string, { store, result }: Restored, restore?: () => Promise<Restored>) {
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

  async #restoreAgain(restore: () => Promise<Restored>): Promise<void> {
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

/** A missing blob may be one that the archive never had: then reading the archive once more does no harm. */
function isDamaged(result: BlobResult): boolean {
  return result instanceof ContentError && result.code !== 'EFBIG'
}

/** @returns undefined when the archive is not kept, or what was kept is damaged */
async function openKept(
  cache: ArchiveCache,
  key: string,
  path: string,
  { hash = 'sha1', onWarning }: OpenArchiveStoreOptions,
): Promise<Restored | undefined> {
  const found = cache.find(key)
  if (found === undefined) return undefined
  const { restored: result, warnings } = found
  let store: OfflineStore | undefined
  try {
    const checkpoint = checkpointOf(result)
    store = await openPack(found.path, { name: nameOf(path), verify: true, checkpoint, archive: path })
    const [root] = await store.loadBatch([result.rootref], 1)
    if (store.hash !== hash || isDamaged(root)) throw new FluxError('EBADMSG', `${found.path}: damaged`)
  } catch {
    await store?.close()
    cache.drop(key)
    return undefined
  }
  for (const [message, kind] of warnings) onWarning?.(message, kind)
  return { store, result }
}

/**
 * @param key - what the archive is known by, if its values may be left where they are: see {@link keyOfArchive}
 * @param cache - where to keep the store
 */
async function restore(
  path: string,
  { hash = 'sha1', scratchDir = tmpdir(), salvage, onWarning, onStart, signal }: OpenArchiveStoreOptions,
  key?: string,
  cache?: ArchiveCache,
): Promise<Restored> {
  const dir = scratch(scratchDir)
  try {
    const spool = join(dir.path, 'content.pack')
    const warnings: Warning[] = []
    let result: RestoreResult
    let archive: string | undefined
    {
      using writer = new PackWriter(spool, hash)
      const work = new Restore({
        infile: path,
        // Without the method that leaves values where they are.
        writer: key === undefined ? { hash, storeBatch: (blobs) => writer.storeBatch(blobs) } : writer,
        scratchDir,
        commit: async () => writer.finish(),
        allowEmpty: true,
        salvage,
        onWarning(message, kind) {
          warnings.push([message, kind])
          onWarning?.(message, kind)
        },
        signal,
      })
      onStart?.(work)
      result = await work.run()
      if (writer.blobsInArchive > 0) archive = path
    }
    throwIfAborted(signal)
    const checkpoint = checkpointOf(result)
    const isUnchanged = key !== undefined && keyOfArchive(path, hash) === key
    if (archive !== undefined && !isUnchanged) {
      const hint = 'try again when nothing writes to it'
      throw new FluxError('EBUSY', `${path}: the archive has changed while it was read`, { hint })
    }
    const store = await openPack(spool, { name: nameOf(path), verify: false, checkpoint, archive, inThread: true })
    if (isUnchanged) await cache?.keep(key, spool, { restored: result, warnings })
    return { store, result }
  } finally {
    // The open file stays readable without its name.
    dir.remove()
  }
}

function checkpointOf({ rootref, timestamp }: RestoreResult): Checkpoint {
  return { rootref, timestamp, sequence: 0 }
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path
}

function scratch(parent: string): ReturnType<typeof makeTemporaryDirectory> {
  try {
    return makeTemporaryDirectory(parent)
  } catch (error) {
    throw temporaryError(error, 'cannot make a temporary file in', parent)
  }
}
