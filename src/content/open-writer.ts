import { realpathSync } from 'node:fs'
import { FluxError } from '../errors/index.ts'
import { followLinks } from '../files/index.ts'
import type { HashName } from './blobref.ts'
import type { ContentWriter } from './content-writer.ts'
import { OfflineWriter } from './offline-writer.ts'
import { recogniseTarget } from './recognise-store.ts'

/** Options of {@link openStoreWriter}. */
export interface OpenStoreWriterOptions {
  /** The algorithm of a new store (default sha1). An existing store must already have it. */
  hash?: HashName | undefined
}

/**
 * Open the content store of an instance that is down to add to it, or make a new one. Readers see nothing of it until
 * the commit.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory, recognised by content and not by name.
 *   If the path does not exist, its name must end in `.sqlite` or be `content.files`
 * @throws {FluxError} `EINVAL` no content store, one of another algorithm, or one with triggers; `EBUSY` a broker holds
 *   it; `EACCES` another user has put it where everybody may write; `EEXIST` journals of another database are beside it; `EBADMSG` damaged; or the errno of the file system
 */
export async function openStoreWriter(path: string, options: OpenStoreWriterOptions = {}): Promise<ContentWriter> {
  try {
    await followLinks(path)
  } catch (error) {
    // A path that cannot be followed is named better below.
    if (error instanceof FluxError && error.code === 'EACCES') throw error
  }
  const { kind, path: name } = recogniseTarget(path)
  return OfflineWriter.open(name, await kind.openToWrite(realpath(name), { name, hash: options.hash }))
}

/** The path with links resolved; unchanged for a file that does not exist yet. */
function realpath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
