import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlobResult,
  type Checkpoint,
  type ContentError,
  type ContentStore,
  type HashName,
  type OfflineStore,
  openStore,
  openStoreWriter,
  type ReadCounts,
  type StoreTotals,
} from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { makeTemporaryDirectory } from '../files/index.ts'
import { type ArchiveReading, Restore, type RestoreResult } from './restore.ts'

/** How {@link ArchiveStore} makes a store of an archive. */
export interface OpenArchiveStoreOptions {
  /** The algorithm of its blobrefs (default sha1): an archive does not say what that of the instance was. */
  hash?: HashName | undefined
  /** Where the content store is spooled to (default: the directory for temporary files). */
  scratchDir?: string | undefined
  /** Hears of everything that is not as it should be, one line each. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called before the archive is read, with what says how far that is. */
  onStart?: ((reading: ArchiveReading) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * An archive as a content store: what a restore of it would give, in a file without a name that goes with the process. Its
 * only checkpoint is the root, with the time of the newest member.
 */
export class ArchiveStore implements ContentStore {
  readonly name: string
  /** What the archive is, and what came of it. */
  readonly restored: RestoreResult
  readonly #store: OfflineStore

  /**
   * Read an archive to its end.
   *
   * @param path - a file, a pipe or a directory; `-` is standard input
   * @throws {ArchiveError} it is damaged, or not an archive; {FluxError} it cannot be restored, or there is no room
   */
  static async open(path: string, options: OpenArchiveStoreOptions = {}): Promise<ArchiveStore> {
    const { hash = 'sha1', scratchDir = tmpdir(), onWarning, onStart, signal } = options
    const dir = scratch(scratchDir)
    try {
      const spool = join(dir.path, 'content.sqlite')
      let restored: RestoreResult
      {
        await using writer = await openStoreWriter(spool, { hash })
        const commit = (root: { rootref: string; timestamp: number }) => writer.commit({ ...root, sequence: 0 })
        const allowEmpty = true
        const restore = new Restore({ infile: path, writer, commit, allowEmpty, onWarning, signal })
        onStart?.(restore)
        restored = await restore.run()
      }
      throwIfAborted(signal)
      return new ArchiveStore(path, await openStore(spool, { verify: false }), restored)
    } finally {
      // What is open stays.
      dir.remove()
    }
  }

  private constructor(path: string, store: OfflineStore, restored: RestoreResult) {
    this.name = path === '-' ? 'standard input' : path
    this.restored = restored
    this.#store = store
  }

  get hash(): HashName {
    return this.#store.hash
  }

  get window(): number {
    return this.#store.window
  }

  get objects(): number | undefined {
    return this.#store.objects
  }

  get counts(): Readonly<ReadCounts> {
    return this.#store.counts
  }

  loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    return this.#store.loadBatch(blobrefs, budgetBytes)
  }

  sizes(blobrefs: readonly string[]): Promise<Float64Array> {
    return this.#store.sizes(blobrefs)
  }

  checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    return this.#store.checkBatch(blobrefs)
  }

  list(from: number, count: number): Promise<string[]> {
    return this.#store.list(from, count)
  }

  mark(blobrefs: readonly string[]): Promise<void> {
    return this.#store.mark(blobrefs)
  }

  totals(): Promise<StoreTotals> {
    return this.#store.totals()
  }

  checkpoints(): Promise<Checkpoint[]> {
    return this.#store.checkpoints()
  }

  async assertUnchanged(): Promise<void> {
    // It has been read to its end, and nobody else knows the spool.
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function scratch(parent: string): ReturnType<typeof makeTemporaryDirectory> {
  try {
    return makeTemporaryDirectory(parent)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot make a temporary file in ${parent}`, {
      hint: 'TMPDIR names another directory',
    })
  }
}
