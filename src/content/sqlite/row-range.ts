import type { DatabaseSync } from 'node:sqlite'
import { FluxError } from '../../errors/index.ts'
import { MAX_BATCH } from '../packed-batch.ts'

/** The most blobs to locate at a time. A rowid times this plus a place in the batch makes one sortable number. */
export const PLACES = MAX_BATCH

/** Beyond it, a rowid times {@link PLACES} is not exact. SQLite numbers rows from 1 on. */
export const LAST_ROWID = Math.floor(Number.MAX_SAFE_INTEGER / PLACES)

/** True for the number of a row that is read. */
export function isRowid(rowid: number): boolean {
  return rowid >= 0 && rowid <= LAST_ROWID
}

/**
 * Check the numbers of the first and of the last row of `objects`: any 64-bit number is possible where Flux did not give it.
 * Where the table is too damaged for that, such rows are left out later.
 *
 * @param name - the name of the database, for the message
 * @throws {FluxError} `EBADMSG` a row has a number that cannot be read exactly
 */
export function assertRowRange(db: DatabaseSync, name: string): void {
  for (const end of ['min', 'max']) {
    const rowid = endOf(db, end)
    if (rowid === undefined || isRowid(Number(rowid))) continue
    throw new FluxError(
      'EBADMSG',
      `${name}: damaged: its table "objects" has a row ${rowid}, and 0 to ${LAST_ROWID} are what can be read`,
      { hint: '--salvage reads its blobs' },
    )
  }
}

/** @returns undefined when there is no row, or it cannot be read */
function endOf(db: DatabaseSync, end: string): bigint | undefined {
  const statement = db.prepare(`SELECT ${end}(rowid) AS rowid FROM objects NOT INDEXED`)
  statement.setReadBigInts(true)
  try {
    return (statement.get()?.rowid as bigint | null | undefined) ?? undefined
  } catch {
    return undefined
  }
}
