import type { DatabaseSync } from 'node:sqlite'

/** Rows asked for at a time. */
const ROWS = 8192

/**
 * Read digests and rowids from the table itself, without its hash index, and skip damaged pages.
 *
 * @param lastRowid - the last rowid to read
 * @param onRow - called with each readable row, in order
 * @param onLost - called with each rowid that cannot be read. A row with that id may not exist
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
      // Halve the range until only rows of damaged pages fail.
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

/** The largest rowid of the table; undefined when that cannot be read. */
export function lastRowid(db: DatabaseSync): number | undefined {
  try {
    return Number(db.prepare('SELECT max(rowid) AS last FROM objects').get()?.last ?? 0)
  } catch {
    return undefined
  }
}
