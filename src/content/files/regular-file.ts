import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'

/** Follow no link, which could lead to any file. Do not block on a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Open a file of a store, and refuse anything but a regular file.
 *
 * @param maxBytes - the largest size that such a file can have
 * @returns the descriptor, which the caller must close, and the size
 * @throws {FluxError} `EINVAL` not a regular file; `EFBIG` larger; or the errno of the file system: `ENOENT`, `EACCES`,
 *   …
 */
export function openRegularFile(path: string, maxBytes: number): { fd: number; size: number } {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    // ENXIO: a socket, or a device that does not exist.
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
    return { fd, size: stats.size }
  } catch (error) {
    closeSync(fd)
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  }
}

/**
 * Open a file of a store, call `work` and close it.
 *
 * @throws {FluxError} as {@link openRegularFile}; what `work` throws
 */
export function withRegularFile<T>(path: string, maxBytes: number, work: (fd: number, size: number) => T): T {
  const { fd, size } = openRegularFile(path, maxBytes)
  try {
    return work(fd, size)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  } finally {
    closeSync(fd)
  }
}

/** Fill a buffer from a position in a file. @returns the number of bytes read, less than asked for at the end */
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
