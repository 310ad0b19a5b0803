import type { DatabaseSync } from 'node:sqlite'

/** Rows asked for at a time. */
const ROWS = 8192

/**
 * Read digests and rowids from the table itself, past the index of its hash column, around pages that are damaged.
 *
 * @param lastRowid - rows beyond it are not looked for
 * @param onRow - called with each row that is readable, in order
 * @param onLost - called with each rowid that cannot be read; there may be no such row
 */
export function scanObjects(
  db: DatabaseSync,
  digestBytes: number,
  lastRowid: number,
  onRow: (digest: Uint8Array, rowid: number) => void,
  onLost: (rowid: number) => void,
): void {
  const statement = db.prepare(
    `SELECT CAST(group_concat(hash,'') AS BLOB), group_concat(rowid,' ') FROM
       (SELECT hash, rowid FROM objects NOT INDEXED WHERE rowid BETWEEN ? AND ? AND octet_length(hash) = ? ORDER BY rowid)`,
  )
  statement.setReturnArrays(true)
  const scan = (from: number, to: number): void => {
    let row: [Uint8Array | null, string | null]
    try {
      row = statement.get(from, to, digestBytes) as unknown as typeof row
    } catch {
      // Halve until what is left are the rows of the damaged pages.
      if (from === to) {
        onLost(from)
        return
      }
      const middle = Math.floor((from + to) / 2)
      scan(from, middle)
      scan(middle + 1, to)
      return
    }
    const [digests, rowids] = row
    if (digests === null || rowids === null) return
    for (const [i, rowid] of rowids.split(' ').entries()) {
      onRow(digests.subarray(i * digestBytes, (i + 1) * digestBytes), Number(rowid))
    }
  }
  const following = db.prepare('SELECT min(rowid) FROM objects NOT INDEXED WHERE rowid >= ?')
  following.setReturnArrays(true)
  /** The next row there is; where that cannot be told, the next number. */
  const next = (rowid: number): number => {
    try {
      return (following.get(rowid) as unknown as [number | null])[0] ?? Number.POSITIVE_INFINITY
    } catch {
      return rowid
    }
  }
  for (let from = next(Number.MIN_SAFE_INTEGER); from <= lastRowid; ) {
    const to = Math.min(from + ROWS - 1, lastRowid)
    scan(from, to)
    // A rowid may be any number: gaps are not gone through.
    from = next(to + 1)
  }
}
