import { OfflineStore } from './offline-store.ts'
import { recogniseStore } from './recognise-store.ts'
import { StoreReader } from './store-reader.ts'

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** Compare each blob with its blobref (default true). */
  verify?: boolean | undefined
  /** More directories to try for the links or copies of a store with a journal. */
  scratchDirs?: readonly string[] | undefined
  /** When it is aborted, reads in progress fail at once. */
  signal?: AbortSignal | undefined
}

/**
 * Open the content store of an instance that is down, read-only and without leaving files beside it.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory, recognised by content and not by name
 * @throws {FluxError} `ENOENT` the path does not exist; `EINVAL` it is no content store; `EBUSY` a broker holds it;
 *   `ENOSPC` it has a journal and there is no room to copy it; `EBADMSG` damaged
 */
export async function openStore(path: string, options: OpenStoreOptions = {}): Promise<OfflineStore> {
  return new OfflineStore(await openReader(path, options))
}

/**
 * Open only the reader of a store. Parameters and errors as {@link openStore}.
 *
 * @param options - `inThread`: read in the thread from the beginning, because the store will be removed
 */
export async function openReader(
  path: string,
  options: OpenStoreOptions & { inThread?: boolean } = {},
): Promise<StoreReader> {
  const { verify = true, scratchDirs = [], signal, inThread } = options
  const found = recogniseStore(path)
  const plan = await found.kind.openToRead(found.path, { verify, scratchDirs })
  try {
    return await StoreReader.open(found.path, plan, signal, inThread)
  } finally {
    plan.opened?.()
  }
}
