/** The archive in which some blobs of a pack lie. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'

/** An archive, and what identified it when the pack was opened. */
export interface ArchiveToRead {
  readonly path: string
  readonly identity: string
}

/** @throws {FluxError} the errno of the file system */
export function archiveToRead(path: string): ArchiveToRead {
  try {
    return { path, identity: identityOf(statSync(path, { bigint: true })) }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot open ${path}`)
  }
}

export class ArchiveFile {
  readonly fd: number
  readonly #archive: ArchiveToRead

  /** @throws {FluxError} `EBUSY` another file has its name now; or the errno of the file system */
  constructor(archive: ArchiveToRead) {
    this.#archive = archive
    try {
      // Opening a pipe would wait for its other end.
      this.fd = openSync(archive.path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot open ${archive.path}`)
    }
    try {
      this.assertUnchanged()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** @throws {FluxError} `EBUSY` it was written to since the pack was opened */
  assertUnchanged(): void {
    const { path, identity } = this.#archive
    if (identityOf(fstatSync(this.fd, { bigint: true })) === identity) return
    const hint = 'try again: it will be read anew'
    throw new FluxError('EBUSY', `${path}: the archive has changed since it was read`, { hint })
  }

  close(): void {
    closeSync(this.fd)
  }
}

/** Not its time of change: a name more or less, or another mode, does not change what is in it. */
function identityOf({ dev, ino, size, mtimeNs }: Record<'dev' | 'ino' | 'size' | 'mtimeNs', bigint>): string {
  return [dev, ino, size, mtimeNs].join(' ')
}
