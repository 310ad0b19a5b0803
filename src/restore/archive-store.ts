import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HashName, OfflineStore, openReader, openStoreWriter, type StoreReader } from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { makeTemporaryDirectory } from '../files/index.ts'
import { type ArchiveReading, Restore, type RestoreResult } from './restore.ts'

/** Options of {@link ArchiveStore.open}. */
export interface OpenArchiveStoreOptions {
  /** Hash algorithm of its blobrefs (default sha1). An archive does not say which one the instance used. */
  hash?: HashName | undefined
  /** Directory of the temporary content store (default: the directory for temporary files). */
  scratchDir?: string | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called before the archive is read, with an object that gives the progress. */
  onStart?: ((reading: ArchiveReading) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * An archive as a content store. It is restored into a temporary file without a name, which ends with the process. Its
 * only checkpoint is the restored root, with the time of the newest member.
 */
export class ArchiveStore extends OfflineStore {
  /** The type of the archive, and the result of restoring it. */
  readonly restored: RestoreResult

  /**
   * Restore an archive into a temporary store.
   *
   * @param path - a file, a pipe or a directory; `-` is standard input
   * @throws {ArchiveError} it is damaged, or not an archive
   * @throws {FluxError} it cannot be restored, or there is no room for the store
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
        const restore = new Restore({ infile: path, writer, scratchDir, commit, allowEmpty, onWarning, signal })
        onStart?.(restore)
        restored = await restore.run()
      }
      throwIfAborted(signal)
      return new ArchiveStore(path, await openReader(spool, { verify: false, inThread: true }), restored)
    } finally {
      // The open file stays readable without its name.
      dir.remove()
    }
  }

  private constructor(path: string, reader: StoreReader, restored: RestoreResult) {
    super(reader, path === '-' ? 'standard input' : path)
    this.restored = restored
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
