import { OfflineStore } from './offline-store.ts'
import { recogniseStore } from './recognise-store.ts'
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
  const plan = await found.kind.openToRead(found.path, { verify, scratchDirs })
  try {
    return await StoreReader.open(found.path, plan, signal)
  } finally {
    plan.opened?.()
  }
}
