/**
 * Reads the objects of located rows, expands them, and compares them with their digests.
 *
 * With many small blobs, the crossing into JavaScript costs more than SQLite. So a batch is fetched as one row: an
 * aggregate joins the columns of all its rows. Measured on 750,000 objects: 0.5 s in the order of the rows, where the rows
 * of a batch lie side by side, and 2 s where they lie anywhere; a statement for each blob takes 2.7 s by rowid, and 6 s by
 * hash.
 */
import { createHash, hash as digestOf } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { lz4DecodeBlock, release } from '../../bytes/index.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import { BLOB, type PackedBatch } from '../packed-batch.ts'
import type { LargeBlobs } from './large-blobs.ts'
import { rowidOf } from './locator.ts'
import { rowNumbers } from './row-numbers.ts'
import { PLACES } from './row-range.ts'
import { RowStatement } from './row-statement.ts'
import { SIZE_SQL } from './schema.ts'

/**
 * Blobs beyond this size, stored or expanded, are read one by one, so that a batch's memory stays within its budget.
 */
const LARGE_BLOB = 64 * 1024

/** Larger blobs are checked piece by piece. In bytes. */
const STREAMED_BLOB = 4 << 20

/** How much to read. */
export interface Limits {
  budgetBytes: number
  /** Larger blobs are not read, and have the status {@link BLOB.TOO_LARGE}. */
  maxBlobBytes: number
}

export class BlobRows {
  readonly #hash: HashName
  readonly #digestBytes: number
  readonly #verify: boolean
  readonly #rows: RowStatement<[Uint8Array | null, Uint8Array | null]>
  readonly #byRowid: StatementSync
  readonly #sizes: StatementSync
  readonly #largeBlobs: LargeBlobs
  /** A reused buffer for blobs that are only checked. */
  #scratch: Uint8Array = new Uint8Array()

  constructor(db: DatabaseSync, hash: HashName, verify: boolean, largeBlobs: LargeBlobs) {
    this.#hash = hash
    this.#digestBytes = DIGEST_BYTES[hash]
    this.#verify = verify
    this.#largeBlobs = largeBlobs
    this.#rows = new RowStatement(
      db,
      `CAST(group_concat(rowid||' '||size||' '||coalesce(octet_length(object),0),' ') AS BLOB),
        CAST(group_concat(CASE WHEN octet_length(object) > ${LARGE_BLOB} OR size > ${LARGE_BLOB} THEN '' ELSE object END,'') AS BLOB)`,
      `rowid, ${SIZE_SQL} AS size, object`,
    )
    this.#byRowid = db.prepare(`SELECT ${SIZE_SQL}, CAST(object AS BLOB) FROM objects WHERE rowid = ?`)
    this.#sizes = db.prepare(`SELECT ${SIZE_SQL}, octet_length(object) FROM objects WHERE rowid = ?`)
    for (const statement of [this.#byRowid, this.#sizes]) statement.setReturnArrays(true)
  }

  /**
   * Read located blobs into `batch`.
   *
   * @param order - see {@link Locator.locate}; not empty
   * @param digests - of the batch, one after another
   * @param limits - undefined to only check, and keep no bytes
   */
  read(batch: PackedBatch, order: Float64Array, digests: Uint8Array, limits: Limits | undefined): void {
    // A damaged table may lack rows that the hash index has.
    for (const packed of order) batch.status[packed % PLACES] = BLOB.MISSING
    let row: [Uint8Array | null, Uint8Array | null]
    try {
      // Rows come in the order of `order`: by rowid.
      row = this.#rows.get(order)
    } catch {
      // A damaged page fails the whole statement. Read the blobs one by one to lose only those on that page.
      this.#readLarge(batch, order, digests, limits)
      return
    }
    const numbers = rowNumbers(row[0])
    if (row[0] !== null) release(row[0])
    // NULL when all of the objects are NULL.
    const stored = row[1] ?? new Uint8Array()
    const bytes = limits === undefined ? LARGE_BLOB : expandedBytes(numbers)
    const arena = limits === undefined ? this.#scratchOf(bytes) : Buffer.allocUnsafeSlow(bytes)
    batch.arena = arena
    const large: number[] = []
    let at = 0
    let from = 0
    let next = 0
    for (let i = 0; i < numbers.length; i += 3) {
      const rowid = numbers[i] as number
      const size = numbers[i + 1] as number
      const length = numbers[i + 2] as number
      const isLarge = length > LARGE_BLOB || size > LARGE_BLOB
      while (next < order.length && rowidOf(order[next] as number) < rowid) next++
      if (next === order.length || rowidOf(order[next] as number) !== rowid) {
        // A row between those of the batch.
        if (!isLarge) from += length
        continue
      }
      let end = at
      let state: number = BLOB.MISSING
      if (!isLarge) {
        end += size >= 0 ? size : length
        let blob: Uint8Array | undefined
        if (size === -1) {
          blob = stored.subarray(from, from + length)
          if (limits !== undefined) arena.set(blob, at)
        } else if (size >= 0 && lz4DecodeBlock(stored, from, length, arena, at, size)) {
          blob = arena.subarray(at, end)
        }
        const isIntact = blob !== undefined && this.#isIntact(blob, digests, (order[next] as number) % PLACES)
        state = isIntact ? BLOB.PACKED : BLOB.ALTERED
        from += length
      }
      // The same blob may be wanted at several places.
      for (; next < order.length && rowidOf(order[next] as number) === rowid; next++) {
        const place = (order[next] as number) % PLACES
        if (isLarge) {
          large.push(order[next] as number)
          continue
        }
        batch.start[place] = at
        batch.end[place] = end
        batch.status[place] = state
      }
      // A blob that is only checked gives its room to the next one.
      if (limits !== undefined) at = end
    }
    if (row[1] !== null) release(row[1])
    if (large.length === 0) return
    this.#readLarge(batch, large, digests, limits && { ...limits, budgetBytes: limits.budgetBytes - bytes })
  }

  /** Read blobs one by one, in the order of their rows, so that a blob for several places is read once. */
  #readLarge(batch: PackedBatch, order: Iterable<number>, digests: Uint8Array, limits: Limits | undefined): void {
    let left = limits?.budgetBytes ?? Number.POSITIVE_INFINITY
    let any = batch.arena.length > 0
    let last: { rowid: number; place: number } | undefined
    for (const packed of order) {
      const place = packed % PLACES
      const rowid = rowidOf(packed)
      if (rowid === last?.rowid) {
        copyResult(batch, last.place, place)
        continue
      }
      if (any && left <= 0) {
        batch.status[place] = BLOB.DEFERRED
        continue
      }
      last = { rowid, place }
      try {
        const size = this.#expandedSize(rowid)
        if (limits !== undefined && size > limits.maxBlobBytes) {
          batch.status[place] = BLOB.TOO_LARGE
          continue
        }
        if (limits === undefined && size > STREAMED_BLOB) {
          batch.status[place] = this.#isStreamIntact(rowid, digests, place) ? BLOB.LARGE : BLOB.ALTERED
          continue
        }
        const blob = this.#readOne(rowid, limits === undefined)
        left -= blob?.length ?? 0
        any = true
        if (blob === undefined || !this.#isIntact(blob, digests, place)) {
          batch.status[place] = BLOB.ALTERED
        } else {
          batch.status[place] = BLOB.LARGE
          if (limits !== undefined) batch.large.set(place, blob)
        }
      } catch (error) {
        batch.status[place] = BLOB.UNREADABLE
        batch.reasons.set(place, (error as Error).message)
      }
    }
  }

  /** The expanded size of a row's blob, as stored; -1 when there is no such row. */
  #expandedSize(rowid: number): number {
    const [size, length] = (this.#sizes.get(rowid) ?? [-1, -1]) as unknown as [number, number | null]
    return size >= 0 ? size : (length ?? 0)
  }

  #isStreamIntact(rowid: number, digests: Uint8Array, place: number): boolean {
    const blob = this.#largeBlobs.open(rowid)
    if (blob === undefined) return false
    const hash = createHash(this.#hash)
    for (let piece = blob.next(); piece; piece = blob.next()) if (this.#verify) hash.update(piece)
    return blob.isWhole && (!this.#verify || this.#isDigest(hash.digest('binary'), digests, place))
  }

  /**
   * @param scratch - expand into the reused buffer.
   *
   * @returns undefined when the stored bytes do not fit the size column
   */
  #readOne(rowid: number, scratch: boolean): Uint8Array | undefined {
    const row = this.#byRowid.get(rowid) as unknown as [number, Uint8Array | null] | undefined
    if (row === undefined) return undefined
    const [size, stored] = [row[0], row[1] ?? new Uint8Array()]
    if (size === -1) return stored
    // LZ4 compresses at most 255 to 1. A larger size is damage and must not be allocated.
    if (!Number.isSafeInteger(size) || size < 0 || size > stored.length * 255) return undefined
    const blob = scratch ? this.#scratchOf(size).subarray(0, size) : Buffer.allocUnsafeSlow(size)
    return lz4DecodeBlock(stored, 0, stored.length, blob, 0, size) ? blob : undefined
  }

  #scratchOf(bytes: number): Uint8Array {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(bytes)
    return this.#scratch
  }

  #isIntact(blob: Uint8Array, digests: Uint8Array, place: number): boolean {
    return !this.#verify || this.#isDigest(digestOf(this.#hash, blob, 'binary'), digests, place)
  }

  /** @param bytes - a digest: each character is a byte. Node.js makes such a string faster than a buffer. */
  #isDigest(bytes: string, digests: Uint8Array, place: number): boolean {
    const at = place * this.#digestBytes
    for (let i = 0; i < this.#digestBytes; i++) if (bytes.charCodeAt(i) !== digests[at + i]) return false
    return true
  }
}

/** Bytes of the blobs that are not large. @param numbers - rowid, size and stored bytes of each */
function expandedBytes(numbers: Float64Array): number {
  let bytes = 0
  for (let i = 0; i < numbers.length; i += 3) {
    const size = numbers[i + 1] as number
    const length = numbers[i + 2] as number
    if (!(length > LARGE_BLOB || size > LARGE_BLOB)) bytes += size >= 0 ? size : length
  }
  return bytes
}

/** Copy a blob's result to another place. */
function copyResult(batch: PackedBatch, from: number, to: number): void {
  batch.status[to] = batch.status[from] as number
  const blob = batch.large.get(from)
  if (blob) batch.large.set(to, blob)
  const reason = batch.reasons.get(from)
  if (reason !== undefined) batch.reasons.set(to, reason)
}
