/** Finds the rows of digests in a `content.sqlite`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type IndexParts, readIndex } from './index-parts.ts'
import { ObjectIndex } from './object-index.ts'
import { lastRowid } from './object-scan.ts'
import { isRowid, PLACES } from './row-range.ts'

/**
 * How many look-ups SQLite answers one by one before the index is read: a look at a single key needs no index. Reading it
 * takes as long as one look-up for each {@link OBJECTS_PER_LOOKUP} objects. The most is what is looked up before the
 * store is read in a thread: the index of a large store is then read in that thread only.
 */
const DIRECT_LOOKUPS = { least: 1024, most: 4096 }
const OBJECTS_PER_LOOKUP = 16

export class Locator {
  readonly #db: DatabaseSync
  readonly #digestBytes: number
  readonly #byHash: StatementSync
  #index: ObjectIndex | undefined
  #lookups = 0
  /** How many of {@link DIRECT_LOOKUPS} this store gets, once that is known. */
  #directLookups: number | undefined

  /** @param parts - the index, when another thread has read it */
  constructor(db: DatabaseSync, digestBytes: number, parts?: IndexParts) {
    if (parts) this.#index = new ObjectIndex(parts, digestBytes)
    this.#db = db
    this.#digestBytes = digestBytes
    this.#byHash = db.prepare('SELECT rowid FROM objects WHERE hash = CAST(? AS TEXT)')
    this.#byHash.setReturnArrays(true)
  }

  /** Number of objects, once the index has been read; before that undefined. */
  get objects(): number | undefined {
    return this.#index?.size
  }

  /** All objects. Reads the whole index, the first time. */
  get index(): ObjectIndex {
    this.#index ??= new ObjectIndex(readIndex(this.#db, this.#digestBytes), this.#digestBytes)
    return this.#index
  }

  /**
   * Find the blobs of a batch.
   *
   * @param count - {@link PLACES} at most
   * @returns the order of a batch: rowid times {@link PLACES} plus place in the batch, ascending, of those that exist
   */
  locate(digests: Uint8Array, count: number): Float64Array {
    const order = this.rowids(digests, count)
    let found = 0
    for (let i = 0; i < count; i++) {
      const rowid = order[i] as number
      if (rowid >= 0) order[found++] = rowid * PLACES + i
    }
    return order.subarray(0, found).sort()
  }

  /** The row of each blob; -1 for one that is not there. */
  rowids(digests: Uint8Array, count: number): Float64Array {
    const width = this.#digestBytes
    this.#lookups += count
    const index = this.#isWorthIndex() ? this.index : undefined
    const rowids = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const at = i * width
      rowids[i] = index ? index.find(digests, at) : this.#lookUp(digests.subarray(at, at + width))
    }
    return rowids
  }

  #isWorthIndex(): boolean {
    const { least, most } = DIRECT_LOOKUPS
    if (this.#index !== undefined || this.#lookups <= least) return this.#index !== undefined
    this.#directLookups ??= Math.min(most, (lastRowid(this.#db) ?? 0) / OBJECTS_PER_LOOKUP)
    return this.#lookups > this.#directLookups
  }

  #lookUp(digest: Uint8Array): number {
    try {
      const row = this.#byHash.get(digest) as unknown as [number] | undefined
      if (row === undefined) return -1
      if (isRowid(row[0])) return row[0]
    } catch {
      // node:sqlite throws for a number beyond 2^53, too.
    }
    // The index of the hash column is damaged here. ObjectIndex can still be built: it reads the table then.
    return this.index.find(digest, 0)
  }
}

/** The rowid in a number of {@link Locator.locate}. */
export function rowidOf(packed: number): number {
  return Math.floor(packed / PLACES)
}
