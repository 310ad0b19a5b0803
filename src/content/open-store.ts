import { realpathSync, statSync } from 'node:fs'
import { FluxError } from '../errors/index.ts'
import { OfflineStore } from './offline-store.ts'
import type { ReaderThreadData } from './reader-thread.ts'
import { recogniseStore } from './recognise-store.ts'
import { assertNotHeld } from './sqlite/lock-holder.ts'
import { type Staged, stage } from './sqlite/staging.ts'
import { StoreReader } from './store-reader.ts'

/** How {@link openStore} reads a store on disk. */
export interface OpenStoreOptions {
  /** Compare each blob with its blobref (default true). */
  verify?: boolean | undefined
  /** Directories where a store with a journal may get second names, beside those that are tried anyway. */
  scratchDirs?: readonly string[] | undefined
  /** When it is aborted, what is being read fails at once. */
  signal?: AbortSignal | undefined
}

/**
 * Open the content store of an instance that is down: read-only, and without leaving anything beside it.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory; what it is counts, not its name
 * @throws {FluxError} `ENOENT` nothing there; `EINVAL` no content store; `EBUSY` a broker holds it; `ENOSPC` it has a
 *   journal and there is no room to read that; `EBADMSG` damaged
 */
export async function openStore(path: string, options: OpenStoreOptions = {}): Promise<OfflineStore> {
  return new OfflineStore(await openReader(path, options))
}

/** The reading thread of what {@link openStore} opens. */
export async function openReader(path: string, options: OpenStoreOptions = {}): Promise<StoreReader> {
  const { verify = true, scratchDirs = [], signal } = options
  const found = recogniseStore(path)
  const data: ReaderThreadData = { kind: found.kind, path: found.path, name: found.path, access: 'immutable', verify }
  if (found.kind === 'files') return StoreReader.open(data, () => {}, signal)
  const database = realpathSync(found.path)
  assertNotHeld(database, found.path, 'stop the instance that uses it, or dump that instance live with --uri')
  const assertUnchanged = changeGuard(database, found.path)
  const journals = ['-wal', '-journal'].filter((suffix) => sizeOf(database + suffix) > 0)
  let staged: Staged | undefined
  try {
    if (journals.length > 0) {
      staged = stage(database, journals, scratchDirs)
      data.path = staged.path
      data.access = journals.includes('-journal') ? 'private' : 'readonly'
    }
    return await StoreReader.open(data, assertUnchanged, signal)
  } finally {
    staged?.remove()
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** SQLite's own locks do not protect an immutable or staged reader, so look at the file again when all has been read. */
function changeGuard(database: string, name: string): () => void {
  const look = () => {
    const stats = statSync(database, { bigint: true, throwIfNoEntry: false })
    return stats && `${stats.ino} ${stats.size} ${stats.mtimeNs}`
  }
  const before = look()
  return () => {
    const now = look()
    // One that is removed stays as it is for those who have it open, and what they read may be the last copy.
    if (now === before || now === undefined) return
    throw new FluxError('EBUSY', `${name}: changed while it was read`, {
      hint: 'a broker was started on it, or somebody restores into it: try again when it is at rest, or read the instance live with --uri',
    })
  }
}
