/** Makes the store of an archive: restores the archive, or opens what an earlier process has kept. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlobResult,
  type Checkpoint,
  ContentError,
  type HashName,
  type OfflineStore,
  openPack,
  PackWriter,
} from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { makeTemporaryDirectory, temporaryError } from '../files/index.ts'
import { type ArchiveCache, keyOfArchive, type Warning } from './archive-cache.ts'
import { type ArchiveReading, Restore, type RestoreResult } from './restore.ts'

/** Options of `ArchiveStore.open`. */
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
export interface RestoredArchive {
  readonly store: OfflineStore
  readonly result: RestoreResult
}

/** A missing blob may be one that the archive never had: then reading the archive once more does no harm. */
export function isDamaged(result: BlobResult): boolean {
  return result instanceof ContentError && result.code !== 'EFBIG'
}

/** @returns undefined when the archive is not kept, or what was kept is damaged */
export async function openKept(
  cache: ArchiveCache,
  key: string,
  path: string,
  { hash = 'sha1', onWarning }: OpenArchiveStoreOptions,
): Promise<RestoredArchive | undefined> {
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
 * Restore an archive into a file without a name.
 *
 * @param key - what the archive is known by, if its values may be left where they are: see {@link keyOfArchive}
 * @param cache - where to keep the store
 */
export async function restoreToStore(
  path: string,
  { hash = 'sha1', scratchDir = tmpdir(), salvage, onWarning, onStart, signal }: OpenArchiveStoreOptions,
  key?: string,
  cache?: ArchiveCache,
): Promise<RestoredArchive> {
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
