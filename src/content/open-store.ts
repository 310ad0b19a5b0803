import { OfflineStore } from './offline-store.ts'
import { recogniseStore } from './recognise-store.ts'
import { StoreReader } from './store-reader.ts'

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** Compare each blob with its blobref (default true). */
  verify?: boolean | undefined
  /**
   * Read what is left of a damaged store (default false): all blobs and checkpoints that are still in the file, also those of
   * deleted rows, whatever became of the rest of it. The whole file is read for that.
   */
  salvage?: boolean | undefined
  /** More directories to try for the links or copies of a store with a journal. */
  scratchDirs?: readonly string[] | undefined
  /** When it is aborted, reads in progress fail at once. */
  signal?: AbortSignal | undefined
}

/**
 * Open the content store of an instance that is down, read-only and without leaving files beside it.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory, recognised by content and not by name
 * @throws {FluxError} `ENOENT` the path does not exist; `EINVAL` it is no content store, or nothing is left of it; `EBUSY` a broker holds it;
 *   `ENOSPC` it has a journal and there is no room to copy it; `EBADMSG` damaged
 */
export async function openStore(path: string, options: OpenStoreOptions = {}): Promise<OfflineStore> {
  return new OfflineStore(await openReader(path, options), undefined, options.verify === false)
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
  const { verify = true, salvage = false, scratchDirs = [], signal, inThread } = options
  const { kind, path: found } = recogniseStore(path, { salvage })
  const reading = { verify, scratchDirs }
  const plan = await (salvage && kind.openToSalvage
    ? kind.openToSalvage(found, reading)
    : kind.openToRead(found, reading))
  try {
    return await StoreReader.open(found, plan, signal, inThread)
  } finally {
    plan.opened?.()
  }
}
