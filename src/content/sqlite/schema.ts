/** What the tables of a `content.sqlite` say of it. */
import type { DatabaseSync } from 'node:sqlite'
import { FluxError, printable } from '../../errors/index.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'

/** The tables of a content store. */
const TABLES = ['objects', 'checkpt_v2', 'checkpt']

/**
 * The tables of a database, in lower case, without SQLite's own.
 *
 * @param name - of the database, for messages
 * @throws {FluxError} `EINVAL` when a view or the like stands where a content store has a table: reading it would run what
 *   somebody has written there
 */
export function tablesOf(db: DatabaseSync, name: string): Set<string> {
  const tables = new Set<string>()
  const listed = db.prepare(`SELECT lower(name) AS name, type, wr FROM pragma_table_list
    WHERE schema = 'main' AND name NOT GLOB 'sqlite_*'`)
  for (const row of listed.all()) {
    const table = String(row.name)
    const kind = row.type === 'virtual' ? 'virtual table' : row.wr ? 'table without rowids' : String(row.type)
    if (kind === 'table') tables.add(table)
    else if (TABLES.includes(table)) throw notAStore(name, `its "${table}" is a ${kind}, not an ordinary table`)
  }
  return tables
}

/** @throws {FluxError} `EINVAL` when `tables` lacks the one with the blobs */
export function assertHasObjects(tables: ReadonlySet<string>, name: string): void {
  if (!tables.has('objects')) throw notAStore(name, 'it has no table "objects"')
}

/** @throws {FluxError} `EINVAL` when the database has triggers: they may change or drop what is written */
export function assertNoTriggers(db: DatabaseSync, name: string): void {
  const trigger = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' LIMIT 1`).get()
  if (trigger === undefined) return
  throw new FluxError('EINVAL', `${name}: has a trigger, ${printable(String(trigger.name))}, and Flux makes none`, {
    hint: 'restore to a new store instead',
  })
}

function notAStore(name: string, why: string): FluxError {
  return new FluxError('EINVAL', `${name}: an SQLite database, but not a Flux content store (${why})`)
}

/**
 * The size of an object: -1 for one that is not compressed, -2 for a row that Flux does not load, since its columns have
 * other types. A NULL is an object without bytes, and so is no LZ4 block that expands to nothing.
 *
 * @see flux-core `src/modules/content-sqlite/content-sqlite.c`, `content_sqlite_load`
 */
export const SIZE_SQL = `CASE
  WHEN typeof(size) <> 'integer' OR typeof(object) NOT IN ('blob', 'null') OR size NOT BETWEEN -1 AND ${2 ** 32} THEN -2
  WHEN size = 0 AND coalesce(octet_length(object), 0) = 0 THEN -1
  ELSE size END`

/** An instance uses one algorithm for everything, so any object tells. @returns undefined when there is none */
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
    // It looks at the index of the hash column, which may be damaged where the table is not.
    return look('objects NOT INDEXED')
  }
}

const CHECKPOINTS = {
  checkpt_v2: 'SELECT value FROM checkpt_v2 ORDER BY id DESC',
  // Until v0.76 there was one checkpoint, under this key.
  checkpt: `SELECT value FROM checkpt WHERE key = 'kvs-primary'`,
} as const

export type CheckpointTable = keyof typeof CHECKPOINTS

/**
 * The checkpoints in the first of some tables that has any, newest first; empty when none has.
 *
 * @throws {FluxError} `EPROTO` for a bad one
 */
export function checkpointsIn(db: DatabaseSync, name: string, tables: readonly CheckpointTable[]): Checkpoint[] {
  for (const table of tables) {
    const rows = db.prepare(CHECKPOINTS[table]).all()
    if (rows.length === 0) continue
    return rows.map(({ value }, index) => decodeCheckpoint(parseJson(value), `${name}: checkpoint ${index}`))
  }
  return []
}

/** The value of a checkpoint column: an object as JSON text, or, in very old stores, a bare blobref. */
function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return text
  }
}
