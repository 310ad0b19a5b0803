import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HashName, OfflineStore, openReader, openStoreWriter, type StoreReader } from '../content/index.ts'
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
export class ArchiveStore extends OfflineStore {
  /** What the archive is, and what came of it. */
  readonly restored: RestoreResult

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
      return new ArchiveStore(path, await openReader(spool, { verify: false }), restored)
    } finally {
      // What is open stays.
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
