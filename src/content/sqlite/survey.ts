/** Sizes, digests and totals of the objects of a `content.sqlite`, from its columns, without reading the objects. */
import type { DatabaseSync } from 'node:sqlite'
import { SHARED, type SharedCounts } from '../read-counts.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../store-on-disk.ts'
import { type Locator, rowidOf } from './locator.ts'
import { rowNumbers } from './row-numbers.ts'
import { PLACES } from './row-range.ts'
import type { RowSet } from './row-set.ts'
import { RowStatement } from './row-statement.ts'
import { SIZE_SQL } from './schema.ts'

export class Survey {
  readonly #db: DatabaseSync
  readonly #locator: Locator
  readonly #digestBytes: number
  readonly #rows: RowStatement<[Uint8Array | null]>

  constructor(db: DatabaseSync, locator: Locator, digestBytes: number) {
    this.#db = db
    this.#locator = locator
    this.#digestBytes = digestBytes
    this.#rows = new RowStatement(
      db,
      `CAST(group_concat(rowid||' '||size||' '||coalesce(octet_length(object),0),' ') AS BLOB)`,
      `rowid, ${SIZE_SQL} AS size, object`,
    )
  }

  /** See {@link StoreOnDisk.sizes}. */
  sizes(digests: Uint8Array, count: number): Float64Array {
    const sizes = new Float64Array(count).fill(-1)
    for (let from = 0; from < count; from += PLACES) {
      const places = Math.min(PLACES, count - from)
      const order = this.#locator.locate(digests.subarray(from * this.#digestBytes), places)
      if (order.length === 0) continue
      const found = this.#read(order)
      for (let i = 0, row = 0; i < order.length && row < found.length; i++) {
        const rowid = rowidOf(order[i] as number)
        while (row < found.length && (found[row] as number) < rowid) row += 3
        if (found[row] !== rowid) continue
        const size = found[row + 1] as number
        sizes[from + ((order[i] as number) % PLACES)] = size >= 0 ? size : (found[row + 2] as number)
      }
    }
    return sizes
  }

  /** @param marked - the rows to count separately */
  totals(marked: RowSet, shared: SharedCounts): StoreTotals {
    const totals = { all: emptyTotals(), marked: emptyTotals() }
    const { index } = this.#locator
    let unreadable = index.lost
    shared[SHARED.OBJECTS] = index.size
    for (let from = 0; from < index.size; from += PLACES) {
      const order = index.rowids(from, PLACES).map((rowid, place) => rowid * PLACES + place)
      const found = this.#read(order)
      let next = 0
      let readable = 0
      for (let i = 0; i < found.length; i += 3) {
        const [rowid, size, stored] = [found[i] as number, found[i + 1] as number, found[i + 2] as number]
        // A row between those of the index has a digest of another length.
        while (next < order.length && rowidOf(order[next] as number) < rowid) next++
        if (next === order.length || rowidOf(order[next] as number) !== rowid) continue
        readable++
        add(totals.all, size, stored)
        if (marked.has(rowid)) add(totals.marked, size, stored)
      }
      unreadable += order.length - readable
      shared[SHARED.ADDED_UP] = from + order.length
    }
    const pragma = (name: string) => Number(Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
    const pageBytes = pragma('page_size')
    return {
      ...totals,
      unreadable,
      fileBytes: pragma('page_count') * pageBytes,
      freeBytes: pragma('freelist_count') * pageBytes,
      pageBytes,
    }
  }

  /** Rowid, size and stored bytes of each readable row, one after another, in the order of the rows. */
  #read(order: Float64Array): Float64Array {
    try {
      return rowNumbers(this.#rows.get(order)[0])
    } catch {
      // A damaged page fails the whole statement: ask row by row.
      const found: number[] = []
      for (let i = 0; i < order.length; i++) {
        try {
          found.push(...rowNumbers(this.#rows.get(order.subarray(i, i + 1))[0]))
        } catch {
          // This row is on the page.
        }
      }
      return Float64Array.from(found)
    }
  }
}

function add(totals: Totals, size: number, stored: number): void {
  totals.objects++
  totals.storedBytes += stored
  totals.bytes += size >= 0 ? size : stored
  if (size < 0) return
  totals.compressed++
  totals.compressibleBytes += size
}
