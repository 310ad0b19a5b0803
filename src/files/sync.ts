/** Have things on disk: a rename is only sure to last when its directory is there too. */
import { closeSync, fsync, fsyncSync, openSync } from 'node:fs'
import { promisify } from 'node:util'

/** Some file systems cannot do it to a directory, and need not. EACCES: one that may be written to, but not read. */
const TOLERATED = ['EACCES', 'EINVAL', 'ENOTSUP', 'EPERM', 'EBADF']

function tolerate(error: unknown): void {
  if (!TOLERATED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
}

/** Flush a file or directory to disk. @throws {NodeJS.ErrnoException} */
export async function syncPath(path: string): Promise<void> {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    await promisify(fsync)(fd)
  } catch (error) {
    tolerate(error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** As {@link syncPath}, for threads that may block. */
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
