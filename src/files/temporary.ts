/** Temporary files and directories. However the process ends, nothing is left, or the next process removes it. */
import { constants, statSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FluxError, writeHint } from '../errors/index.ts'
import { PartFile } from './part-file.ts'
import { partName } from './part-name.ts'

/** Linux's O_TMPFILE, which opens a file without a name. node:fs lacks the constant. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/** The final name that their part names are made from. */
const NAME = 'flux-ts'

/**
 * Open a file without a name, for reading and writing.
 *
 * @param directory - whose file system holds the file
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function openNameless(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, constants.O_RDWR | O_TMPFILE, 0o600)
  } catch {
    // Not every file system supports it. Any other problem makes the next open fail too.
  }
  const path = partName(join(directory, NAME))
  const handle = await open(path, 'wx+', 0o600)
  try {
    await unlink(path)
  } catch (error) {
    await handle.close()
    throw error
  }
  return handle
}

/**
 * Make a temporary directory, and remove those that killed processes left in the same place.
 *
 * Files in it are opened by name. A user who can rename in `parent` could put a directory of their own in its place, with
 * links in it. So nobody else may be able to: the sticky bit of /tmp is enough.
 *
 * @returns its path, and a function that removes it with its contents and never throws
 * @throws {FluxError} `EACCES` other users can rename in `parent`
 * @throws {NodeJS.ErrnoException} of the file system
 */
export function makeTemporaryDirectory(parent: string): { path: string; remove(): void } {
  const { mode, uid } = statSync(parent)
  const isOpen = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0
  if (isOpen || (uid !== 0 && uid !== process.geteuid?.())) {
    const what = `${parent}: not safe for temporary files, because other users can rename them there`
    throw new FluxError('EACCES', what, { hint: isTemporary(parent) ? OTHER_DIRECTORY : undefined })
  }
  return new PartFile(join(parent, NAME), 'directory')
}

const OTHER_DIRECTORY = 'set TMPDIR to another directory'

function isTemporary(path: string): boolean {
  const parent = tmpdir()
  return path === parent || path.startsWith(`${parent}/`)
}

/**
 * Wrap an error of the operating system that came from a temporary file, and say what to do about it: another TMPDIR
 * helps only where that is the place of the file.
 *
 * @param what - what failed: `cannot write a temporary file in`
 * @param path - the file, or its directory
 * @returns `error` itself when it is a {@link FluxError} already
 */
export function temporaryError(error: unknown, what: string, path: string): FluxError {
  const isOfPlace = (error as NodeJS.ErrnoException | undefined)?.code !== 'EMFILE'
  const hint = isOfPlace && isTemporary(path) ? OTHER_DIRECTORY : writeHint(error)
  return FluxError.fromSystem(error, `${what} ${path}`, { hint })
}
