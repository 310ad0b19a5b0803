/** Blocking reads of a `content.sqlite`, in one read transaction: without it, each statement takes and drops a lock. */
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import type { Checkpoint } from '../checkpoint.ts'
import {
  BLOB,
  type BlobFailure,
  type BlobReader,
  type BlobStream,
  type CheckedBatch,
  type CheckedRange,
  emptyBatch,
  isSound,
  type PackedBatch,
} from '../packed-batch.ts'
import type { SharedCounts } from '../read-counts.ts'
import type { StoreTotals } from '../store-on-disk.ts'
import { BlobRows } from './blob-rows.ts'
import { SqliteCopier } from './copier.ts'
import type { IndexParts } from './index-parts.ts'
import { LargeBlobs } from './large-blobs.ts'
import { listingFaults } from './listing-faults.ts'
import { Locator, rowidOf } from './locator.ts'
import { openDatabase } from './open-database.ts'
import { assertRowRange, PLACES } from './row-range.ts'
import { RowSet } from './row-set.ts'
import { assertHasObjects, checkpointsIn, hashIn, tablesOf } from './schema.ts'
import { IN_USE, sqliteError } from './sqlite-error.ts'
import { Survey } from './survey.ts'

/** Rows that are read together when a range of the store is checked. */
const CHECKED_ROWS = 512

const HINTS = {
  busy: IN_USE.reading,
  damaged: '--salvage reads what is left of it',
}

/**
 * How to open a database. `immutable`: SQLite takes no lock and makes no files beside it: no process writes to it and it has
 * no journal, or what is read may be wrong and is verified. `readonly`: with its write-ahead log. `private`: our own copy, to which SQLite may apply a
 * journal.
 */
export type SqliteAccess = 'immutable' | 'readonly' | 'private'

const ACCESS: Readonly<Record<SqliteAccess, string>> = {
  immutable: '?mode=ro&immutable=1',
  readonly: '?mode=ro',
  private: '',
}

/** The database to read, and how. */
export interface SqliteReading {
  path: string
  /** The name for messages: the path of the original, when staged files are read. */
  name: string
  access: SqliteAccess
  verify: boolean
  /** What a reader in another thread has learnt and marked: see {@link SqliteReader.twin}. */
  known?: { index: IndexParts; marked: Uint8Array }
}

/** See {@link ReaderModule}. */
export function openReader(data: SqliteReading): BlobReader {
  return new SqliteReader(data)
}

export class SqliteReader implements BlobReader {
  readonly hash: HashName
  readonly #db: DatabaseSync
  readonly #name: string
  readonly #verify: boolean
  readonly #tables: Set<string>
  readonly #largeBlobs: LargeBlobs
  readonly #locator: Locator
  readonly #rows: BlobRows
  /** Rows that have been verified, so that a blob that is referenced often is read once. */
  readonly #intact = new RowSet()
  readonly #marked: RowSet
  readonly #reading: SqliteReading
  #survey: Survey | undefined
  #copier: SqliteCopier | undefined

  /** @throws {FluxError} `EBUSY`, `EBADMSG`, `EINVAL`, … naming the database */
  constructor(reading: SqliteReading) {
    const { path, name, access, verify, known } = reading
    this.#reading = reading
    this.#marked = new RowSet(known?.marked)
    this.#name = name
    this.#verify = verify
    try {
      // Not SQLite's read-only flag, which would go for a database that is attached, too: see SqliteCopier.
      const url = `${pathToFileURL(path).href}${ACCESS[access]}`
      this.#db = openDatabase(url, { readOnly: false })
      this.#db.exec('BEGIN')
      this.#tables = tablesOf(this.#db, name)
      assertHasObjects(this.#tables, name)
      if (!known) assertRowRange(this.#db, name)
      this.#largeBlobs = new LargeBlobs(this.#db)
      // An empty store gets Flux's default.
      this.hash = hashIn(this.#db) ?? 'sha1'
      this.#locator = new Locator(this.#db, DIGEST_BYTES[this.hash], known?.index)
      this.#rows = new BlobRows(this.#db, this.hash, verify, this.#largeBlobs)
    } catch (error) {
      throw sqliteError(error, name, HINTS)
    }
  }

  /** Number of objects, once the index has been read; before that undefined. */
  get objects(): number | undefined {
    return this.#locator.objects
  }

  /** The checkpoints, newest first; empty when there is none. @throws {FluxError} `EPROTO` one is damaged */
  checkpoints(): Checkpoint[] {
    return this.#named(() => {
      const tables = (['checkpt_v2', 'checkpt'] as const).filter((table) => this.#tables.has(table))
      return checkpointsIn(this.#db, this.#name, tables)
    })
  }

  readBatch(digests: Uint8Array, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const batch = emptyBatch(count)
    return this.#named(() => {
      const order = this.#locator.locate(digests, count)
      if (order.length > 0) this.#rows.read(batch, order, digests, { budgetBytes, maxBlobBytes })
      return batch
    })
  }

  checkBatch(digests: Uint8Array, count: number): CheckedBatch {
    const batch = emptyBatch(count)
    return this.#named(() => {
      this.#check(batch, this.#locator.locate(digests, count), digests)
      return { status: batch.status, reasons: batch.reasons }
    })
  }

  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange {
    return this.#named(() => {
      const { index } = this.#locator
      const end = Math.min(from + count, index.size)
      const range: CheckedRange = { isLast: end === index.size, checked: 0, bad: [] }
      for (let at = from; at < end; at += CHECKED_ROWS)
        this.#checkRows(range, at, Math.min(CHECKED_ROWS, end - at), onlyMarked)
      if (range.isLast && !onlyMarked) range.faults = listingFaults(this.#db, index)
      return range
    })
  }

  #checkRows(range: CheckedRange, from: number, count: number, onlyMarked: boolean): void {
    const { index } = this.#locator
    const rowids = index.rowids(from, count)
    const order = new Float64Array(count)
    let wanted = 0
    for (let i = 0; i < count; i++) {
      const rowid = rowids[i] as number
      if (!onlyMarked || this.#marked.has(rowid)) order[wanted++] = rowid * PLACES + i
    }
    if (wanted === 0) return
    range.checked += wanted
    const digests = index.digests(from, count)
    const batch = emptyBatch(count)
    const located = order.subarray(0, wanted)
    this.#check(batch, located, digests)
    const width = DIGEST_BYTES[this.hash]
    for (const packed of located) {
      const i = packed % PLACES
      if (isSound(batch.status[i])) continue
      const digest = digests.slice(i * width, (i + 1) * width)
      range.bad.push({ digest, status: batch.status[i] as number, reason: batch.reasons.get(i) })
    }
  }

  /** Verify located blobs. Those that have been found intact before are not read again. */
  #check(batch: PackedBatch, located: Float64Array, digests: Uint8Array): void {
    for (const packed of located) batch.status[packed % PLACES] = BLOB.PACKED
    if (!this.#verify) return
    const unchecked = located.filter((packed) => !this.#intact.has(rowidOf(packed)))
    if (unchecked.length === 0) return
    this.#rows.read(batch, unchecked, digests, undefined)
    for (const packed of unchecked) if (isSound(batch.status[packed % PLACES])) this.#intact.add(rowidOf(packed))
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    const { status, reasons } = this.checkBatch(digest, 1)
    const reason = reasons.get(0)
    if (!isSound(status[0])) return { status: status[0] as number, ...(reason !== undefined && { reason }) }
    return this.#named(() => {
      const [packed] = this.#locator.locate(digest, 1)
      return this.#largeBlobs.open(rowidOf(packed as number)) ?? { status: BLOB.ALTERED }
    })
  }

  sizes(digests: Uint8Array, count: number): Float64Array {
    return this.#named(() => this.#surveyor.sizes(digests, count))
  }

  list(from: number, count: number): Uint8Array {
    return this.#named(() => this.#locator.index.digests(from, count))
  }

  mark(digests: Uint8Array, count: number): number {
    return this.#named(() => {
      let found = 0
      for (const rowid of this.#locator.rowids(digests, count)) {
        if (rowid < 0) continue
        this.#marked.add(rowid)
        found++
      }
      return found
    })
  }

  totals(shared: SharedCounts): StoreTotals {
    return this.#named(() => this.#surveyor.totals(this.#marked, shared))
  }

  /** Undefined for staged files: they are removed as soon as they have been opened. */
  twin(): SqliteReading | undefined {
    if (this.#reading.access !== 'immutable') return undefined
    return this.#named(() => {
      const { index } = this.#locator
      // Marks are shared as a bitmap of rows.
      if (!index.isDense) return undefined
      return { ...this.#reading, known: { index: index.parts, marked: this.#marked.share(index.lastRowid) } }
    })
  }

  get copier(): SqliteCopier {
    this.#copier ??= new SqliteCopier({
      db: this.#db,
      name: this.#name,
      hash: this.hash,
      locator: this.#locator,
      rows: this.#rows,
      verify: this.#verify,
      intact: this.#intact,
    })
    return this.#copier
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  /** @throws {FluxError} an error of SQLite, with the name of the database */
  #named<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sqliteError(error, this.#name, HINTS)
    }
  }

  get #surveyor(): Survey {
    this.#survey ??= new Survey(this.#db, this.#locator, DIGEST_BYTES[this.hash])
    return this.#survey
  }
}
