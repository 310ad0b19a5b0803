import { closeSync, openSync, readdirSync, readSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FluxError } from '../errors/index.ts'
import { isBlobref } from './blobref.ts'
import { CHECKPOINT_FILE } from './files/reader.ts'
import { OfflineStore } from './offline-store.ts'
import type { ReaderThreadData } from './reader-thread.ts'
import { lockHolder } from './sqlite/lock-holder.ts'
import { type Staged, stage } from './sqlite/staging.ts'

export interface OpenStoreOptions {
  /** Compare each blob with its blobref (default true). */
  verify?: boolean | undefined
  /** Directories where a store with a journal may get second names, beside those that are tried anyway. */
  scratchDirs?: readonly string[] | undefined
}

/** A content store on disk, recognised. */
interface Found {
  kind: 'sqlite' | 'files'
  path: string
}

const SQLITE_MAGIC = 'SQLite format 3\0'

/**
 * Open the content store of an instance that is down: read-only, and without leaving anything beside it.
 *
 * @param path - a statedir, a `content.sqlite`, or a `content.files` directory; what it is counts, not its name
 * @throws {FluxError} `ENOENT` nothing there; `EINVAL` no content store; `EBUSY` a broker holds it; `ENOSPC` it has a
 *   journal and there is no room to read that; `EBADMSG` damaged
 */
export async function openStore(path: string, options: OpenStoreOptions = {}): Promise<OfflineStore> {
  const { verify = true, scratchDirs = [] } = options
  const found = recognise(path)
  const data: ReaderThreadData = { kind: found.kind, path: found.path, name: found.path, access: 'immutable', verify }
  if (found.kind === 'files') return OfflineStore.open(data, () => {})
  const database = realpathSync(found.path)
  const holder = lockHolder(database)
  if (holder) {
    const who = holder.pid > 0 ? `process ${holder.pid}${holder.command && ` (${holder.command})`}` : 'another process'
    throw new FluxError('EBUSY', `${found.path}: held by ${who}`, {
      hint: 'stop the instance that uses it, or dump that instance live with --uri',
    })
  }
  const assertUnchanged = changeGuard(database, found.path)
  const journals = ['-wal', '-journal'].filter((suffix) => sizeOf(database + suffix) > 0)
  let staged: Staged | undefined
  try {
    if (journals.length > 0) {
      staged = stage(database, journals, scratchDirs)
      data.path = staged.path
      data.access = journals.includes('-journal') ? 'private' : 'readonly'
    }
    return await OfflineStore.open(data, assertUnchanged)
  } finally {
    staged?.remove()
  }
}

function recognise(path: string): Found {
  let stats: Stats
  try {
    stats = statSync(path)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot open store ${path}`)
  }
  if (!stats.isDirectory()) {
    if (isSqlite(path)) return { kind: 'sqlite', path }
    throw notAStore(path, 'it is not an SQLite database')
  }
  const names = list(path)
  const inside: Found[] = []
  if (names.includes('content.sqlite') && isSqlite(join(path, 'content.sqlite'))) {
    inside.push({ kind: 'sqlite', path: join(path, 'content.sqlite') })
  }
  const files = join(path, 'content.files')
  if (names.includes('content.files') && statSync(files).isDirectory()) inside.push({ kind: 'files', path: files })
  const [first, second] = inside
  if (first && second) {
    throw new FluxError('EINVAL', `${path}: holds two stores, ${basename(first.path)} and ${basename(second.path)}`, {
      hint: 'name the one you mean',
    })
  }
  if (first) return first
  if (names.some((name) => isBlobref(name) || name === CHECKPOINT_FILE)) return { kind: 'files', path }
  throw notAStore(path, 'it has neither content.sqlite nor content.files in it')
}

function notAStore(path: string, why: string): FluxError {
  return new FluxError('EINVAL', `${path}: not a Flux content store: ${why}`, {
    hint: 'give a statedir, a content.sqlite or a content.files directory',
  })
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

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** SQLite's own locks do not protect an immutable or staged reader, so look at the file again when all has been read. */
function changeGuard(database: string, name: string): () => void {
  const look = () => {
    const stats = statSync(database, { bigint: true, throwIfNoEntry: false })
    return stats && `${stats.ino} ${stats.size} ${stats.mtimeNs}`
  }
  const before = look()
  return () => {
    if (look() === before) return
    throw new FluxError('EBUSY', `${name}: changed while it was read`, {
      hint: 'a broker has probably been started on it: dump it live with --uri',
    })
  }
}
