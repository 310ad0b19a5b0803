/** What a path names as a content store: what it is counts, not its name, unless there is nothing yet. */
import { closeSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FluxError } from '../errors/index.ts'
import { isBlobref } from './blobref.ts'
import { CHECKPOINT_FILE } from './files/reader.ts'

/** A content store on disk, recognised. */
export interface FoundStore {
  kind: 'sqlite' | 'files'
  path: string
}

const SQLITE_NAME = 'content.sqlite'
const FILES_NAME = 'content.files'
const SQLITE_MAGIC = 'SQLite format 3\0'

/**
 * The store to be read at a path.
 *
 * @throws {FluxError} `EINVAL` when there is none, or two; or the errno of the file system
 */
export function recogniseStore(path: string): FoundStore {
  const stats = look(path)
  if (stats === undefined) throw new FluxError('ENOENT', `cannot open store ${path}: No such file or directory`)
  if (!stats.isDirectory()) {
    if (isSqlite(path)) return { kind: 'sqlite', path }
    throw notAStore(path, 'it is not an SQLite database')
  }
  const found = storeIn(path)
  if (found) return found
  throw notAStore(
    path,
    list(path).includes(SQLITE_NAME)
      ? `its ${SQLITE_NAME} is not an SQLite database`
      : `it has neither ${SQLITE_NAME} nor ${FILES_NAME} in it`,
  )
}

/**
 * The store to be written at a path; where there is none, the one to be made.
 *
 * @throws {FluxError} `EINVAL` when there is something else, or nothing and the name does not say what to make
 */
export function recogniseTarget(path: string): FoundStore {
  const stats = look(path)
  const name = basename(path)
  if (stats === undefined) {
    if (name === FILES_NAME) return { kind: 'files', path }
    if (name.endsWith('.sqlite')) return { kind: 'sqlite', path }
    throw new FluxError('EINVAL', `${path}: does not exist, and its name does not say what store to make`, {
      hint: `name it ${SQLITE_NAME} or ${FILES_NAME}, or give a statedir that exists`,
    })
  }
  // SQLite takes an empty file for an empty database.
  if (!stats.isDirectory()) return stats.isFile() && stats.size === 0 ? { kind: 'sqlite', path } : recogniseStore(path)
  const found = storeIn(path)
  if (found) return found
  return name === FILES_NAME ? { kind: 'files', path } : { kind: 'sqlite', path: join(path, SQLITE_NAME) }
}

/** The store that a directory holds, or is. */
function storeIn(dir: string): FoundStore | undefined {
  const names = list(dir)
  const inside: FoundStore[] = []
  const sqlite = join(dir, SQLITE_NAME)
  if (names.includes(SQLITE_NAME) && isSqlite(sqlite)) inside.push({ kind: 'sqlite', path: sqlite })
  const files = join(dir, FILES_NAME)
  if (names.includes(FILES_NAME) && statSync(files).isDirectory()) inside.push({ kind: 'files', path: files })
  const [first, second] = inside
  if (first && second) {
    throw new FluxError('EINVAL', `${dir}: holds two stores, ${basename(first.path)} and ${basename(second.path)}`, {
      hint: 'name the one you mean',
    })
  }
  if (first) return first
  return names.some((name) => isBlobref(name) || name === CHECKPOINT_FILE) ? { kind: 'files', path: dir } : undefined
}

function notAStore(path: string, why: string): FluxError {
  return new FluxError('EINVAL', `${path}: not a Flux content store: ${why}`, {
    hint: 'give a statedir, a content.sqlite or a content.files directory',
  })
}

/** @returns undefined when there is nothing */
function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw FluxError.fromSystem(error, `cannot open store ${path}`)
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${dir}`)
  }
}

function isSqlite(path: string): boolean {
  const head = Buffer.alloc(SQLITE_MAGIC.length)
  try {
    // A pipe would be waited for, and no signal be heard meanwhile.
    if (!statSync(path).isFile()) return false
    const fd = openSync(path, 'r')
    try {
      readSync(fd, head, 0, head.length, 0)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot open store ${path}`)
  }
  return head.toString('latin1') === SQLITE_MAGIC
}
