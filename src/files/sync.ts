/** Flush files and directories to disk. A rename survives a crash only after its directory was flushed too. */
import { closeSync, fsync, fsyncSync, openSync } from 'node:fs'

/**
 * Errors to ignore: some file systems cannot flush a directory, and need not. `EACCES`: we may write to the directory,
 * but not read it.
 */
const TOLERATED = ['EACCES', 'EINVAL', 'ENOTSUP', 'EPERM', 'EBADF']

function tolerate(error: unknown): void {
  if (!TOLERATED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
}

/**
 * Flush an open file to disk. It does not block: signals must be heard meanwhile. One that came before the end is heard
 * first: libuv tells of signals last.
 *
 * @throws {NodeJS.ErrnoException}
 */
export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : setImmediate(resolve))))
}

/** Flush a file or directory to disk. @throws {NodeJS.ErrnoException} */
export async function syncPath(path: string): Promise<void> {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    await syncFile(fd)
  } catch (error) {
    tolerate(error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** As {@link syncPath}, but blocking: for threads. */
export function syncPathSync(path: string): void {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    fsyncSync(fd)
  } catch (error) {
    tolerate(error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
