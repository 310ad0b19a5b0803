/**
 * Copies rows of a `content.sqlite` to a new one inside SQLite, so that their bytes do not pass through JavaScript, and
 * with them the checkpoints, their ids and what Flux counts with them.
 *
 * @see flux-core `src/modules/content-sqlite/content-sqlite.c`, whose newest schema the copy has
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { FluxError, writeError } from '../../errors/index.ts'
import { syncPathSync } from '../../files/index.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { encodeCheckpoint } from '../checkpoint.ts'
import type { ChosenSize, CopyTarget } from '../chosen-blobs.ts'
import { BLOB, type BlobCopier, emptyBatch, isSound, type PackedBatch } from '../packed-batch.ts'
import { SHARED, type SharedCounts } from '../read-counts.ts'
import type { BlobRows } from './blob-rows.ts'
import { addHashIndex } from './hash-index.ts'
import { type Locator, rowidOf } from './locator.ts'
import { PLACES } from './row-range.ts'
import { RowSet } from './row-set.ts'
import { CREATE_TABLES, checkpointsIn, tablesOf } from './schema.ts'
import { sqliteError } from './sqlite-error.ts'

/** Rows copied by one statement. Their blobs are in memory when they are verified. */
const ROWS = 1024

/** Rows measured by one statement. */
const MEASURED_ROWS = 8192

/** SQLite's page cache for the copy, in bytes. It is written from front to back. */
const CACHE_BYTES = 16 << 20

/** Bytes of a row besides its digest and its blob: the record header, the numbers, the rowid and a cell pointer. */
const ROW_BYTES = 24

/** Bytes of an entry of the hash index besides the digest, and the part of its pages that is used at least. */
const ENTRY_BYTES = 12
const INDEX_FILL = 0.9

/** The part of the pages of rows that is used at least, when they are small. */
const ROW_FILL = 0.96

/** Where rows come from: those of a list, or, which is faster, all of a range. The list and the range are parameters. */
const WANTED = 'json_each(?) AS wanted CROSS JOIN main.objects ON objects.rowid = wanted.value'
const RANGE = 'main.objects WHERE rowid BETWEEN ? AND ? ORDER BY rowid'

/** What the copier needs of the reader that it belongs to. */
export interface SqliteSource {
  readonly db: DatabaseSync
  readonly name: string
  readonly hash: HashName
  readonly locator: Locator
  readonly verify: boolean
  /** Rows that are known to be intact. */
  readonly intact: RowSet
  readonly rows: BlobRows
}

export class SqliteCopier implements BlobCopier {
  readonly #source: SqliteSource
  readonly #width: number
  readonly #chosen = new RowSet()
  /** The chosen rows, in the order in which they were chosen. */
  #rowids = new Float64Array(1 << 12)
  #count = 0
  /** How many of them are in the order of the store. */
  #sortedCount = 0
  /** The digests of all chosen rows, combined by exclusive or: the same as that of the rows that are copied. */
  readonly #fold: Uint8Array

  constructor(source: SqliteSource) {
    this.#source = source
    this.#width = DIGEST_BYTES[source.hash]
    this.#fold = new Uint8Array(this.#width)
  }

  choose(digests: Uint8Array): number[] {
    const missing: number[] = []
    const count = digests.length / this.#width
    for (let from = 0; from < count; from += PLACES) {
      const places = Math.min(PLACES, count - from)
      const some = digests.subarray(from * this.#width, (from + places) * this.#width)
      const order = this.#locate(some, places)
      if (order.length < places) {
        const found = new Set(Array.from(order, placeOf))
        for (let place = 0; place < places; place++) if (!found.has(place)) missing.push(from + place)
      }
      for (const packed of order) this.#add(packed, some)
    }
    return missing
  }

  read(digests: Uint8Array, budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const { name, verify, intact } = this.#source
    const count = digests.length / this.#width
    const batch = emptyBatch(count)
    const order = this.#locate(digests, count)
    let fresh = 0
    for (const packed of order) {
      if (this.#add(packed, digests)) order[fresh++] = packed
      else batch.status[placeOf(packed)] = BLOB.CHOSEN
    }
    if (fresh === 0) return batch
    const unread = order.subarray(0, fresh)
    try {
      this.#source.rows.read(batch, unread, digests, { budgetBytes, maxBlobBytes })
    } catch (error) {
      throw sqliteError(error, name)
    }
    if (verify) for (const packed of unread) if (isSound(batch.status[placeOf(packed)])) intact.add(rowidOf(packed))
    return batch
  }

  measure(): ChosenSize {
    const { db, name, locator } = this.#source
    try {
      const pragma = (text: string) => Number(pragmaOf(db, 'main', text))
      const page = pragma('page_size')
      // A row that does not fit a page has its rest in pages of its own: see SQLite's file format.
      const local = page - 35
      const least = Math.floor(((page - 12) * 32) / 255) - 23
      const measure = (from: string) => {
        const statement = db.prepare(`SELECT sum(stored), sum(CASE WHEN stored + ?1 <= ?2 THEN stored + ?1
            ELSE ?3 + ((stored + ?1 - ?3 + ?4 - 5) / (?4 - 4)) * ?4 END)
          FROM (SELECT coalesce(octet_length(object), 0) AS stored FROM ${from})`)
        statement.setReturnArrays(true)
        return statement
      }
      const statements = { wanted: measure(WANTED), range: measure(RANGE) }
      let storedBytes = 0
      let rowBytes = 0
      const rowids = this.#sorted()
      for (let from = 0; from < rowids.length; from += MEASURED_ROWS) {
        const [kind, args] = selection(rowids.subarray(from, from + MEASURED_ROWS))
        const sums = statements[kind].get(this.#width + ROW_BYTES, local, least, page, ...args)
        const [stored, bytes] = sums as unknown as [number, number]
        storedBytes += stored
        rowBytes += bytes
      }
      const indexBytes = (rowids.length * (this.#width + ENTRY_BYTES)) / INDEX_FILL
      return {
        blobs: rowids.length,
        storeBlobs: locator.index.size,
        storedBytes,
        // And a page for the schema, for each table, and for what is left over in each.
        neededBytes: Math.ceil((rowBytes / ROW_FILL + indexBytes) / page + 8) * page,
        fileBytes: pragma('page_count') * page,
      }
    } catch (error) {
      throw sqliteError(error, name)
    }
  }

  copy(target: CopyTarget, shared: SharedCounts): void {
    const { db } = this.#source
    try {
      // A database is not attached within a transaction that reads. The new file belongs to nobody else.
      db.exec('COMMIT')
      db.prepare('ATTACH ? AS copy').run(pathToFileURL(target.path).href)
      try {
        this.#begin()
        this.#copyRows(shared)
        this.#copyCheckpoints(target.checkpoints)
        db.exec('COMMIT')
      } finally {
        if (db.isTransaction) db.exec('ROLLBACK')
        db.exec('DETACH copy')
        db.exec('BEGIN')
      }
      makeKey(target, this.#count)
    } catch (error) {
      throw this.#explain(error, target.name)
    }
    try {
      syncPathSync(target.path)
    } catch (error) {
      throw writeError(error, target.name)
    }
    shared[SHARED.COPIED] = this.#count
  }

  /** Prepare the new database, and open the transaction that fills it. */
  #begin(): void {
    const { db } = this.#source
    // These can only be set while it is empty.
    for (const setting of ['page_size', 'auto_vacuum']) this.#keepSetting(setting)
    const settings = ['journal_mode = MEMORY', 'synchronous = OFF', 'locking_mode = EXCLUSIVE']
    for (const setting of [...settings, `cache_size = ${-CACHE_BYTES / 1024}`]) db.exec(`PRAGMA copy.${setting}`)
    db.exec('BEGIN')
    for (const setting of ['user_version', 'application_id']) this.#keepSetting(setting)
    // The key comes last: see addHashIndex.
    db.exec(`CREATE TABLE copy.objects(${CREATE_TABLES.objects.replace(' PRIMARY KEY', '')})`)
    db.exec(`CREATE TABLE copy.checkpt_v2(${CREATE_TABLES.checkpt_v2})`)
  }

  /** Give the new database a setting of the old one. */
  #keepSetting(setting: string): void {
    const { db } = this.#source
    db.exec(`PRAGMA copy.${setting} = ${Number(pragmaOf(db, 'main', setting))}`)
  }

  #copyRows(shared: SharedCounts): void {
    const { db, name } = this.#source
    const hasEpoch = db
      .prepare('PRAGMA main.table_info(objects)')
      .all()
      .some(({ name }) => name === 'epoch')
    const columns = `objects.hash, objects.size, objects.object, ${hasEpoch ? 'objects.epoch' : '0'}`
    const insert = (from: string) =>
      db.prepare(`INSERT INTO copy.objects (hash, size, object, epoch) SELECT ${columns} FROM ${from}`)
    const hashes = (from: string) => {
      const statement = db.prepare(`SELECT CAST(group_concat(hash, '') AS BLOB) FROM (SELECT hash FROM ${from})`)
      statement.setReturnArrays(true)
      return statement
    }
    const inserts = { wanted: insert(WANTED), range: insert(RANGE) }
    const digests = { wanted: hashes(WANTED), range: hashes(RANGE) }
    const rowids = this.#sorted()
    const fold = new Uint8Array(this.#width)
    for (let from = 0; from < rowids.length; from += ROWS) {
      const some = rowids.subarray(from, from + ROWS)
      const [kind, args] = selection(some)
      const hashes = blobOf(digests[kind], args)
      if (hashes.length === some.length * this.#width) {
        this.#verify(some, hashes)
        combine(fold, hashes)
        if (Number(inserts[kind].run(...args).changes) === some.length) {
          shared[SHARED.COPIED] = from + some.length
          continue
        }
      }
      throw new FluxError('EBADMSG', `${name}: damaged: its table lacks blobs that its index has`)
    }
    if (Buffer.compare(fold, this.#fold) === 0) return
    throw new FluxError('EBADMSG', `${name}: damaged: its index and its table do not have the same blobs`)
  }

  /** @throws {FluxError} `EBADMSG` a blob does not have its digest */
  #verify(rowids: Float64Array, digests: Uint8Array): void {
    const { name, hash, verify, intact, rows } = this.#source
    if (!verify) return
    const order = new Float64Array(rowids.length)
    let unchecked = 0
    for (const [place, rowid] of rowids.entries()) {
      if (!intact.has(rowid)) order[unchecked++] = rowid * PLACES + place
    }
    if (unchecked === 0) return
    const batch = emptyBatch(rowids.length)
    rows.read(batch, order.subarray(0, unchecked), digests, undefined)
    for (const packed of order.subarray(0, unchecked)) {
      const place = placeOf(packed)
      if (isSound(batch.status[place])) continue
      const digest = digests.subarray(place * this.#width, (place + 1) * this.#width)
      const blobref = `${hash}-${Buffer.from(digest).toString('hex')}`
      const what = batch.reasons.get(place) ?? 'altered: the stored bytes do not match the blobref'
      throw new FluxError('EBADMSG', `${name}: a checkpoint needs ${blobref}, which is ${what}`)
    }
  }

  #copyCheckpoints(count: number): void {
    const { db, name } = this.#source
    const tables = tablesOf(db, name)
    const newest = 'SELECT id, value FROM main.checkpt_v2 ORDER BY id DESC LIMIT ?'
    const copied = tables.has('checkpt_v2')
      ? db.prepare(`INSERT INTO copy.checkpt_v2 (id, value) SELECT * FROM (${newest}) ORDER BY id`).run(count).changes
      : 0
    if (copied === 0 && tables.has('checkpt')) {
      // What the module does with an old store when it is loaded.
      const [newest] = checkpointsIn(db, name, ['checkpt'])
      if (newest) db.prepare('INSERT INTO copy.checkpt_v2 (id, value) VALUES (1, ?)').run(encodeCheckpoint(newest))
    }
    if (!tables.has('checkpt_v2')) return
    // SQLite's table of the highest ids: an id is never given twice.
    const sequence = `SELECT seq FROM main.sqlite_sequence WHERE name = 'checkpt_v2'`
    db.exec(`UPDATE copy.sqlite_sequence SET seq = max(seq, coalesce((${sequence}), 0)) WHERE name = 'checkpt_v2'`)
  }

  /** Where blobs are: see {@link Locator.locate}. */
  #locate(digests: Uint8Array, count: number): Float64Array {
    const { locator, name } = this.#source
    try {
      return locator.locate(digests, count)
    } catch (error) {
      throw sqliteError(error, name)
    }
  }

  /** Choose a row. @returns false when it had been chosen before */
  #add(packed: number, digests: Uint8Array): boolean {
    const rowid = rowidOf(packed)
    if (this.#chosen.has(rowid)) return false
    this.#chosen.add(rowid)
    if (this.#count === this.#rowids.length) {
      const larger = new Float64Array(this.#count * 2)
      larger.set(this.#rowids)
      this.#rowids = larger
    }
    this.#rowids[this.#count++] = rowid
    const at = placeOf(packed) * this.#width
    for (let i = 0; i < this.#width; i++) {
      this.#fold[i] = (this.#fold[i] as number) ^ (digests[at + i] as number)
    }
    return true
  }

  /** The chosen rows, in the order of the store. */
  #sorted(): Float64Array {
    const rowids = this.#rowids.subarray(0, this.#count)
    if (this.#sortedCount !== this.#count) rowids.sort()
    this.#sortedCount = this.#count
    return rowids
  }

  #explain(error: unknown, target: string): unknown {
    const { errcode } = error as { errcode?: number }
    if (typeof errcode !== 'number') return error
    return FAILED_READS.includes(errcode) || (errcode & 0xff) === CORRUPT
      ? sqliteError(error, this.#source.name)
      : sqliteError(error, target, TARGET_HINTS)
  }
}

const TARGET_HINTS = {
  full: 'make room, or write to another file system',
  failing: 'look at the disk, at its quota and at the limit on file sizes, or write to another file system',
}

/** SQLITE_CORRUPT, and SQLITE_IOERR_READ and SQLITE_IOERR_SHORT_READ. @see https://sqlite.org/rescode.html */
const CORRUPT = 11
const FAILED_READS = [266, 522]

/** @throws {FluxError} `ENOSPC` and the like */
function makeKey({ path, name }: CopyTarget, rows: number): void {
  try {
    addHashIndex(path, rows)
  } catch (error) {
    const full = 'digests are sorted in a temporary file: make room for it, or set SQLITE_TMPDIR to another directory'
    throw sqliteError(error, name, { ...TARGET_HINTS, full })
  }
}

function pragmaOf(db: DatabaseSync, schema: string, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${schema}.${name}`).get() ?? {})[0]
}

/** How to select some rows, which are in order, and the parameters. */
function selection(rowids: Float64Array): ['wanted' | 'range', (number | string)[]] {
  const [first, last] = [rowids[0] as number, rowids.at(-1) as number]
  return last - first === rowids.length - 1 ? ['range', [first, last]] : ['wanted', [`[${rowids.join(',')}]`]]
}

function blobOf(statement: StatementSync, args: readonly (number | string)[]): Uint8Array {
  const [blob] = statement.get(...args) as unknown as [Uint8Array | null]
  return blob ?? new Uint8Array()
}

/** Combine digests with `fold`, by exclusive or. */
function combine(fold: Uint8Array, digests: Uint8Array): void {
  for (let at = 0; at < digests.length; at += fold.length) {
    for (let i = 0; i < fold.length; i++) fold[i] = (fold[i] as number) ^ (digests[at + i] as number)
  }
}

function placeOf(packed: number): number {
  return packed % PLACES
}
