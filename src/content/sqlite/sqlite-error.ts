import { type ErrnoName, FluxError } from '../../errors/index.ts'

/** SQLite's primary result codes that a reader may meet. @see https://sqlite.org/rescode.html */
const CODES: Readonly<Record<number, [code: ErrnoName, text: string, hint?: string]>> = {
  5: ['EBUSY', 'held by another process', 'stop the instance that uses it, or dump that instance live with --uri'],
  8: ['EROFS', 'SQLite wants to write, but it was opened read-only'],
  10: ['EIO', 'disk I/O error'],
  11: ['EBADMSG', 'damaged: SQLite calls it malformed', 'see --ignore-failed-read, and sqlite3\'s ".recover"'],
  13: ['ENOSPC', 'database or disk is full'],
  14: ['ENOENT', 'cannot be opened'],
  26: ['EINVAL', 'not an SQLite database'],
}

/** Turn an error of node:sqlite into one that names the database. Other errors pass through unchanged. */
export function sqliteError(error: unknown, path: string): unknown {
  const { errcode, errstr, message } = error as { errcode?: number; errstr?: string; message?: string }
  if (typeof errcode !== 'number') return error
  const [code, text, hint] = CODES[errcode & 0xff] ?? ['EIO', errstr ?? message ?? 'SQLite error']
  return new FluxError(code, `${path}: ${text}`, { cause: error, hint })
}
