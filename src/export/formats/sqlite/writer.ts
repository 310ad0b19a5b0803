/**
 * Writes jobs to a database. A new one gets its name when it is complete. An old one is changed in one transaction:
 * if the process is killed, SQLite rolls it back when the database is opened next.
 */
import { existsSync, fsyncSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { stringifyJson } from '../../../bytes/index.ts'
import { sqliteError } from '../../../content/index.ts'
import { FluxError, writeError } from '../../../errors/index.ts'
import { PartFile, syncPathSync } from '../../../files/index.ts'
import { type AllocatedNode, allocatedNodes } from '../../../inspect/index.ts'
import { type Cell, COLUMNS } from '../../columns.ts'
import { type ExportJob, eventsOf } from '../../export-job.ts'
import { type ExportCounts, mergeRows, type Row } from '../../merge.ts'
import type { ExportTarget, JobsWriter } from '../format.ts'
import { joinedCluster } from '../joined-cluster.ts'
import { openHistory, READ_ONLY } from './history.ts'
import { APPLICATION_ID, INDICES, NAMES, SCHEMA_VERSION, TABLES, VIEWS } from './schema.ts'

/** @throws {FluxError} see {@link openHistory}; `EEXIST` there is such a file, and `append` is not set */
export function openWriter(target: ExportTarget): JobsWriter {
  const { path, append, cluster } = target
  if (append && existsSync(path)) {
    const db = openHistory(path)
    try {
      return new HistoryWriter(db, path, joinedCluster(path, cluster, clustersIn(db)))
    } catch (error) {
      db.close()
      throw sqliteError(error, path, HINTS)
    }
  }
  return newDatabase(path, cluster ?? '')
}

/** The names of the instances in a database. Each is found by the index: there may be millions of jobs. */
function clustersIn(db: DatabaseSync): string[] {
  const names: string[] = []
  const first = db.prepare('SELECT min(cluster) AS name FROM jobs')
  const next = db.prepare('SELECT min(cluster) AS name FROM jobs WHERE cluster > ?')
  for (let { name } = first.get() as { name: string | null }; name !== null; ) {
    names.push(name)
    ;({ name } = next.get(name) as { name: string | null })
  }
  return names
}

/** Begin a new database. */
function newDatabase(path: string, cluster: string): JobsWriter {
  for (const suffix of ['-wal', '-journal']) {
    if (!existsSync(path + suffix)) continue
    // SQLite would apply it to the new database.
    throw new FluxError('EEXIST', `${path}${suffix}: belongs to a database that is not there`, {
      hint: 'put that back, or move this away',
    })
  }
  const part = partOf(path)
  try {
    // A defensive connection would keep its journal, which would be left behind when the export fails.
    const db = new DatabaseSync(part.path, { defensive: false })
    // The file has no name yet, so nothing is lost with it.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
    db.exec(TABLES)
    return new HistoryWriter(db, path, cluster, part)
  } catch (error) {
    part.remove()
    throw sqliteError(error, path, HINTS)
  }
}

function partOf(path: string): PartFile {
  try {
    return new PartFile(path, 'file')
  } catch (error) {
    throw writeError(error, path)
  }
}

const HINTS = {
  full: 'make room; nothing was changed',
  readOnly: READ_ONLY,
  busy: 'another program reads it and does not come to an end; nothing was changed, try again later',
}

/** Writes to a database in which a transaction has begun. */
class HistoryWriter implements JobsWriter {
  readonly cluster: string
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #part: PartFile | undefined
  readonly #find: StatementSync
  readonly #put: StatementSync
  readonly #removeEvents: StatementSync
  readonly #putEvent: StatementSync
  readonly #removeNodes: StatementSync
  readonly #putNode: StatementSync
  readonly #counts: ExportCounts = { added: 0, completed: 0, unchanged: 0 }
  #isOpen = true

  /** @param part - the file, if it is a new one */
  constructor(db: DatabaseSync, path: string, cluster: string, part?: PartFile) {
    this.cluster = cluster
    this.#db = db
    this.#path = path
    this.#part = part
    db.exec('PRAGMA cache_size = -8192')
    this.#find = db.prepare(`SELECT ${NAMES} FROM jobs WHERE cluster = ? AND id = ?`)
    this.#find.setReadBigInts(true)
    this.#find.setReturnArrays(true)
    this.#put = db.prepare(
      `INSERT INTO jobs (${NAMES}) VALUES (${NAMES.map(() => '?')})
       ON CONFLICT (cluster, id) DO UPDATE SET ${NAMES.map((name) => `${name} = excluded.${name}`)}`,
    )
    this.#removeEvents = db.prepare('DELETE FROM events WHERE cluster = ? AND id = ?')
    this.#putEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)')
    this.#removeNodes = db.prepare('DELETE FROM job_nodes WHERE cluster = ? AND id = ?')
    this.#putNode = db.prepare('INSERT INTO job_nodes VALUES (?, ?, ?, ?, ?, ?)')
  }

  add(jobs: readonly ExportJob[]): void {
    try {
      for (const job of jobs) this.#add(job)
    } catch (error) {
      throw sqliteError(error, this.#path, HINTS)
    }
  }

  #add(job: ExportJob): void {
    const row = rowOf(job)
    const id = BigInt.asIntN(64, job.job.id)
    const old = this.#find.get(job.cluster, id) as Row | undefined
    if (old === undefined) {
      this.#counts.added++
      this.#put.run(...(row as null[]))
      this.#putDetails(job, id, allocatedNodes(job.job))
      return
    }
    const merged = mergeRows(old, row, this.#path)
    if (merged === undefined) {
      this.#counts.unchanged++
      return
    }
    this.#counts.completed++
    this.#put.run(...(merged.row as null[]))
    if (!merged.isNewer) return
    this.#removeEvents.run(job.cluster, id)
    const nodes = allocatedNodes(job.job)
    // A damaged R hides the nodes that were known before.
    if (nodes.length > 0) this.#removeNodes.run(job.cluster, id)
    this.#putDetails(job, id, nodes)
  }

  #putDetails(job: ExportJob, id: bigint, nodes: readonly AllocatedNode[]): void {
    eventsOf(job).forEach(({ timestamp, name, context }, n) => {
      this.#putEvent.run(job.cluster, id, n, timestamp, name, context === undefined ? null : stringifyJson(context))
    })
    for (const { rank, host, ncores, ngpus } of nodes) {
      this.#putNode.run(job.cluster, id, rank, host ?? null, ncores, ngpus)
    }
  }

  async commit(): Promise<ExportCounts> {
    try {
      if (this.#part !== undefined) this.#db.exec(INDICES + VIEWS)
      this.#db.exec('COMMIT')
    } catch (error) {
      throw sqliteError(error, this.#path, HINTS)
    }
    this.#close()
    if (this.#part !== undefined) publish(this.#part, this.#path)
    return this.#counts
  }

  abort(): void {
    try {
      // Closing rolls back.
      this.#close()
    } finally {
      this.#part?.remove()
    }
  }

  #close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#db.close()
  }
}

function publish(part: PartFile, path: string): void {
  try {
    fsyncSync(part.fd)
    part.publish('nothing')
    syncPathSync(dirname(path))
  } catch (error) {
    throw writeError(error, path)
  }
}

function rowOf(job: ExportJob): Row {
  return COLUMNS.map((column) => stored(column.of(job)))
}

function stored(cell: Cell): null | number | bigint | string {
  if (cell === undefined) return null
  if (typeof cell === 'boolean') return cell ? 1 : 0
  return typeof cell === 'object' ? JSON.stringify(cell) : (cell as string | number | bigint)
}
