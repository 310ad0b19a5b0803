import { realpathSync } from 'node:fs'
import type { HashName } from './blobref.ts'
import type { ContentWriter } from './content-writer.ts'
import { OfflineWriter } from './offline-writer.ts'
import { recogniseTarget } from './recognise-store.ts'

/** What {@link openStoreWriter} is to make, or to find. */
export interface OpenStoreWriterOptions {
  /** The algorithm of blobrefs: of a store that is made (default sha1); of one that is there, what it must be. */
  hash?: HashName | undefined
}

/**
 * Open the content store of an instance that is down, to add to it; or make one. Nothing of it is seen until the commit.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory; what it is counts, not its name. Where
 *   there is nothing, the name must end in `.sqlite` or be `content.files`
 * @throws {FluxError} `EINVAL` no content store, one of another algorithm, or one with triggers; `EBUSY` a broker holds it; `EEXIST` files
 *   of another store lie beside it; `EBADMSG` damaged; or the errno of the file system
 */
export async function openStoreWriter(path: string, options: OpenStoreWriterOptions = {}): Promise<ContentWriter> {
  const { kind, path: name } = recogniseTarget(path)
  return OfflineWriter.open(name, await kind.openToWrite(realpath(name), { name, hash: options.hash }))
}

/** A file that is made does not have one yet. */
function realpath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
