import { DatabaseSync } from 'node:sqlite'
import { FluxError } from '../../errors/index.ts'
import { CREATE_TABLES } from './schema.ts'

/**
 * Bytes of memory for sorting, for each digest, and at most. What is more goes to a temporary file, so that the memory
 * stays that of a dump. It is no slower: measured on 3,000,000 digests.
 */
const SORTED_BYTES = 64
const MOST_SORTED_BYTES = 48 << 20

/** Options of {@link addHashIndex}. */
export interface HashIndexOptions {
  /** True when a blob may be there more than once. Only its first row stays. */
  mayRepeat?: boolean
  /** The most bytes of memory for sorting. */
  mostBytes?: number
}

/**
 * Make the hashes of a new database the primary key of its table `objects`, which has been made without it.
 *
 * Digests come in random order. When each is added to the index with its row, writes go to all parts of the index, and
 * that takes two thirds of the time of a copy of 750,000 rows. So the index is made at the end, from sorted digests. SQLite
 * can do that only for an index with a name of its own, but its pages are those of a primary key, and only the schema
 * says which it is.
 *
 * @param path - a database that we have made. No other process has it open
 * @param rows - how many rows it has
 * @returns how many rows it has afterwards
 * @throws {FluxError} `EIO` the index does not have as many entries
 * @throws {Error} of node:sqlite
 * @see https://sqlite.org/fileformat.html, "Representation of SQL Indices"; https://sqlite.org/pragma.html#pragma_writable_schema
 */
export function addHashIndex(path: string, rows: number, options: HashIndexOptions = {}): number {
  const { mayRepeat = false, mostBytes = MOST_SORTED_BYTES } = options
  let dropped = 0
  // In its defensive mode SQLite does not let the schema be written.
  const db = new DatabaseSync(path, { defensive: false })
  try {
    const cacheBytes = Math.min(Math.max(rows, 1 << 16) * SORTED_BYTES, mostBytes)
    const settings = ['journal_mode = MEMORY', 'synchronous = OFF', 'locking_mode = EXCLUSIVE']
    for (const setting of [...settings, `cache_size = ${-cacheBytes >> 10}`]) db.exec(`PRAGMA ${setting}`)
    db.exec('BEGIN')
    // The pages of an index do not say whether it is unique.
    db.exec(`CREATE ${mayRepeat ? '' : 'UNIQUE '}INDEX hashes ON objects(hash)`)
    if (mayRepeat) dropped = dropRepeated(db)
    db.exec('PRAGMA writable_schema = ON')
    const table = `CREATE TABLE objects(${CREATE_TABLES.objects})`
    db.prepare(`UPDATE sqlite_schema SET sql = ? WHERE name = 'objects'`).run(table)
    // The name that SQLite gives it, and no text: it is part of the table.
    db.exec(`UPDATE sqlite_schema SET name = 'sqlite_autoindex_objects_1', sql = NULL WHERE name = 'hashes'`)
    db.exec('COMMIT')
  } finally {
    db.close()
  }
  const made = new DatabaseSync(path, { readOnly: true })
  try {
    const counted = made.prepare('SELECT count(*) AS entries FROM objects INDEXED BY sqlite_autoindex_objects_1').get()
    if (Number(counted?.entries) === rows - dropped) return rows - dropped
    throw new FluxError('EIO', `${path}: has ${counted?.entries} digests of ${rows - dropped}`)
  } finally {
    made.close()
  }
}

/** Keep only the first row of each blob. @returns how many rows were dropped */
function dropRepeated(db: DatabaseSync): number {
  const repeated = `SELECT hash, min(rowid) AS first FROM objects GROUP BY hash HAVING count(*) > 1`
  const dropped = db.prepare(
    `DELETE FROM objects WHERE rowid IN
      (SELECT other.rowid FROM (${repeated}) AS one JOIN objects AS other ON other.hash = one.hash AND other.rowid > one.first)`,
  )
  return Number(dropped.run().changes)
}
