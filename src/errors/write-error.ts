import type { ErrnoName } from './errno.ts'
import { FluxError } from './flux-error.ts'

/** What to do when a file cannot be written. */
const HINTS: Partial<Record<ErrnoName, string>> = {
  EACCES: 'look at the permissions of its directory',
  EDQUOT: 'make room within the quota, or write to another file system',
  EEXIST: 'choose another name',
  EFBIG: 'raise the limit on file sizes (ulimit -f), or write to another file system',
  EIO: 'look at the disk, or write to another file system',
  EISDIR: 'name a file',
  ENAMETOOLONG: 'choose a shorter name',
  ENOENT: 'make its directory first',
  ENOSPC: 'make room, or write to another file system',
  ENOTDIR: 'name a file in a directory',
  EPERM: 'look at the permissions and attributes of its directory',
  EPIPE: 'look why its reader has ended',
  EROFS: 'write to another file system',
}

/**
 * Wrap an error of the operating system that came while a file was written, and say what to do about it.
 *
 * @param path - the name of the file, as the user gave it
 * @returns `error` itself when it is a {@link FluxError} already
 */
export function writeError(error: unknown, path: string): FluxError {
  return FluxError.fromSystem(error, `cannot write ${path}`, { hint: writeHint(error) })
}

/** What to do about an error of the operating system that came while a file was written, if that is known. */
export function writeHint(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code as ErrnoName
  return HINTS[code]
}
