/** Sizes, digests and totals of the objects of a `content.sqlite`, from its columns, without reading the objects. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { SHARED, type SharedCounts } from '../read-counts.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../store-on-disk.ts'
import { distinctRowids, type Locator, PLACES } from './locator.ts'
import { RowSet } from './row-set.ts'
import { SIZE_SQL } from './schema.ts'

export class Survey {
  readonly #db: DatabaseSync
  readonly #locator: Locator
  readonly #digestBytes: number
  readonly #rows: StatementSync
  readonly #marked = new RowSet()

  constructor(db: DatabaseSync, locator: Locator, digestBytes: number) {
    this.#db = db
    this.#locator = locator
    this.#digestBytes = digestBytes
    this.#rows = db.prepare(
      `SELECT group_concat(rowid||' '||size||' '||coalesce(octet_length(object),0),' ') FROM
         (SELECT rowid, ${SIZE_SQL} AS size, object FROM objects WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid)`,
    )
    this.#rows.setReturnArrays(true)
  }

  /** See {@link StoreOnDisk.sizes}. */
  sizes(hex: string, count: number): Float64Array {
    const sizes = new Float64Array(count).fill(-1)
    this.#locateAll(hex, count, (order, from) => {
      const found = this.#read(distinctRowids(order))
      for (let i = 0, row = 0; i < order.length && row < found.length; i++) {
        const rowid = Math.floor((order[i] as number) / PLACES)
        while (row < found.length && (found[row] as number) < rowid) row += 3
        if (found[row] !== rowid) continue
        const size = found[row + 1] as number
        sizes[from + ((order[i] as number) % PLACES)] = size >= 0 ? size : (found[row + 2] as number)
      }
    })
    return sizes
  }

  /** The digests of `count` objects after the first `from`, in hex, in the order of their rows. */
  list(from: number, count: number): string {
    return this.#locator.index.digests(from, count).toString('hex')
  }

  mark(hex: string, count: number): void {
    this.#locateAll(hex, count, (order) => {
      for (const packed of order) this.#marked.add(Math.floor(packed / PLACES))
    })
  }

  totals(shared: SharedCounts): StoreTotals {
    const all = emptyTotals()
    const marked = emptyTotals()
    const { index } = this.#locator
    let unreadable = index.lost
    shared[SHARED.OBJECTS] = index.size
    for (let from = 0; from < index.size; from += PLACES) {
      const rowids = index.rowids(from, PLACES)
      const found = this.#read([...rowids])
      unreadable += rowids.length - found.length / 3
      shared[SHARED.ADDED_UP] = from + rowids.length
      for (let i = 0; i < found.length; i += 3) {
        const [rowid, size, stored] = [found[i] as number, found[i + 1] as number, found[i + 2] as number]
        add(all, size, stored)
        if (this.#marked.has(rowid)) add(marked, size, stored)
      }
    }
    const pragma = (name: string) => Number(Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
    const pageBytes = pragma('page_size')
    return {
      all,
      marked,
      unreadable,
      fileBytes: pragma('page_count') * pageBytes,
      freeBytes: pragma('freelist_count') * pageBytes,
    }
  }

  #locateAll(hex: string, count: number, use: (order: Float64Array, from: number) => void): void {
    const digests = Buffer.from(hex, 'hex')
    for (let from = 0; from < count; from += PLACES) {
      const places = Math.min(PLACES, count - from)
      const order = this.#locator.locate(digests.subarray(from * this.#digestBytes), places)
      if (order.length > 0) use(order, from)
    }
  }

  /** Rowid, size and stored bytes of each readable row, one after another, in the order of the rows. */
  #read(rowids: readonly number[]): number[] {
    const ask = (rowids: readonly number[]): number[] => {
      const [text] = this.#rows.get(`[${rowids.join(',')}]`) as unknown as [string | null]
      return text === null ? [] : text.split(' ').map(Number)
    }
    try {
      return ask(rowids)
    } catch {
      // A damaged page fails the whole statement: ask row by row.
      return rowids.flatMap((rowid) => {
        try {
          return ask([rowid])
        } catch {
          return []
        }
      })
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
