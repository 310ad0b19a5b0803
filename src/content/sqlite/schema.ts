/** Reads and checks the schema of a `content.sqlite`, its hash algorithm and its checkpoints. */
import type { DatabaseSync } from 'node:sqlite'
import { parseJson } from '../../bytes/index.ts'
import { FluxError, printable } from '../../errors/index.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { CHECKPOINT_BYTES, type Checkpoint, decodeCheckpoint, MAX_CHECKPOINTS } from '../checkpoint.ts'
import { NEW_STORE } from './sqlite-error.ts'

/** The tables of a content store, and the columns that are read. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  objects: ['hash', 'size', 'object'],
  checkpt_v2: ['id', 'value'],
  checkpt: ['key', 'value'],
}

/** The tables that Flux makes, and their columns, in the newest schema. */
export const CREATE_TABLES = {
  objects: 'hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0',
  checkpt_v2: 'id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT',
} as const

/**
 * Digests are stored as TEXT: in another encoding than Flux's, their bytes would be others.
 *
 * @throws {FluxError} `ENOTSUP` the text of the database is in UTF-16
 */
function assertUtf8(db: DatabaseSync, name: string): void {
  const encoding = String(db.prepare('PRAGMA main.encoding').get()?.encoding)
  if (encoding === 'UTF-8') return
  throw new FluxError('ENOTSUP', `${name}: its text is encoded in ${encoding}, and Flux makes stores in UTF-8`, {
    hint: 'take the original of this database',
  })
}

/**
 * The tables of a database, in lower case, without SQLite's own.
 *
 * @param name - the name of the database, for messages
 * @throws {FluxError} `EINVAL` a view or the like has the name of a content store's table, or a column of it is generated:
 *   reading it would run SQL that its author chose. Or the table is another one, without the columns
 * @throws {FluxError} `ENOTSUP` the text of the database is in UTF-16
 */
export function tablesOf(db: DatabaseSync, name: string): Set<string> {
  assertUtf8(db, name)
  const tables = new Set<string>()
  const listed = db.prepare(`SELECT lower(name) AS name, type, wr FROM pragma_table_list
    WHERE schema = 'main' AND name NOT GLOB 'sqlite_*'`)
  for (const row of listed.all()) {
    const table = String(row.name)
    const kind = row.type === 'virtual' ? 'virtual table' : row.wr ? 'table without rowids' : String(row.type)
    const columns = COLUMNS[table]
    if (kind === 'table') tables.add(table)
    else if (columns) throw notAStore(name, `its "${table}" is a ${kind}, not an ordinary table`)
    if (columns) assertHasColumns(db, table, columns, name)
  }
  return tables
}

/** Values of the column `hidden` of `pragma_table_xinfo`: a generated column, virtual or stored. */
const GENERATED = [2, 3]

function assertHasColumns(db: DatabaseSync, table: string, columns: readonly string[], name: string): void {
  const missing = new Set(columns)
  const listed = db.prepare(`SELECT lower(name) AS name, hidden FROM pragma_table_xinfo(?, 'main')`)
  for (const { name: column, hidden } of listed.all(table)) {
    missing.delete(String(column))
    // A column of this name hides the number of the row, by which blobs are read.
    if (column === 'rowid') throw notAStore(name, `its "${table}" has a column "rowid"`)
    if (columns.includes(String(column)) && GENERATED.includes(Number(hidden))) {
      throw notAStore(name, `the column "${column}" of its "${table}" is generated`)
    }
  }
  for (const column of missing) throw notAStore(name, `its "${table}" has no column "${column}"`)
}

/** @throws {FluxError} `EINVAL` `tables` lacks the table of the blobs */
export function assertHasObjects(tables: ReadonlySet<string>, name: string): void {
  if (!tables.has('objects')) throw notAStore(name, 'it has no table "objects"')
}

/** @throws {FluxError} `EINVAL` the database has triggers, which could change or drop what we write */
export function assertNoTriggers(db: DatabaseSync, name: string): void {
  const trigger = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' LIMIT 1`).get()
  if (trigger === undefined) return
  throw new FluxError('EINVAL', `${name}: has a trigger, ${printable(String(trigger.name))}, and Flux makes none`, {
    hint: NEW_STORE,
  })
}

function notAStore(name: string, why: string): FluxError {
  return new FluxError('EINVAL', `${name}: an SQLite database, but not a Flux content store (${why})`)
}

/**
 * SQL for the size of an object: its expanded size, -1 for one that is not compressed, and -2 for a row that Flux would
 * not load because its columns have other types or the size is out of range. A NULL object has no bytes. An empty
 * object of size 0 counts as not compressed, because it is not an LZ4 block.
 *
 * @see flux-core `src/modules/content-sqlite/content-sqlite.c`, `content_sqlite_load`
 */
export const SIZE_SQL = `CASE
  WHEN typeof(size) <> 'integer' OR typeof(object) NOT IN ('blob', 'null') OR size NOT BETWEEN -1 AND ${2 ** 32} THEN -2
  WHEN size = 0 AND coalesce(octet_length(object), 0) = 0 THEN -1
  ELSE size END`

/** The hash algorithm, from any object: an instance uses one for all. @returns undefined when there is no object */
export function hashIn(db: DatabaseSync): HashName | undefined {
  const { sha1, sha256 } = DIGEST_BYTES
  const look = (table: string) => {
    const query = `SELECT octet_length(hash) AS bytes FROM ${table} WHERE octet_length(hash) IN (${sha1}, ${sha256}) LIMIT 1`
    const row = db.prepare(query).get()
    return row && (row.bytes === sha256 ? 'sha256' : 'sha1')
  }
  try {
    return look('objects')
  } catch {
    // The query uses the hash index, which may be damaged while the table is not.
    return look('objects NOT INDEXED')
  }
}

/** A value that is no checkpoint may be large, and is not read. */
const VALUE_SQL = `CASE WHEN octet_length(value) <= ${CHECKPOINT_BYTES} THEN CAST(value AS TEXT) END AS value`

/** One more than is used tells whether there are more. */
const MOST_ROWS = MAX_CHECKPOINTS + 1

const CHECKPOINTS = {
  checkpt_v2: `SELECT ${VALUE_SQL} FROM checkpt_v2 ORDER BY id DESC LIMIT ${MOST_ROWS}`,
  // Until v0.76 there was one checkpoint, under this key.
  checkpt: `SELECT ${VALUE_SQL} FROM checkpt WHERE key = 'kvs-primary' LIMIT ${MOST_ROWS}`,
} as const

export type CheckpointTable = keyof typeof CHECKPOINTS

/**
 * The checkpoints in the first of some tables that has any, newest first; empty when none has. See {@link BlobReader.checkpoints}.
 *
 * @throws {FluxError} `EPROTO` one is damaged
 */
export function checkpointsIn(db: DatabaseSync, name: string, tables: readonly CheckpointTable[]): Checkpoint[] {
  for (const table of tables) {
    const checkpoints: Checkpoint[] = []
    for (const { value } of db.prepare(CHECKPOINTS[table]).iterate()) {
      checkpoints.push(decodeCheckpoint(checkpointOf(value), `${name}: checkpoint ${checkpoints.length}`))
    }
    if (checkpoints.length > 0) return checkpoints
  }
  return []
}

/** The value of a checkpoint column: an object as JSON text, or, in very old stores, a bare blobref. */
function checkpointOf(text: unknown): unknown {
  try {
    return parseJson(String(text))
  } catch {
    return text
  }
}
