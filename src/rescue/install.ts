/** Puts a rescued store in the place of the old one, which is kept beside it under another name. */
import {
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  linkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FoundStore } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { PartFile, syncFile, syncPath, syncPathSync } from '../files/index.ts'

/** Files that SQLite keeps beside a database. They belong to the old one. */
const JOURNALS = ['-wal', '-shm', '-journal']

/** What {@link install} replaces. */
export interface InstallPlan {
  readonly found: FoundStore
  /** The file, with links resolved. */
  readonly database: string
}

/**
 * Check early that a store can be replaced.
 *
 * @throws {FluxError} `EBUSY` a process holds it; `ENOTSUP` it is no database
 */
export async function planInstall(found: FoundStore): Promise<InstallPlan> {
  const { kind, path } = found
  if (kind.isDirectory) {
    throw new FluxError('ENOTSUP', `${path}: --install replaces a content.sqlite, and this is ${kind.what}`, {
      hint: 'leave out --install, and start an instance from the content.sqlite that is made',
    })
  }
  const plan = { found, database: realpathSync(path) }
  await assertAtRest(plan)
  return plan
}

/** @throws {FluxError} `EBUSY` */
async function assertAtRest({ found, database }: InstallPlan): Promise<void> {
  await found.kind.openToWrite(database, { name: found.path, hash: undefined })
}

/**
 * Replace the old store.
 *
 * @param rescued - the new one; it stays where it is
 * @returns the path that the old one has now
 * @throws {FluxError} `EBUSY` a process holds the old one; or the errno of the file system. Then the old one is in its
 *   place, with its journals, unless the message says that the new one is
 */
export async function install(plan: InstallPlan, rescued: string): Promise<string> {
  const { database } = plan
  await assertAtRest(plan)
  const kept = freeName(database)
  try {
    const old = statSync(database)
    const part = new PartFile(database, 'file')
    try {
      await copyFile(rescued, part.path, constants.COPYFILE_FICLONE)
      fchmodSync(part.fd, old.mode & 0o7777)
      // The broker must be able to open it.
      if (old.uid !== process.geteuid?.()) fchownSync(part.fd, old.uid, old.gid)
      await syncFile(part.fd)
      await assertAtRest(plan)
      replace(database, kept, part)
    } finally {
      part.remove()
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot install the rescued store as ${database}`, {
      hint: 'the old store is as it was, and the new one is with the results',
    })
  }
  await syncPath(dirname(database)).catch((error) => {
    const what = `the rescued store is in its place, ${database}, but may not be on the disk`
    throw FluxError.fromSystem(error, what, { hint: `look at the disk; the old store is ${kept}` })
  })
  return kept
}

/**
 * The old store has both names until the new one takes the first, so there is a store under it at any moment. It is done in
 * one go: a signal that kills must not find the old one without its journals, which hold its last changes.
 */
function replace(database: string, kept: string, part: PartFile): void {
  const { ino } = statSync(database, { bigint: true })
  linkSync(database, kept)
  const moved: string[] = []
  try {
    for (const journal of JOURNALS) {
      if (!existsSync(database + journal)) continue
      renameSync(database + journal, kept + journal)
      moved.push(journal)
    }
    syncPathSync(dirname(database))
    part.publish('any')
  } catch (error) {
    if (statSync(database, { bigint: true }).ino === ino) {
      for (const journal of moved) renameSync(kept + journal, database + journal)
      unlinkSync(kept)
    }
    throw error
  }
}

function freeName(database: string): string {
  for (let i = 1; ; i++) {
    const name = `${database}.before-rescue${i > 1 ? `-${i}` : ''}`
    if (![name, ...JOURNALS.map((journal) => name + journal)].some((path) => existsSync(path))) return name
  }
}
