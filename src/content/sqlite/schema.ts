/** What the tables of a `content.sqlite` say of it. */
import type { DatabaseSync } from 'node:sqlite'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'

export function tablesOf(db: DatabaseSync): Set<string> {
  const tables = db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
  return new Set(tables.map((row) => String(row.name)))
}

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
