/** Finds the rows of digests in a `content.sqlite`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { MAX_BATCH } from '../packed-batch.ts'
import { type IndexParts, readIndex } from './index-parts.ts'
import { ObjectIndex } from './object-index.ts'

/** SQLite answers this many look-ups one by one before the index is read: a look at a single key needs no index. */
const DIRECT_LOOKUPS = 1024

/** The most blobs to locate at a time. A rowid times this plus a place in the batch makes one sortable number. */
export const PLACES = MAX_BATCH

export class Locator {
  readonly #db: DatabaseSync
  readonly #digestBytes: number
  readonly #byHash: StatementSync
  #index: ObjectIndex | undefined
  #lookups = 0

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
    const index = this.#lookups > DIRECT_LOOKUPS ? this.index : this.#index
    const rowids = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const at = i * width
      rowids[i] = index ? index.find(digests, at) : this.#lookUp(digests.subarray(at, at + width))
    }
    return rowids
  }

  #lookUp(digest: Uint8Array): number {
    try {
      return (this.#byHash.get(digest) as unknown as [number] | undefined)?.[0] ?? -1
    } catch {
      // The index of the hash column is damaged here. ObjectIndex can still be built: it reads the table then.
      return this.index.find(digest, 0)
    }
  }
}

/** The rowid in a number of {@link Locator.locate}. */
export function rowidOf(packed: number): number {
  return Math.floor(packed / PLACES)
}
