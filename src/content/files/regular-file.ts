import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'

/** A link could lead to any file; a pipe would be waited for, and a device have no end. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Work on a file of a store, which may be something else.
 *
 * @param maxBytes - the most that such a file can have
 * @param work - is given the descriptor of a regular file, and its size
 * @throws {FluxError} `EINVAL` not a regular file; `EFBIG` larger; or the errno of the file system: `ENOENT`, `EACCES`, …
 */
export function withRegularFile<T>(path: string, maxBytes: number, work: (fd: number, size: number) => T): T {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    // ENXIO: a socket, or a device that is not there.
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'ENXIO') throw notRegular(path)
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw notRegular(path)
    if (stats.size > maxBytes) {
      throw new FluxError('EFBIG', `${path}: has ${stats.size} bytes, and ${maxBytes} are the most it can have`)
    }
    return work(fd, stats.size)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  } finally {
    closeSync(fd)
  }
}

/** Fill a buffer from a position in a file. @returns how many bytes there were */
export function readAt(fd: number, buffer: Uint8Array, position: number): number {
  let at = 0
  for (let n = -1; at < buffer.length && n !== 0; at += n) {
    n = readSync(fd, buffer, at, buffer.length - at, position + at)
  }
  return at
}

function notRegular(path: string): FluxError {
  return new FluxError('EINVAL', `${path}: not a regular file`)
}
