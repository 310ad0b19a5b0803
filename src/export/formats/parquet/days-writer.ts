/**
 * Writes jobs to a directory of Parquet files, one for each day (UTC) on which jobs were submitted. A job stays in the
 * file of its day, so it is never in two. The changed files are written aside and get their names at the end, one after
 * the other: if the process is killed between two, each file is whole, and the next export does the rest.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteError } from '../../../content/index.ts'
import { FluxError, writeError } from '../../../errors/index.ts'
import { PartFile, syncFile, syncPath } from '../../../files/index.ts'
import { COLUMNS } from '../../columns.ts'
import type { ExportJob } from '../../export-job.ts'
import { type ExportCounts, mergeRows, type Row } from '../../merge.ts'
import type { ExportTarget, JobsWriter } from '../format.ts'
import { joinedCluster } from '../joined-cluster.ts'
import { readRows } from './file-reader.ts'
import { charactersOf, ParquetFileWriter } from './file-writer.ts'
import { isPossibleTime, type ParquetRow, rowOf } from './schema.ts'

/** Where jobs are whose time of submission is lost. */
const UNKNOWN_DAY = 'unknown'
const FILE = /^(?:(.+)-)?(?:\d{4,}-\d\d-\d\d|unknown)\.parquet$/

/** Jobs are put into the files when this many characters of them wait. */
const WAITING_CHARACTERS = 32 << 20

/** What tells whether a job is known as well already. */
const KEY_COLUMNS = ['id', 'userid', 't_submit', 'state', 'problems', 'nevents']
const ID = COLUMNS.findIndex(({ name }) => name === 'id')

/**
 * Add to a directory, which is made if it is missing.
 *
 * @throws {FluxError} `ENOTDIR` there is a file of that name; `EBUSY` another export adds to it; and others of the file
 *   system
 */
export function openDays({ path, cluster, hasRecords }: ExportTarget): JobsWriter {
  let lock: DatabaseSync | undefined
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(path, { mode: 0o700 })
    lock = lockOf(path)
    const known = new Set(readdirSync(path).flatMap((name) => clusterOf(name) ?? []))
    const keyColumns = COLUMNS.filter(({ name, isRecord }) =>
      isRecord ? hasRecords(name as 'R') : KEY_COLUMNS.includes(name),
    )
    return new DaysWriter(
      path,
      joinedCluster(path, cluster, [...known]),
      keyColumns.map(({ name }) => name),
      lock,
    )
  } catch (error) {
    lock?.close()
    const isFile = (error as NodeJS.ErrnoException).code === 'EEXIST'
    if (isFile)
      throw new FluxError('ENOTDIR', `${path}: not a directory`, { hint: 'adding to Parquet needs a directory' })
    throw writeError(error, path)
  }
}

/** The name of the instance whose jobs a file has; undefined if it is no file of an export. */
function clusterOf(name: string): string | undefined {
  const found = FILE.exec(name)
  return found === null ? undefined : (found[1] ?? '')
}

/** An empty database is a lock that ends with the process, on every file system on which SQLite works. */
function lockOf(path: string): DatabaseSync {
  const file = join(path, '.lock')
  closeSync(openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600))
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    throw sqliteError(error, path, { busy: 'another export adds to it; try again later' })
  }
}

/** Give a new file the permissions of the one that it will replace: it may be shared with a group. */
function keepMode(fd: number, replaced: string): void {
  const old = statSync(replaced, { throwIfNoEntry: false })
  const { uid, gid } = fstatSync(fd)
  if (old?.uid === uid && old.gid === gid) fchmodSync(fd, old.mode & 0o777)
}

class DaysWriter implements JobsWriter {
  readonly cluster: string
  readonly #path: string
  readonly #keyColumns: string[]
  readonly #lock: DatabaseSync
  readonly #aside: PartFile
  /** Jobs that are not in the files yet, by the name of their file. */
  readonly #waiting = new Map<string, Map<bigint, ParquetRow>>()
  #characters = 0
  /** The files that were written aside. */
  readonly #changed = new Set<string>()
  readonly #counts: ExportCounts = { added: 0, completed: 0, unchanged: 0 }
  /** The file of jobs whose day is lost. */
  readonly #unknown: string
  /** The jobs of this export whose day is known, if that file has jobs: they leave it. */
  readonly #known: Set<bigint> | undefined

  constructor(path: string, cluster: string, keyColumns: string[], lock: DatabaseSync) {
    this.#path = path
    this.cluster = cluster
    this.#keyColumns = keyColumns
    this.#lock = lock
    this.#unknown = this.#nameOf(UNKNOWN_DAY)
    this.#known = existsSync(join(path, this.#unknown)) ? new Set() : undefined
    this.#aside = new PartFile(join(path, 'flux-ts'), 'directory')
  }

  async add(jobs: readonly ExportJob[]): Promise<void> {
    try {
      await this.#add(jobs)
    } catch (error) {
      throw writeError(error, this.#path)
    }
  }

  async #add(jobs: readonly ExportJob[]): Promise<void> {
    for (const job of jobs) {
      const row = rowOf(job)
      const name = this.#fileOf(job)
      if (name !== this.#unknown) this.#known?.add(row.cells[ID] as bigint)
      const waiting = this.#waiting.get(name) ?? new Map<bigint, ParquetRow>()
      this.#waiting.set(name, waiting.set(row.cells[ID] as bigint, row))
      this.#characters += charactersOf(row)
    }
    if (this.#characters >= WAITING_CHARACTERS) await this.#settle()
  }

  #fileOf({ job: { t_submit } }: ExportJob): string {
    const isKnown = t_submit !== undefined && isPossibleTime(t_submit)
    return this.#nameOf(isKnown ? new Date(t_submit * 1000).toISOString().slice(0, -14) : UNKNOWN_DAY)
  }

  #nameOf(day: string): string {
    return `${this.cluster === '' ? '' : `${this.cluster}-`}${day}.parquet`
  }

  /** Put the jobs that wait into the files, but for those whose day is lost. */
  async #settle(): Promise<void> {
    for (const [name, waiting] of this.#waiting) {
      if (name === this.#unknown) continue
      this.#waiting.delete(name)
      await this.#leaveOutKnown(name, waiting)
      if (waiting.size > 0) await this.#rewrite(name, waiting)
    }
    this.#characters = 0
  }

  /** Put the jobs whose day is lost into their file, unless they are in that of a day. */
  async #settleUnknown(): Promise<void> {
    const waiting = this.#waiting.get(this.#unknown) ?? new Map<bigint, ParquetRow>()
    if (waiting.size > 0) {
      for (const name of new Set([...readdirSync(this.#path), ...this.#changed])) {
        if (clusterOf(name) !== this.cluster || name === this.#unknown) continue
        await this.#leaveOut(name, ['id'], waiting, () => true)
      }
      await this.#leaveOutKnown(this.#unknown, waiting)
    }
    if (waiting.size > 0 || (await this.#hasLeaving())) await this.#rewrite(this.#unknown, waiting)
  }

  /** True when a job whose day was lost is in the file of a day now. */
  async #hasLeaving(): Promise<boolean> {
    if (this.#known === undefined || this.#known.size === 0) return false
    for await (const rows of readRows(join(this.#path, this.#unknown), ['id'])) {
      if (rows.some(({ cells }) => this.#known?.has(cells[ID] as bigint))) return true
    }
    return false
  }

  /** The file as it is, perhaps written aside before; undefined for none. */
  #sourceOf(name: string): string | undefined {
    const source = join(this.#changed.has(name) ? this.#aside.path : this.#path, name)
    return existsSync(source) ? source : undefined
  }

  /** Leave out the jobs that the file knows as well: mostly all, and then it stays as it is. */
  #leaveOutKnown(name: string, waiting: Map<bigint, ParquetRow>): Promise<void> {
    const isKnown = (old: Row, row: Row) => mergeRows(old, row, this.#path) === undefined
    return this.#leaveOut(name, this.#keyColumns, waiting, isKnown)
  }

  /** Leave out jobs of a file, if it has it, that pass a test. */
  async #leaveOut(
    name: string,
    columns: string[],
    waiting: Map<bigint, ParquetRow>,
    isKnown: (old: Row, row: Row) => boolean,
  ): Promise<void> {
    const source = this.#sourceOf(name)
    if (source === undefined) return
    for await (const rows of readRows(source, columns)) {
      for (const { cells } of rows) {
        const id = cells[ID] as bigint
        const row = waiting.get(id)
        if (row === undefined || !isKnown(cells, row.cells)) continue
        waiting.delete(id)
        this.#counts.unchanged++
      }
    }
  }

  async #rewrite(name: string, waiting: Map<bigint, ParquetRow>): Promise<void> {
    const source = this.#sourceOf(name)
    const target = join(this.#aside.path, name)
    const next = `${target}.next`
    const fd = openSync(next, 'wx', 0o600)
    try {
      const writer = new ParquetFileWriter(fd)
      if (source !== undefined) {
        for await (const rows of readRows(source))
          for (const old of rows) {
            if (name === this.#unknown && this.#known?.has(old.cells[ID] as bigint)) continue
            writer.add(this.#mergedWith(waiting, old))
          }
      }
      this.#counts.added += waiting.size
      for (const row of waiting.values()) writer.add(row)
      writer.finish()
      keepMode(fd, join(this.#path, name))
      await syncFile(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(next, target)
    this.#changed.add(name)
  }

  #mergedWith(waiting: Map<bigint, ParquetRow>, old: ParquetRow): ParquetRow {
    const id = old.cells[ID] as bigint
    const row = waiting.get(id)
    const merged = row && mergeRows(old.cells, row.cells, this.#path)
    if (row === undefined || merged === undefined) return old
    waiting.delete(id)
    this.#counts.completed++
    if (!merged.isNewer) return { ...old, cells: merged.row }
    // A damaged R hides the nodes that were known before.
    return { cells: merged.row, hosts: row.hosts ?? old.hosts, events: row.events }
  }

  async commit(): Promise<ExportCounts> {
    try {
      await this.#settle()
      // Last, so that no job is lost if the process is killed on the way.
      await this.#settleUnknown()
      for (const name of this.#changed) renameSync(join(this.#aside.path, name), join(this.#path, name))
      await syncPath(this.#path)
    } catch (error) {
      throw writeError(error, this.#path)
    }
    this.abort()
    return this.#counts
  }

  abort(): void {
    this.#aside.remove()
    if (this.#lock.isOpen) this.#lock.close()
  }
}
