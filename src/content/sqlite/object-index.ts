import type { DatabaseSync } from 'node:sqlite'
import { scanObjects } from './object-scan.ts'

/** All digests that begin with one byte, in order, and the row of each. */
interface Bucket {
  digests: Uint8Array
  rowids: Uint32Array | Float64Array
}

/**
 * Digest to rowid, for every object of a `content.sqlite`, in memory: 24 bytes an object with SHA-1.
 *
 * The index of the `hash` column holds both. It is read in its order, with one aggregated row for each bucket: that
 * takes a fifth of a second for a million objects. A look-up guesses the place (digests are spread evenly) and takes a
 * few steps. Asking SQLite for each digest instead costs five times as much as all the rest of a dump.
 */
export class ObjectIndex {
  /** Number of objects. */
  readonly size: number
  /** Number of rowids that neither the table nor its hash index could read: an upper bound of the lost objects. */
  readonly lost: number
  readonly #buckets: Bucket[]
  readonly #digestBytes: number
  /** How many digests come before each bucket. */
  readonly #starts: number[]
  #order: Float64Array | undefined

  /** Read the whole index of the open database. Damaged parts are read from the table instead. */
  constructor(db: DatabaseSync, digestBytes: number) {
    this.#digestBytes = digestBytes
    // A TEXT sorts before every BLOB, so x'' is the end of the last bucket. The column holds TEXT (see writer.ts).
    const statement = db.prepare(
      `SELECT CAST(group_concat(hash,'') AS BLOB), group_concat(rowid,' ') FROM
         (SELECT hash, rowid FROM objects WHERE hash >= CAST(?1 AS TEXT)
           AND hash < CASE WHEN ?2 IS NULL THEN x'' ELSE CAST(?2 AS TEXT) END
           AND octet_length(hash) = ?3 ORDER BY hash)`,
    )
    statement.setReturnArrays(true)
    const damaged = new Map<number, [digest: Uint8Array, rowid: number][]>()
    this.#buckets = Array.from({ length: 256 }, (_, first) => {
      try {
        const row = statement.get(Buffer.of(first), first === 255 ? null : Buffer.of(first + 1), digestBytes)
        const [digests, text] = row as unknown as [Uint8Array | null, string | null]
        return digests === null || text === null ? EMPTY : bucketOf(digests, text.split(' ').map(Number))
      } catch {
        damaged.set(first, [])
        return EMPTY
      }
    })
    const lost = new Set<number>()
    if (damaged.size > 0) {
      scanObjects(
        db,
        digestBytes,
        this.#lastRowid(db),
        (digest, rowid) => damaged.get(digest[0] as number)?.push([digest, rowid]),
        (rowid) => lost.add(rowid),
      )
      for (const [first, rows] of damaged) {
        rows.sort(([a], [b]) => Buffer.compare(a, b))
        this.#buckets[first] = bucketOf(
          Buffer.concat(rows.map(([digest]) => digest)),
          rows.map(([, rowid]) => rowid),
        )
      }
    }
    if (lost.size > 0) for (const { rowids } of this.#buckets) for (const rowid of rowids) lost.delete(rowid)
    this.lost = lost.size
    let size = 0
    this.#starts = this.#buckets.map(({ rowids }) => {
      size += rowids.length
      return size - rowids.length
    })
    this.size = size
  }

  /** The rows of some objects, in their order. */
  rowids(from: number, count: number): number[] {
    return [...this.#rowOrder().subarray(from, from + count)].map((packed) => Math.floor(packed / this.size))
  }

  /** The digests of some objects, in the order of their rows, one after another. */
  digests(from: number, count: number): Buffer {
    const width = this.#digestBytes
    const order = this.#rowOrder().subarray(from, from + count)
    const digests = Buffer.allocUnsafe(order.length * width)
    for (const [i, packed] of order.entries()) {
      const place = packed % this.size
      let low = 0
      let high = 255
      // The last bucket that begins at or before the place.
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        if ((this.#starts[middle] as number) <= place) low = middle
        else high = middle - 1
      }
      const at = (place - (this.#starts[low] as number)) * width
      digests.set((this.#buckets[low] as Bucket).digests.subarray(at, at + width), i * width)
    }
    return digests
  }

  /** Rowid times number of objects plus place among all digests, ascending. */
  #rowOrder(): Float64Array {
    if (this.#order !== undefined) return this.#order
    const order = new Float64Array(this.size)
    let place = 0
    for (const { rowids } of this.#buckets) for (const rowid of rowids) order[place] = rowid * this.size + place++
    this.#order = order.sort()
    return this.#order
  }

  /** The row of the digest at `at` in `digests`, or -1. */
  find(digests: Uint8Array, at: number): number {
    const bucket = this.#buckets[digests[at] as number] as Bucket
    const count = bucket.rowids.length
    if (count === 0) return -1
    // Interpolate by the three bytes after the first, then walk: about the square root of a bucket's unevenness.
    const key = ((digests[at + 1] as number) << 16) | ((digests[at + 2] as number) << 8) | (digests[at + 3] as number)
    let low = 0
    let high = count - 1
    let probe = Math.min(high, Math.floor((key / 0x1000000) * count))
    let step = 1
    // Gallop from the guess to a range that must hold the digest, then halve it.
    let order = this.#compare(bucket, probe, digests, at)
    if (order === 0) return bucket.rowids[probe] as number
    const direction = order < 0 ? 1 : -1
    while (true) {
      if (direction > 0) low = probe + 1
      else high = probe - 1
      probe += direction * step
      step *= 2
      if (probe < 0 || probe >= count) break
      order = this.#compare(bucket, probe, digests, at)
      if (order === 0) return bucket.rowids[probe] as number
      if (order < 0 !== direction > 0) {
        if (direction > 0) high = probe - 1
        else low = probe + 1
        break
      }
    }
    low = Math.max(low, 0)
    high = Math.min(high, count - 1)
    while (low <= high) {
      const middle = (low + high) >>> 1
      order = this.#compare(bucket, middle, digests, at)
      if (order === 0) return bucket.rowids[middle] as number
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** The largest rowid of the table; if that cannot be read, the largest in the index. */
  #lastRowid(db: DatabaseSync): number {
    try {
      return Number(db.prepare('SELECT max(rowid) AS last FROM objects').get()?.last ?? 0)
    } catch {
      let last = 0
      for (const { rowids } of this.#buckets) for (const rowid of rowids) last = Math.max(last, rowid)
      return last
    }
  }

  /** Negative when the digest at `place` comes before the wanted one, 0 when they are equal. */
  #compare({ digests }: Bucket, place: number, wanted: Uint8Array, at: number): number {
    const width = this.#digestBytes
    const from = place * width
    for (let i = 1; i < width; i++) {
      const difference = (digests[from + i] as number) - (wanted[at + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
}

const EMPTY: Bucket = { digests: new Uint8Array(), rowids: new Uint32Array() }

function bucketOf(digests: Uint8Array, rowids: readonly number[]): Bucket {
  const wide = rowids.some((rowid) => rowid > 0xffffffff || rowid < 0)
  return { digests, rowids: wide ? Float64Array.from(rowids) : Uint32Array.from(rowids) }
}
