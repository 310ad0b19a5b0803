/** Puts a rescued store in the place of the old one, which is kept beside it under another name. */
import {
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { assertStoreIsFree } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { PartFile, syncPathSync } from '../files/index.ts'

/** Files that SQLite keeps beside a database. They belong to the old one. */
const JOURNALS = ['-wal', '-shm', '-journal']

/**
 * @param database - the old `content.sqlite`
 * @param rescued - the new one; it stays where it is
 * @returns the path that the old one has now
 * @throws {FluxError} `EBUSY` a process holds the old one; or the errno of the file system. The old one is in its place
 *   then, unless the message says otherwise
 */
export function install(database: string, rescued: string): string {
  assertStoreIsFree(database)
  const kept = freeName(database)
  try {
    const old = statSync(database)
    const part = new PartFile(database, 'file')
    try {
      copyFileSync(rescued, part.path, constants.COPYFILE_FICLONE)
      fchmodSync(part.fd, old.mode & 0o7777)
      if (old.uid !== process.geteuid?.()) fchownSync(part.fd, old.uid, old.gid)
      fsyncSync(part.fd)
      assertStoreIsFree(database)
      // The old one has both names until the new one takes the first, so there is a store under it at any moment.
      linkSync(database, kept)
      for (const journal of JOURNALS) if (existsSync(database + journal)) renameSync(database + journal, kept + journal)
      syncPathSync(dirname(database))
      part.publish('any')
      syncPathSync(dirname(database))
    } finally {
      part.remove()
    }
  } catch (error) {
    if (error instanceof FluxError) throw error
    throw FluxError.fromSystem(error, `cannot install the rescued store as ${database}`)
  }
  return kept
}

function freeName(database: string): string {
  for (let i = 1; ; i++) {
    const name = `${database}.before-rescue${i > 1 ? `-${i}` : ''}`
    if (![name, ...JOURNALS.map((journal) => name + journal)].some((path) => existsSync(path))) return name
  }
}
