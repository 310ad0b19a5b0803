/**
 * Blocking writes to a `content.sqlite`, all in one transaction. If the process is killed at any moment, the store is
 * either unchanged or complete. A new store is written under a temporary name, without a journal file, and gets its
 * name when it is on disk.
 *
 * @see flux-core `src/modules/content-sqlite/content-sqlite.c`, whose schema and migration this is
 */
import { existsSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { FluxError } from '../../errors/index.ts'
import type { BlobBatch, BlobWriter } from '../blob-batch.ts'
import { blobrefHex, DIGEST_BYTES, type HashName } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import type { NewFile } from '../new-file.ts'
import { compressBlob } from './compress.ts'
import { addHashIndex } from './hash-index.ts'
import { newDatabase } from './new-database.ts'
import { openDatabase } from './open-database.ts'
import { assertHasObjects, assertNoTriggers, CREATE_TABLES, checkpointsIn, hashIn, tablesOf } from './schema.ts'
import { IN_USE, NEW_STORE, sqliteError } from './sqlite-error.ts'

/** Blobs inserted by one statement: the crossing from JavaScript costs more than SQLite. */
const ROWS = 16

/**
 * SQLite's page cache in bytes. For an existing store, writes go to all parts of the hash index, so it should stay in
 * memory. A new one gets its index at the end, and until then grows only at its end.
 */
const CACHE_BYTES = 64 << 20
const CACHE_BYTES_NEW = 8 << 20

/** Memory for sorting the digests of a new store. */
const SORT_BYTES = 32 << 20

/** Does nothing to a database without a write-ahead log. */
const FOLD = 'PRAGMA wal_checkpoint(TRUNCATE)'

const HINTS = {
  busy: IN_USE.writing,
  readOnly: 'look at the permissions of the file and of its directory',
  damaged: NEW_STORE,
  full: 'make room; the store is as it was',
  failing: 'look at the disk, at its quota and at the limit on file sizes; the store is as it was',
}

/** The database to write or to make. */
export interface SqliteWriting {
  path: string
  /** The name used in messages. */
  name: string
  /** The algorithm of an empty or new store (default sha1). Any other store must already have it. */
  hash: HashName | undefined
}

/** See {@link WriterModule}. */
export function openWriter(data: SqliteWriting): BlobWriter {
  return new SqliteWriter(data)
}

export class SqliteWriter implements BlobWriter {
  readonly hash: HashName
  readonly #name: string
  readonly #db: DatabaseSync
  /** The file of a new store, until it has its name. */
  readonly #newFile: NewFile | undefined
  readonly #insertOne: StatementSync
  readonly #insertRows: StatementSync
  /** The value for the epoch column, which flux-core's garbage collector uses. */
  readonly #epoch: bigint
  /** Number of rows inserted. */
  #inserted = 0
  #packed: Uint8Array = Buffer.allocUnsafeSlow(1 << 20)

  /** @throws {FluxError} `EBUSY`, `EBADMSG`, `EINVAL`, `EACCES`, … naming the database */
  constructor({ path, name, hash }: SqliteWriting) {
    this.#name = name
    this.#newFile = existsSync(path) ? undefined : newDatabase(path)
    try {
      this.#db = openDatabase(this.#newFile?.path ?? path, { readOnly: false })
      try {
        this.#begin()
        this.hash = this.#hashName(hash)
        this.#epoch = this.#migrate()
        this.#insertOne = this.#db.prepare(this.#insertSql(1))
        this.#insertRows = this.#db.prepare(this.#insertSql(ROWS))
      } catch (error) {
        this.#db.close()
        throw error
      }
    } catch (error) {
      this.#newFile?.remove()
      throw this.#explain(error)
    }
  }

  store({ bytes, start, end, sizes, digests }: BlobBatch): void {
    const width = DIGEST_BYTES[this.hash]
    const rows: (Uint8Array | number)[] = []
    if (sizes === undefined) this.#reserve(start, end)
    let used = 0
    const flush = (statement: StatementSync) => {
      this.#insert(statement, rows)
      rows.length = 0
      used = 0
    }
    try {
      this.#assertStands()
      for (let i = 0; i < start.length; i++) {
        const from = start[i] as number
        const size = (end[i] as number) - from
        const packed = sizes === undefined ? compressBlob(bytes, from, size, this.#packed, used) : 0
        rows.push(digests.subarray(i * width, (i + 1) * width))
        if (packed === 0) rows.push(sizes?.[i] ?? -1, bytes.subarray(from, from + size))
        else rows.push(size, this.#packed.subarray(used, used + packed))
        used += packed
        if (rows.length === 3 * ROWS) flush(this.#insertRows)
      }
      const rest = rows.splice(0)
      for (let i = 0; i < rest.length; i += 3) this.#insert(this.#insertOne, rest.slice(i, i + 3))
    } catch (error) {
      throw this.#explain(error)
    }
  }

  commit(checkpoint: Checkpoint): void {
    const value = encodeCheckpoint(checkpoint)
    try {
      this.#assertStands()
      this.#db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(value)
      if (!this.#newFile) this.#assertStored(this.#db, checkpoint.rootref, value)
      this.#db.exec('COMMIT')
      if (this.#newFile) this.#complete(this.#newFile, checkpoint.rootref, value)
    } catch (error) {
      throw this.#explain(error)
    }
    if (this.#newFile) return
    this.#foldJournal()
    this.#db.close()
  }

  /** Give a new database its index and its name. */
  #complete(file: NewFile, rootref: string, checkpoint: string): void {
    this.#db.close()
    const { path } = file
    addHashIndex(path, this.#inserted, { mayRepeat: true, mostBytes: SORT_BYTES })
    const db = openDatabase(path, { readOnly: true })
    try {
      this.#assertStored(db, rootref, checkpoint)
    } finally {
      db.close()
    }
    file.commit()
  }

  close(): void {
    if (this.#db.isOpen) {
      try {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        // After a failed write SQLite leaves its journal, and the file stays large. A read makes it roll back now.
        if (!this.#newFile) this.#db.exec('SELECT count(*) FROM sqlite_schema')
      } catch {
        // Then the journal stays, and the next process that opens the store rolls back.
      }
      this.#db.close()
    }
    this.#newFile?.remove()
  }

  /**
   * Check that the transaction is open. After some errors, such as a full disk, SQLite ends it by itself, and later
   * writes would be committed one by one.
   *
   * @throws {FluxError} `EIO` the transaction has ended
   */
  #assertStands(): void {
    if (this.#db.isOpen && this.#db.isTransaction) return
    throw new FluxError('EIO', `${this.#name}: SQLite has given the transaction up`)
  }

  #insert(statement: StatementSync, rows: readonly (Uint8Array | number)[]): void {
    const changes = Number(statement.run(...rows).changes)
    this.#inserted += changes
    if (changes === rows.length / 3) return
    throw new FluxError('EIO', `${this.#name}: took ${changes} of ${rows.length / 3} blobs`)
  }

  /**
   * Check that everything is stored, before the store is what readers see.
   *
   * @throws {FluxError} `EIO` it is not
   */
  #assertStored(db: DatabaseSync, rootref: string, checkpoint: string): void {
    const newest = db.prepare('SELECT value FROM checkpt_v2 ORDER BY id DESC LIMIT 1').get()
    if (newest?.value !== checkpoint) throw new FluxError('EIO', `${this.#name}: did not take the checkpoint`)
    const digest = Buffer.from(blobrefHex(rootref), 'hex')
    if (!db.prepare('SELECT 1 FROM objects WHERE hash = CAST(? AS TEXT)').get(digest)) {
      throw new FluxError('EIO', `${this.#name}: does not have the root, ${rootref}`)
    }
  }

  /** Move the write-ahead log into the database, and leave an empty log. */
  #foldJournal(): void {
    try {
      this.#db.exec(FOLD)
    } catch (error) {
      const { code, message } = FluxError.fromSystem(this.#explain(error), this.#name)
      throw new FluxError(code, `${message}: everything is stored, but part of it only in ${this.#name}-wal`, {
        cause: error,
        hint: 'make room and keep that file: whoever opens the store next moves it into the database',
      })
    }
  }

  #begin(): void {
    const cacheBytes = this.#newFile ? CACHE_BYTES_NEW : CACHE_BYTES
    const settings = [`cache_size = ${-cacheBytes / 1024}`, 'locking_mode = EXCLUSIVE']
    // A killed process leaves the file under its temporary name, so a rollback is not needed. (Not OFF: we open
    // databases in SQLite's defensive mode, which ignores OFF, and a journal file would be made.)
    if (this.#newFile) settings.push('journal_mode = MEMORY', 'synchronous = OFF')
    else settings.push('synchronous = FULL')
    for (const setting of settings) this.#db.exec(`PRAGMA ${setting}`)
    // Move what a crash left in a write-ahead log into the database, so that the log then holds only our writes.
    if (!this.#newFile) this.#db.exec(FOLD)
    this.#db.exec('BEGIN IMMEDIATE')
  }

  #hashName(wanted: HashName | undefined): HashName {
    const tables = tablesOf(this.#db, this.#name)
    if (tables.size > 0) assertHasObjects(tables, this.#name)
    assertNoTriggers(this.#db, this.#name)
    const found = tables.has('objects') ? hashIn(this.#db) : undefined
    if (found && wanted && found !== wanted) {
      throw new FluxError('EINVAL', `${this.#name}: is a store of ${found} blobrefs, not ${wanted}`)
    }
    return found ?? wanted ?? 'sha1'
  }

  /** Update the schema to the newest, as the module does when it is loaded. @returns the epoch */
  #migrate(): bigint {
    const db = this.#db
    for (const [table, columns] of Object.entries(CREATE_TABLES)) {
      // The table of a new database gets its primary key at the end.
      const made = this.#newFile ? columns.replace('hash BLOB PRIMARY KEY', 'hash BLOB') : columns
      db.exec(`CREATE TABLE IF NOT EXISTS ${table}(${made})`)
    }
    const columns = db.prepare('PRAGMA table_info(objects)').all()
    if (!columns.some(({ name }) => name === 'epoch')) db.exec('ALTER TABLE objects ADD COLUMN epoch INT DEFAULT 0')
    if (tablesOf(db, this.#name).has('checkpt')) {
      // The module would append this old checkpoint after ours, and start from it.
      const insert = db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)')
      for (const checkpoint of checkpointsIn(db, this.#name, ['checkpt'])) insert.run(encodeCheckpoint(checkpoint))
      db.exec('DROP TABLE checkpt')
    }
    const newest = db.prepare('SELECT coalesce(max(id), 0) AS epoch FROM checkpt_v2')
    newest.setReadBigInts(true)
    return newest.get()?.epoch as bigint
  }

  #insertSql(rows: number): string {
    // Raw digest bytes as TEXT: the module binds them so, and finds only such rows. A blob that an old store already
    // has is written again, because it may be damaged.
    const values = Array(rows).fill(`(CAST(? AS TEXT), ?, ?, ${this.#epoch})`).join(', ')
    const conflict = `ON CONFLICT (hash) DO UPDATE SET
      size = excluded.size, object = excluded.object, epoch = excluded.epoch`
    return `INSERT INTO objects (hash, size, object, epoch) VALUES ${values} ${this.#newFile ? '' : conflict}`
  }

  /**
   * Make room for the compressed blocks of any {@link ROWS} consecutive blobs, which must stay until they are inserted.
   */
  #reserve(start: Float64Array, end: Float64Array): void {
    let most = 0
    for (let i = 0; i < start.length; i += ROWS) {
      let bytes = 0
      for (let k = i; k < Math.min(i + ROWS, start.length); k++) bytes += (end[k] as number) - (start[k] as number)
      most = Math.max(most, bytes)
    }
    if (most > this.#packed.length) this.#packed = Buffer.allocUnsafeSlow(most)
  }

  #explain(error: unknown): unknown {
    return sqliteError(error, this.#name, HINTS)
  }
}
