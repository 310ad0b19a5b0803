import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rowidOf } from './locator.ts'

/** Rows are read as a range when it has at most this many times as many rows as are wanted: that is four times as fast. */
const MOST_OF_RANGE = 1.25

/** Fewer rows are read one by one. A range also reads the row that follows it, which may be on a damaged page. */
const LEAST_OF_RANGE = 8

/** Reads the rows of a batch in their order, joined to one row by aggregates. */
export class RowStatement<Row> {
  readonly #ofRange: StatementSync
  readonly #ofList: StatementSync

  /**
   * @param aggregates - of `columns`
   * @param columns - of the table `objects`
   */
  constructor(db: DatabaseSync, aggregates: string, columns: string) {
    const prepare = (where: string) => {
      const statement = db.prepare(
        `SELECT ${aggregates} FROM (SELECT ${columns} FROM objects WHERE ${where} ORDER BY rowid)`,
      )
      statement.setReturnArrays(true)
      return statement
    }
    this.#ofRange = prepare('rowid BETWEEN ? AND ?')
    this.#ofList = prepare('rowid IN (SELECT value FROM json_each(?))')
  }

  /**
   * @param order - see {@link Locator.locate}; not empty
   * @returns the aggregates of these rows, and maybe of a few between them
   * @throws an error of SQLite when any of the rows cannot be read
   */
  get(order: Float64Array): Row {
    const first = rowidOf(order[0] as number)
    const last = rowidOf(order[order.length - 1] as number)
    const row =
      order.length >= LEAST_OF_RANGE && last - first < order.length * MOST_OF_RANGE
        ? this.#ofRange.get(first, last)
        : this.#ofList.get(`[${distinctRowids(order).join(',')}]`)
    return row as unknown as Row
  }
}

/** The rows of an order, each once. */
function distinctRowids(order: Float64Array): number[] {
  const rowids: number[] = []
  for (const packed of order) {
    const rowid = rowidOf(packed)
    if (rowid !== rowids.at(-1)) rowids.push(rowid)
  }
  return rowids
}
