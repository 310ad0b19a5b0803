/**
 * Blocking writes to a `content.sqlite`, all in one transaction: killed at any moment, a store is as it was or complete. A
 * new one is written beside its final name, with no journal, and takes the name when it is on disk.
 *
 * @see flux-core `src/modules/content-sqlite/content-sqlite.c`, whose schema and migration this is
 */
import { existsSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { lz4EncodeBlock } from '../../bytes/index.ts'
import { FluxError } from '../../errors/index.ts'
import type { BlobBatch, BlobWriter } from '../blob-batch.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import { NewFile } from '../new-file.ts'
import { checkpointsIn, hashIn, tablesOf } from './schema.ts'
import { sqliteError } from './sqlite-error.ts'

/** Blobs of this size and more are compressed, if that makes them smaller. */
const COMPRESSED_BYTES = 256

/** Blobs inserted by one statement: what costs is not SQLite but the crossing from JavaScript. */
const ROWS = 16

/** Bytes of pages in memory: the index of the hashes is written all over, and should stay. */
const CACHE_BYTES = 64 << 20

const HINTS = {
  busy: 'stop the instance that uses it, or restore to that instance live with --uri',
  readOnly: 'look at the permissions of the file and of its directory',
  damaged: 'restore to a new store instead',
}

export interface SqliteWriterOptions {
  /** The name used in messages. */
  name: string
  /** The algorithm of a store that is empty or new (default sha1); of any other, what it must be. */
  hash: HashName | undefined
}

export class SqliteWriter implements BlobWriter {
  readonly hash: HashName
  readonly #name: string
  readonly #db: DatabaseSync
  /** The file of a store that is new, until it has its name. */
  readonly #newFile: NewFile | undefined
  readonly #insertOne: StatementSync
  readonly #insertRows: StatementSync
  /** See the epoch column in flux-core: what the garbage collector goes by. */
  readonly #epoch: number
  #packed: Uint8Array = Buffer.allocUnsafeSlow(1 << 20)

  /** @throws {FluxError} `EBUSY`, `EBADMSG`, `EINVAL`, `EACCES`, … naming the database */
  constructor(path: string, { name, hash }: SqliteWriterOptions) {
    this.#name = name
    this.#newFile = existsSync(path) ? undefined : newDatabase(path)
    try {
      this.#db = new DatabaseSync(this.#newFile?.path ?? path)
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

  store({ bytes, start, end, digests }: BlobBatch): void {
    const width = DIGEST_BYTES[this.hash]
    const rows: (Uint8Array | number)[] = []
    this.#reserve(start, end)
    let used = 0
    const flush = (statement: StatementSync) => {
      statement.run(...rows)
      rows.length = 0
      used = 0
    }
    try {
      for (let i = 0; i < start.length; i++) {
        const from = start[i] as number
        const size = (end[i] as number) - from
        const packed = size < COMPRESSED_BYTES ? 0 : lz4EncodeBlock(bytes, from, size, this.#packed, used, size - 1)
        rows.push(digests.subarray(i * width, (i + 1) * width))
        if (packed === 0) rows.push(-1, bytes.subarray(from, from + size))
        else rows.push(size, this.#packed.subarray(used, used + packed))
        used += packed
        if (rows.length === 3 * ROWS) flush(this.#insertRows)
      }
      const rest = rows.splice(0)
      for (let i = 0; i < rest.length; i += 3) this.#insertOne.run(...rest.slice(i, i + 3))
    } catch (error) {
      throw this.#explain(error)
    }
  }

  commit(checkpoint: Checkpoint): void {
    try {
      this.#db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(encodeCheckpoint(checkpoint))
      this.#db.exec('COMMIT')
      this.#db.close()
    } catch (error) {
      throw this.#explain(error)
    }
    this.#newFile?.commit()
  }

  close(): void {
    // Rolls back what is not committed.
    if (this.#db.isOpen) this.#db.close()
    this.#newFile?.remove()
  }

  #begin(): void {
    const settings = [`cache_size = ${-CACHE_BYTES / 1024}`, 'locking_mode = EXCLUSIVE']
    // Whoever is killed leaves the file under its temporary name, so there is nothing to roll back to. (Not OFF: Node opens
    // databases in SQLite's defensive mode, in which that is ignored, and a journal file would lie beside it.)
    if (this.#newFile) settings.push('journal_mode = MEMORY', 'synchronous = OFF')
    else settings.push('synchronous = FULL')
    for (const setting of settings) this.#db.exec(`PRAGMA ${setting}`)
    this.#db.exec('BEGIN IMMEDIATE')
  }

  #hashName(wanted: HashName | undefined): HashName {
    const tables = tablesOf(this.#db)
    if (tables.size > 0 && !tables.has('objects')) {
      throw new FluxError(
        'EINVAL',
        `${this.#name}: an SQLite database, but not a Flux content store (it has no table "objects")`,
      )
    }
    const found = tables.has('objects') ? hashIn(this.#db) : undefined
    if (found && wanted && found !== wanted) {
      throw new FluxError('EINVAL', `${this.#name}: is a store of ${found} blobrefs, not ${wanted}`)
    }
    return found ?? wanted ?? 'sha1'
  }

  /** Bring the schema to the newest, as the module itself would when it is loaded. @returns the epoch */
  #migrate(): number {
    const db = this.#db
    db.exec(`CREATE TABLE IF NOT EXISTS objects(hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0);
      CREATE TABLE IF NOT EXISTS checkpt_v2(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)`)
    const columns = db.prepare('PRAGMA table_info(objects)').all()
    if (!columns.some(({ name }) => name === 'epoch')) db.exec('ALTER TABLE objects ADD COLUMN epoch INT DEFAULT 0')
    if (tablesOf(db).has('checkpt')) {
      // The module would move it behind ours, and start from it.
      const insert = db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)')
      for (const checkpoint of checkpointsIn(db, this.#name, ['checkpt'])) insert.run(encodeCheckpoint(checkpoint))
      db.exec('DROP TABLE checkpt')
    }
    return Number(db.prepare('SELECT coalesce(max(id), 0) AS epoch FROM checkpt_v2').get()?.epoch)
  }

  #insertSql(rows: number): string {
    // Raw digest bytes as TEXT: what the module's binding makes of them, and the only thing that it finds again. A blob
    // that is there is written again, as nobody knows whether it is still intact.
    const values = Array(rows).fill(`(CAST(? AS TEXT), ?, ?, ${this.#epoch})`).join(', ')
    const conflict = this.#newFile
      ? 'DO NOTHING'
      : 'DO UPDATE SET size = excluded.size, object = excluded.object, epoch = excluded.epoch'
    return `INSERT INTO objects (hash, size, object, epoch) VALUES ${values} ON CONFLICT (hash) ${conflict}`
  }

  /** Make room for the blocks of any {@link ROWS} blobs of a batch, which stay until they are inserted. */
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

/** @throws {FluxError} `EEXIST` when there are journals of a database that is gone: SQLite would play them into this one */
function newDatabase(path: string): NewFile {
  for (const suffix of ['-wal', '-journal']) {
    if (!existsSync(path + suffix)) continue
    throw new FluxError('EEXIST', `${path}${suffix}: belongs to a database that is not there`, {
      hint: 'put that back, or move this away',
    })
  }
  return new NewFile(path, 'file')
}
