/** Files for a while: nothing is left of them however the process ends, or the next one removes it. */
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PartFile } from './part-file.ts'
import { partName } from './part-name.ts'

/** Linux's O_TMPFILE, which node:fs does not name: a file that never has a name. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

/** What they are called. */
const NAME = 'flux-ts'

/**
 * A file without a name, for reading and writing.
 *
 * @param directory - where there is room
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function openNameless(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, constants.O_RDWR | O_TMPFILE, 0o600)
  } catch {
    // Not every file system can; what else is wrong is said by the next.
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
 * Make a directory of our own, for a while; and remove those that killed processes have left there.
 *
 * @returns its path, and what removes it with all that is in it, which never throws
 * @throws {NodeJS.ErrnoException} of the file system
 */
export function makeTemporaryDirectory(parent: string): { path: string; remove(): void } {
  return new PartFile(join(parent, NAME), 'directory')
}
