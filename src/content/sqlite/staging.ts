/**
 * A private view of a database whose journal must be read along with it.
 *
 * After a crash `content.sqlite-wal` holds the newest commits. SQLite reads them, but makes a `-shm` file beside the
 * database for that, and a rollback journal it would even play back into the original. So the files get second names in
 * a directory of our own: hard links, which cost nothing and never change the original as long as the connection is read
 * only; else reflinks; else copies, if there is room. The directory is removed as soon as SQLite has the files open.
 */
import { constants, copyFileSync, linkSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import { makeTemporaryDirectory } from '../../files/index.ts'

export interface Staged {
  /** The database under its second name. */
  readonly path: string
  /** Remove the second names. An open connection is not disturbed. */
  remove(): void
}

/** A way to give a file a second name; throws when it does not work between the two places. */
type Means = (from: string, to: string) => void

const reflink: Means = (from, to) => copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE)

/**
 * @param database - the original
 * @param suffixes - of the files that belong to it: `-wal`, `-journal`
 * @param scratchDirs - directories to try before the parent of the store's own; the temporary directory is always tried
 * @throws {FluxError} `ENOSPC` when only a copy would do and there is no room; or whatever the copy fails with
 */
export function stage(database: string, suffixes: readonly string[], scratchDirs: readonly string[]): Staged {
  // Playing a rollback journal back writes to the database, so that one must not share its bytes with the original.
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
  const { bavail, bsize } = statfsSync(dir)
  if (bavail * bsize < bytes) {
    throw new FluxError(
      'ENOSPC',
      `${database}: has a ${suffixes.join(' and a ')} left by a crash, and reading that takes a copy of ${bytes} bytes, but ${dir} has only ${bavail * bsize}`,
      { hint: 'set TMPDIR to a directory on the same file system as the store, where a link will do' },
    )
  }
  const staged = tryStage(database, suffixes, dir, copyFileSync)
  if (staged instanceof Error) throw FluxError.fromSystem(staged, `cannot copy ${database} to ${dir}`)
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
