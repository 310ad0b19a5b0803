import type { DatabaseSync } from 'node:sqlite'
import { release } from '../../bytes/index.ts'
import { lastRowid, scanObjects } from './object-scan.ts'
import { rowNumbers } from './row-numbers.ts'

/** All digests that begin with one byte, in order, and the row of each. */
interface Bucket {
  digests: Uint8Array
  /** The same bytes, to copy them four at a time. */
  words: Uint32Array
  rowids: Uint32Array | Float64Array
}

/** A place in the row order is the first byte of a digest times this, plus its place in its bucket. */
const BUCKET_BITS = 24
const BUCKET = 1 << BUCKET_BITS

/**
 * Digest to rowid, for every object of a `content.sqlite`, in memory: 24 bytes an object with SHA-1, and 4 more once
 * objects are asked for in the order of their rows.
 *
 * The index of the `hash` column holds both. It is read in its order, with one aggregated row for each bucket: that
 * takes a fifth of a second for a million objects. A look-up goes to the digests with the same first two bytes, guesses the
 * place among them (digests are spread evenly), and takes a few steps. Asking SQLite for each digest instead costs five
 * times as much as all the rest of a dump.
 */
export class ObjectIndex {
  /** Number of objects. */
  readonly size: number
  /** Number of rowids that neither the table nor its hash index could read: an upper bound of the lost objects. */
  readonly lost: number
  readonly #buckets: Bucket[]
  readonly #digestBytes: number
  /** For each first two bytes, where their digests begin in the bucket. */
  readonly #starts = new Uint32Array(1 << 16)
  #order: Uint32Array | undefined
  /** The first rowid, when the rowids follow each other without a gap. */
  #firstOfRun: number | undefined

  /** Read the whole index of the open database. Damaged parts are read from the table instead. */
  constructor(db: DatabaseSync, digestBytes: number) {
    this.#digestBytes = digestBytes
    // A TEXT sorts before every BLOB, so x'' is the end of the last bucket. The column holds TEXT (see writer.ts).
    const statement = db.prepare(
      `SELECT CAST(group_concat(hash,'') AS BLOB), CAST(group_concat(rowid,' ') AS BLOB) FROM
         (SELECT hash, rowid FROM objects WHERE hash >= CAST(?1 AS TEXT)
           AND hash < CASE WHEN ?2 IS NULL THEN x'' ELSE CAST(?2 AS TEXT) END
           AND octet_length(hash) = ?3 ORDER BY hash)`,
    )
    statement.setReturnArrays(true)
    const damaged = new Map<number, [digest: Uint8Array, rowid: number][]>()
    this.#buckets = Array.from({ length: 256 }, (_, first) => {
      try {
        const row = statement.get(Buffer.of(first), first === 255 ? null : Buffer.of(first + 1), digestBytes)
        const [digests, text] = row as unknown as [Uint8Array | null, Uint8Array | null]
        const bucket = digests === null ? EMPTY : bucketOf(digests, rowNumbers(text))
        if (text !== null) release(text)
        return bucket
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
        lastRowid(db) ?? this.#largestRowid(),
        (digest, rowid) => damaged.get(digest[0] as number)?.push([digest, rowid]),
        (rowid) => lost.add(rowid),
      )
      for (const [first, rows] of damaged) {
        rows.sort(([a], [b]) => Buffer.compare(a, b))
        this.#buckets[first] = bucketOf(
          Buffer.concat(rows.map(([digest]) => digest)),
          Float64Array.from(rows, ([, rowid]) => rowid),
        )
      }
    }
    if (lost.size > 0) for (const { rowids } of this.#buckets) for (const rowid of rowids) lost.delete(rowid)
    this.lost = lost.size
    let size = 0
    for (const [first, { digests, rowids }] of this.#buckets.entries()) {
      size += rowids.length
      for (let place = 0, second = 0; second < 256; second++) {
        this.#starts[(first << 8) | second] = place
        while (place < rowids.length && digests[place * digestBytes + 1] === second) place++
      }
    }
    this.size = size
  }

  /** The rows of some objects, in their order. */
  rowids(from: number, count: number): Float64Array {
    const order = this.#rowOrder().subarray(from, from + count)
    const rowids = new Float64Array(order.length)
    const first = this.#firstOfRun
    for (let i = 0; i < order.length; i++) {
      rowids[i] = first === undefined ? this.#rowidAt(order[i] as number) : first + from + i
    }
    return rowids
  }

  /** The digests of some objects, in the order of their rows, one after another. */
  digests(from: number, count: number): Uint8Array {
    const width = this.#digestBytes >> 2
    const order = this.#rowOrder().subarray(from, from + count)
    const words = new Uint32Array(order.length * width)
    for (let i = 0, to = 0; i < order.length; i++) {
      const packed = order[i] as number
      const bucket = (this.#buckets[packed >>> BUCKET_BITS] as Bucket).words
      const at = (packed & (BUCKET - 1)) * width
      for (let word = at; word < at + width; word++) words[to++] = bucket[word] as number
    }
    return new Uint8Array(words.buffer)
  }

  /** The objects in the order of their rows, each as its first byte times {@link BUCKET} plus its place in the bucket. */
  #rowOrder(): Uint32Array {
    this.#order ??= this.#orderDense() ?? this.#orderSorted()
    return this.#order
  }

  /** For rows as Flux numbers them: from 1 on, with few gaps or none. */
  #orderDense(): Uint32Array | undefined {
    let last = 0
    for (const { rowids } of this.#buckets) {
      if (rowids instanceof Float64Array) return undefined
      for (let place = 0; place < rowids.length; place++) last = Math.max(last, rowids[place] as number)
    }
    if (last > this.size * 2) return undefined
    /** By rowid, its place in the row order plus 1. */
    const placed = new Uint32Array(last + 1)
    for (const [first, { rowids }] of this.#buckets.entries()) {
      for (let place = 0; place < rowids.length; place++) {
        const rowid = rowids[place] as number
        // Only a damaged index has a row twice.
        if (placed[rowid] !== 0) return undefined
        placed[rowid] = first * BUCKET + place + 1
      }
    }
    if (last + 1 - placed.findIndex((place) => place !== 0) === this.size) {
      this.#firstOfRun = last + 1 - this.size
      for (let rowid = this.#firstOfRun; rowid <= last; rowid++) placed[rowid] = (placed[rowid] as number) - 1
      return placed.subarray(this.#firstOfRun)
    }
    const order = new Uint32Array(this.size)
    let next = 0
    for (let rowid = 0; rowid <= last; rowid++) if (placed[rowid] !== 0) order[next++] = (placed[rowid] as number) - 1
    release(placed)
    return order
  }

  #orderSorted(): Uint32Array {
    const order = new Uint32Array(this.size)
    let next = 0
    for (const [first, { rowids }] of this.#buckets.entries()) {
      for (let place = 0; place < rowids.length; place++) order[next++] = first * BUCKET + place
    }
    return order.sort((a, b) => this.#rowidAt(a) - this.#rowidAt(b) || a - b)
  }

  #rowidAt(packed: number): number {
    return (this.#buckets[packed >>> BUCKET_BITS] as Bucket).rowids[packed & (BUCKET - 1)] as number
  }

  /** The row of the digest at `at` in `digests`, or -1. */
  find(digests: Uint8Array, at: number): number {
    const [first, second] = [digests[at] as number, digests[at + 1] as number]
    const bucket = this.#buckets[first] as Bucket
    let low = this.#starts[(first << 8) | second] as number
    let high = (second === 255 ? bucket.rowids.length : (this.#starts[(first << 8) | (second + 1)] as number)) - 1
    // The first guess is by the next two bytes; after that the rest is halved.
    const key = ((digests[at + 2] as number) << 8) | (digests[at + 3] as number)
    let probe = low + (((high - low + 1) * key) >>> 16)
    // Within a few steps of the guess nearly always: then halve what is left.
    for (let step = 1; low <= high; step *= 2) {
      const order = this.#compare(bucket, probe, digests, at)
      if (order === 0) return bucket.rowids[probe] as number
      if (order < 0) {
        low = probe + 1
        probe = step <= 4 ? Math.min(probe + step, high) : (low + high) >>> 1
      } else {
        high = probe - 1
        probe = step <= 4 ? Math.max(probe - step, low) : (low + high) >>> 1
      }
    }
    return -1
  }

  #largestRowid(): number {
    let last = 0
    for (const { rowids } of this.#buckets) for (const rowid of rowids) last = Math.max(last, rowid)
    return last
  }

  /** Negative when the digest at `place` comes before the wanted one, 0 when they are equal. */
  #compare({ digests }: Bucket, place: number, wanted: Uint8Array, at: number): number {
    const width = this.#digestBytes
    const from = place * width
    for (let i = 2; i < width; i++) {
      const difference = (digests[from + i] as number) - (wanted[at + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
}

const EMPTY: Bucket = { digests: new Uint8Array(), words: new Uint32Array(), rowids: new Uint32Array() }

/** @param rowids - copied */
function bucketOf(digests: Uint8Array, rowids: Float64Array): Bucket {
  const wide = rowids.some((rowid) => rowid > 0xffffffff || rowid < 0)
  const aligned = digests.byteOffset % 4 === 0 ? digests : new Uint8Array(digests)
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
  return { digests: aligned, words, rowids: wide ? rowids.slice() : new Uint32Array(rowids) }
}
