import { type ErrnoName, FluxError } from '../../errors/index.ts'

/** Hints for errors whose remedy depends on the work. */
export interface SqliteHints {
  busy?: string
  readOnly?: string
  damaged?: string
  full?: string
  failing?: string
}

/** What to do about a database that is in use. */
export const IN_USE = {
  reading: 'stop the instance that uses it, or dump that instance live with --uri',
  writing: 'stop the instance that uses it, or restore to that instance live with --uri',
}

/** What to do about a database that cannot be added to. */
export const NEW_STORE = 'restore to a new store instead'

/** SQLite's primary result codes that can occur. @see https://sqlite.org/rescode.html */
const CODES: Readonly<Record<number, [code: ErrnoName, text: string, hint?: keyof SqliteHints]>> = {
  5: ['EBUSY', 'held by another process', 'busy'],
  7: ['ENOMEM', 'SQLite cannot allocate memory'],
  8: ['EROFS', 'SQLite wants to write, but may not', 'readOnly'],
  10: ['EIO', 'disk I/O error', 'failing'],
  11: ['EBADMSG', 'damaged: SQLite calls it malformed', 'damaged'],
  13: ['ENOSPC', 'database or disk is full', 'full'],
  14: ['ENOENT', 'cannot be opened'],
  18: ['EFBIG', 'a blob is larger than SQLite can hold'],
  26: ['EINVAL', 'not an SQLite database', 'damaged'],
}

/** Turn an error of node:sqlite into one that names the database. Other errors pass through unchanged. */
export function sqliteError(error: unknown, path: string, hints: SqliteHints = {}): unknown {
  const { errcode, errstr, message } = error as { errcode?: number; errstr?: string; message?: string }
  if (typeof errcode !== 'number') return error
  const [code, text, hint] = CODES[errcode & 0xff] ?? ['EIO', errstr ?? message ?? 'SQLite error']
  return new FluxError(code, `${path}: ${text}`, { cause: error, hint: hint && hints[hint] })
}
