import { dirname } from 'node:path'
import { throwIfAborted, writeError } from '../errors/index.ts'
import { type PartFile, syncFile, syncPath } from '../files/index.ts'

/**
 * Flush a new file to disk, and give it its name. Nothing blocks: a flush can take minutes, and signals must be heard
 * meanwhile.
 *
 * @throws {FluxError} `EEXIST` and the like, of the file system; `EINTR` the signal was aborted: it has no name
 */
export async function publishNew(part: PartFile, path: string, signal?: AbortSignal): Promise<void> {
  try {
    await syncFile(part.fd)
    throwIfAborted(signal)
    part.publish('nothing')
    await syncPath(dirname(path))
  } catch (error) {
    throw writeError(error, path)
  }
}
