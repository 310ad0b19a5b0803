/**
 * Prepares a `content.sqlite` for a thread to open: checks that no broker holds it, and links or copies its journals.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'
import { moduleBeside } from '../../threads/index.ts'
import type { ReadOptions, ReadPlan, WriteOptions, WritePlan } from '../store-kind.ts'
import { compressBlob } from './compress.ts'
import { assertNotHeld } from './lock-holder.ts'
import { newDatabase } from './new-database.ts'
import type { PagesReading } from './pages/reader.ts'
import type { SqliteReading } from './reader.ts'
import { IN_USE } from './sqlite-error.ts'
import { stage } from './staging.ts'
import type { SqliteWriting } from './writer.ts'

/**
 * @throws {FluxError} `EBUSY` a broker holds it; `ENOSPC` it has a journal and there is no room to copy it; or the
 *   errno of the file system
 */
export function planReading(path: string, { verify, scratchDirs }: ReadOptions): ReadPlan {
  const database = realpathSync(path)
  assertAtRest(database, path)
  const assertUnchanged = changeGuard(database, path)
  const module = moduleBeside('./reader', import.meta.url).href
  const data: SqliteReading = { path, name: path, access: 'immutable', verify }
  const journals = journalsOf(database, constants.R_OK)
  if (journals.length === 0) {
    return { module, data, assertUnchanged, newCopy: newDatabase, load: () => import('./reader.ts') }
  }
  const staged = stage(database, journals, scratchDirs)
  data.path = staged.path
  data.access = journals.includes('-journal') ? 'private' : 'readonly'
  return { module, data, assertUnchanged, newCopy: newDatabase, opened: () => staged.remove() }
}

/** Without SQLite: what is left in the pages of a damaged database and of its journals. @throws {FluxError} `EBUSY` a broker holds it */
export function planSalvage(path: string, { verify }: ReadOptions): ReadPlan {
  const database = realpathSync(path)
  assertAtRest(database, path)
  const data: PagesReading = { path: database, name: path, verify }
  return {
    module: moduleBeside('./pages/reader', import.meta.url).href,
    data,
    assertUnchanged: changeGuard(database, path),
  }
}

/**
 * Beside the broker that holds the database and writes to it. SQLite is told that nobody does: it takes no lock, does not
 * open the write-ahead log, and makes no file. So the broker does not notice, and only verification tells what is torn.
 */
export function planReadingBeside(path: string): ReadPlan {
  const module = moduleBeside('./reader', import.meta.url).href
  const data: SqliteReading = { path, name: path, access: 'immutable', verify: true }
  return { module, data }
}

/** @throws {FluxError} `EBUSY` a broker holds it */
export function planWriting(path: string, { name, hash }: WriteOptions): WritePlan {
  assertNotHeld(path, name, IN_USE.writing)
  journalsOf(path, constants.R_OK | constants.W_OK)
  const data: SqliteWriting = { path, name, hash }
  return { module: moduleBeside('./writer', import.meta.url).href, data, compress: compressBlob }
}

function assertAtRest(database: string, path: string): void {
  assertNotHeld(database, path, IN_USE.reading)
}

/**
 * The suffixes of the journals that hold something.
 *
 * @throws {FluxError} one of them may not be used, which SQLite would say of the database, without a reason
 */
function journalsOf(database: string, access: number): string[] {
  const journals = ['-wal', '-journal'].filter((suffix) => sizeOf(database + suffix) > 0)
  for (const suffix of journals) {
    try {
      accessSync(database + suffix, access)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot open ${database + suffix}, which holds the newest changes`)
    }
  }
  return journals
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/**
 * SQLite's own locks do not protect an immutable or staged reader, so check after reading that the file is the same.
 */
function changeGuard(database: string, name: string): () => void {
  const look = () => {
    const stats = statSync(database, { bigint: true, throwIfNoEntry: false })
    return stats && `${stats.ino} ${stats.size} ${stats.mtimeNs}`
  }
  const before = look()
  return () => {
    const now = look()
    // A removed file stays intact for us while we have it open, and may be the last copy.
    if (now === before || now === undefined) return
    throw new FluxError('EBUSY', `${name}: changed while it was read`, {
      hint: 'a broker was started on it, or somebody restores into it: try again when it is at rest, or read the instance live with --uri',
    })
  }
}
