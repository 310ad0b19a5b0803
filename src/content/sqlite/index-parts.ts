/**
 * Reads the index of the `hash` column, which holds digests and rowids. It is read in its order, with one aggregated row for
 * each bucket: that takes a fifth of a second for a million objects.
 */
import type { DatabaseSync } from 'node:sqlite'
import { release } from '../../bytes/index.ts'
import { lastRowid, scanObjects } from './object-scan.ts'
import { rowNumbers } from './row-numbers.ts'
import { isRowid } from './row-range.ts'

/** All digests that begin with one byte, in order, and the row of each. In shared memory. */
export interface Bucket {
  digests: Uint8Array
  /** The same bytes, to copy them four at a time. */
  words: Uint32Array
  rowids: Uint32Array | Float64Array
}

/** All objects of a database. In shared memory: another thread can have them too. */
export interface IndexParts {
  /** By the first byte of the digest. */
  buckets: readonly Bucket[]
  /** For each first two bytes, where their digests begin in the bucket. */
  starts: Uint32Array
  /** Number of objects. */
  size: number
  /**
   * Number of rowids that neither the table nor its hash index could read: an upper bound of the lost objects. Where the
   * end of the table is one of them it counts as one, and more may be lost.
   */
  lost: number
  /** True when a part of the hash index could not be read. */
  isDamaged: boolean
}

/** Read the whole index of the open database. Damaged parts are read from the table instead. */
export function readIndex(db: DatabaseSync, digestBytes: number): IndexParts {
  // A TEXT sorts before every BLOB, so x'' is the end of the last bucket. The column holds TEXT (see writer.ts).
  const statement = db.prepare(
    `SELECT CAST(group_concat(hash,'') AS BLOB), CAST(group_concat(rowid,' ') AS BLOB) FROM
         (SELECT hash, rowid FROM objects WHERE hash >= CAST(?1 AS TEXT)
           AND hash < CASE WHEN ?2 IS NULL THEN x'' ELSE CAST(?2 AS TEXT) END
           AND octet_length(hash) = ?3 ORDER BY hash)`,
  )
  statement.setReturnArrays(true)
  const damaged = new Map<number, [digest: Uint8Array, rowid: number][]>()
  const buckets: Bucket[] = Array.from({ length: 256 }, (_, first) => {
    try {
      const row = statement.get(Buffer.of(first), first === 255 ? null : Buffer.of(first + 1), digestBytes)
      const [digests, text] = row as unknown as [Uint8Array | null, Uint8Array | null]
      if (digests === null) return EMPTY
      const rowids = rowNumbers(text)
      // An entry that names a row that cannot be there is damaged.
      const bucket = rowids.every(isRowid) ? bucketOf(digests, rowids) : undefined
      release(digests)
      if (text !== null) release(text)
      if (bucket !== undefined) return bucket
    } catch {
      // SQLite cannot read the index here.
    }
    damaged.set(first, [])
    return EMPTY
  })
  const lost = new Set<number>()
  if (damaged.size > 0) {
    scanObjects(
      db,
      digestBytes,
      { last: lastRowid(db), known: largestRowid(buckets) },
      (digest, rowid) => {
        if (isRowid(rowid)) damaged.get(digest[0] as number)?.push([digest, rowid])
        else lost.add(rowid)
      },
      (rowid) => lost.add(rowid),
    )
    for (const [first, rows] of damaged) {
      rows.sort(([a], [b]) => Buffer.compare(a, b))
      buckets[first] = bucketOf(
        Buffer.concat(rows.map(([digest]) => digest)),
        Float64Array.from(rows, ([, rowid]) => rowid),
      )
    }
  }
  if (lost.size > 0) for (const { rowids } of buckets) for (const rowid of rowids) lost.delete(rowid)
  const starts = new Uint32Array(new SharedArrayBuffer(4 << 16))
  let size = 0
  for (const [first, { digests, rowids }] of buckets.entries()) {
    size += rowids.length
    for (let place = 0, second = 0; second < 256; second++) {
      starts[(first << 8) | second] = place
      while (place < rowids.length && digests[place * digestBytes + 1] === second) place++
    }
  }
  return { buckets, starts, size, lost: lost.size, isDamaged: damaged.size > 0 }
}

function largestRowid(buckets: readonly Bucket[]): number {
  let last = 0
  for (const { rowids } of buckets) for (const rowid of rowids) last = Math.max(last, rowid)
  return last
}

const EMPTY: Bucket = { digests: new Uint8Array(), words: new Uint32Array(), rowids: new Uint32Array() }

/** Both are copied. */
function bucketOf(digests: Uint8Array, rowids: Float64Array): Bucket {
  const isWide = rowids.some((rowid) => rowid > 0xffffffff)
  const own = new Uint8Array(new SharedArrayBuffer(digests.length))
  own.set(digests)
  const numbers = isWide
    ? new Float64Array(new SharedArrayBuffer(rowids.length * 8))
    : new Uint32Array(new SharedArrayBuffer(rowids.length * 4))
  numbers.set(rowids)
  return { digests: own, words: new Uint32Array(own.buffer), rowids: numbers }
}
