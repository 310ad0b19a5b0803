/**
 * A private view of a database that has a journal.
 *
 * After a crash `content.sqlite-wal` holds the newest commits. To read them, SQLite makes a `-shm` file beside the
 * database; and it would apply a rollback journal to the original. So the files get second names in a directory of our
 * own: hard links, which cost nothing and cannot change the original through a read-only connection; or else reflinks;
 * or else copies, if there is room. The directory is removed as soon as SQLite has the files open.
 */
import { constants, copyFileSync, linkSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { byteText, FluxError } from '../../errors/index.ts'
import { freeBytes, makeTemporaryDirectory, temporaryError } from '../../files/index.ts'

export interface Staged {
  /** The database under its second name. */
  readonly path: string
  /** Remove the second names. An open connection keeps working. */
  remove(): void
}

/** A way to give a file a second name; throws when it is not possible between the two directories. */
type Means = (from: string, to: string) => void

const reflink: Means = (from, to) => copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE)

/**
 * Give a database and its journals second names.
 *
 * @param database - the original
 * @param suffixes - the suffixes of its journals: `-wal`, `-journal`
 * @param scratchDirs - directories to try after the temporary directory and before the parent of the store's directory
 * @throws {FluxError} `ENOSPC` only a copy is possible and there is no room; or the errno that the copy fails with
 */
export function stage(database: string, suffixes: readonly string[], scratchDirs: readonly string[]): Staged {
  // SQLite writes to the database when it applies a rollback journal, so a hard link would change the original.
  const writes = suffixes.includes('-journal')
  const near = [...new Set([tmpdir(), ...scratchDirs, dirname(dirname(database))])]
  for (const means of writes ? [reflink] : [linkSync, reflink]) {
    for (const dir of near) {
      const staged = tryStage(database, suffixes, dir, means)
      if (!(staged instanceof Error)) return staged
    }
  }
  return stageCopy(database, suffixes)
}

function stageCopy(database: string, suffixes: readonly string[]): Staged {
  const dir = tmpdir()
  const bytes = ['', ...suffixes].reduce((sum, suffix) => sum + statSync(database + suffix).size, 0)
  const free = freeBytes(dir)
  if (free < bytes) {
    throw new FluxError(
      'ENOSPC',
      `${database}: has a ${suffixes.join(' and a ')} left by a crash, and reading that takes a copy of ${byteText(bytes)}, but ${dir} has only ${byteText(free)} free`,
      { hint: 'set TMPDIR to a directory with more room, best on the file system of the store' },
    )
  }
  const staged = tryStage(database, suffixes, dir, copyFileSync)
  if (staged instanceof Error) throw temporaryError(staged, `cannot copy ${database} to`, dir)
  return staged
}

function tryStage(database: string, suffixes: readonly string[], parent: string, means: Means): Staged | Error {
  let dir: ReturnType<typeof makeTemporaryDirectory> | undefined
  try {
    dir = makeTemporaryDirectory(parent)
    const path = join(dir.path, 'content.sqlite')
    for (const suffix of ['', ...suffixes]) means(database + suffix, path + suffix)
    return { path, remove: dir.remove.bind(dir) }
  } catch (error) {
    dir?.remove()
    return error as Error
  }
}
