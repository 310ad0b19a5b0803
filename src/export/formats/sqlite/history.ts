/** Opens a database that an export wrote before. */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqliteError } from '../../../content/index.ts'
import { FluxError } from '../../../errors/index.ts'
import { COLUMNS } from '../../columns.ts'
import { APPLICATION_ID, definitionOf, INDICES, SCHEMA_VERSION, VIEWS } from './schema.ts'

/** What to do when nothing may be changed. SQLite tells it of the first change, not when the transaction begins. */
export const READ_ONLY = 'adding to it needs the right to write to it and to its directory'

/** How long changes wait for programs that read the database: while one reads, nothing can be changed. */
const READERS_MS = 60_000

/**
 * Open a database to add to it, begin a transaction, and bring its tables up to date in it.
 *
 * @throws {FluxError} `EINVAL` it is no export, or that of a newer version; `EBUSY` another process writes to it; and
 *   errors of the file system
 */
export function openHistory(path: string): DatabaseSync {
  const status = statSync(path)
  if (status.isDirectory()) throw new FluxError('EISDIR', `cannot write ${path}: Is a directory`)
  if (!status.isFile()) throw new FluxError('EINVAL', `cannot write ${path}: not a regular file`)
  let db: DatabaseSync | undefined
  try {
    // The schema of the file cannot call functions with effects outside the database.
    db = new DatabaseSync(path, { defensive: true })
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    db.exec(`PRAGMA busy_timeout = ${READERS_MS}`)
    migrate(db, path)
    return db
  } catch (error) {
    db?.close()
    throw sqliteError(error, path, {
      busy: 'perhaps another export writes to it; try again later',
      readOnly: READ_ONLY,
      damaged: 'move it away, and export anew',
    })
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version')
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new FluxError('EINVAL', `${path}: not a database that jobs export has written`, {
      hint: 'give the export another name',
    })
  }
  assertOrdinary(db, path)
  if (version === SCHEMA_VERSION) return
  if (version > SCHEMA_VERSION) {
    throw new FluxError(
      'EINVAL',
      `${path}: its tables have version ${version}, and this program knows ${SCHEMA_VERSION}`,
      {
        hint: 'use the newer flux-ts that has written it',
      },
    )
  }
  const there = new Set((db.prepare('PRAGMA table_info(jobs)').all() as { name: string }[]).map(({ name }) => name))
  for (const column of COLUMNS) {
    if (!there.has(column.name)) db.exec(`ALTER TABLE jobs ADD COLUMN ${definitionOf(column)}`)
  }
  db.exec(`${INDICES}${VIEWS}PRAGMA user_version = ${SCHEMA_VERSION}`)
}

/** @throws {FluxError} `EINVAL` a table is a view or the like, or there are triggers: they could drop what is added */
function assertOrdinary(db: DatabaseSync, path: string): void {
  const kinds = new Map(
    db
      .prepare(`SELECT name, type FROM pragma_table_list WHERE schema = 'main'`)
      .all()
      .map(({ name, type }) => [name, type]),
  )
  const hint = 'move it away, and export anew'
  for (const table of ['jobs', 'events', 'job_nodes']) {
    const kind = kinds.get(table)
    if (kind === 'table') continue
    const what = kind === undefined ? `it has no table "${table}"` : `its "${table}" is a ${kind}, not a table`
    throw new FluxError('EINVAL', `${path}: ${what}`, { hint })
  }
  const trigger = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' LIMIT 1`).get()
  if (trigger === undefined) return
  throw new FluxError('EINVAL', `${path}: has a trigger, ${String(trigger.name)}, and jobs export makes none`, { hint })
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[0])
}
