import type { DatabaseSync } from 'node:sqlite'

/** All digests that begin with one byte, in order, and the row of each. */
interface Bucket {
  digests: Uint8Array
  rowids: Uint32Array | Float64Array
}

/**
 * Digest to rowid, for every object of a `content.sqlite`, in memory: 24 bytes an object with SHA-1.
 *
 * The index of the `hash` column holds both and is read in its own order, one bucket an aggregated row: a fifth of a
 * second for a million objects. A look-up is a guess at the place (digests are spread evenly) and a few steps. Asking
 * SQLite for each digest instead costs five times as much as all the rest of a dump.
 */
export class ObjectIndex {
  /** Number of objects. */
  readonly size: number
  readonly #buckets: Bucket[]
  readonly #digestBytes: number

  /** Reads the whole index of the open database. @throws the error of node:sqlite when it is damaged */
  constructor(db: DatabaseSync, digestBytes: number) {
    this.#digestBytes = digestBytes
    // A TEXT sorts before every BLOB, so x'' is the end of the last bucket. The column holds TEXT (see store.ts).
    const statement = db.prepare(
      `SELECT CAST(group_concat(hash,'') AS BLOB), group_concat(rowid,' ') FROM
         (SELECT hash, rowid FROM objects WHERE hash >= CAST(?1 AS TEXT)
           AND hash < CASE WHEN ?2 IS NULL THEN x'' ELSE CAST(?2 AS TEXT) END
           AND octet_length(hash) = ?3 ORDER BY hash)`,
    )
    statement.setReturnArrays(true)
    let size = 0
    this.#buckets = Array.from({ length: 256 }, (_, first) => {
      const row = statement.get(Buffer.of(first), first === 255 ? null : Buffer.of(first + 1), digestBytes)
      const [digests, text] = row as unknown as [Uint8Array | null, string | null]
      if (digests === null || text === null) return { digests: new Uint8Array(), rowids: new Uint32Array() }
      const numbers = text.split(' ').map(Number)
      size += numbers.length
      const wide = numbers.some((rowid) => rowid > 0xffffffff || rowid < 0)
      return { digests, rowids: wide ? Float64Array.from(numbers) : Uint32Array.from(numbers) }
    })
    this.size = size
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

  /** Below 0 when the digest of place `place` comes before the wanted one. */
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
