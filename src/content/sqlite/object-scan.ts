import type { DatabaseSync } from 'node:sqlite'

/** Rows asked for at a time. */
const ROWS = 8192

type OnRow = (digest: Uint8Array, rowid: number) => void
type OnLost = (rowid: number) => void

/**
 * Read digests and rowids from the table itself, without its hash index, and skip damaged pages.
 *
 * @param last - the last rowid to read; undefined when it cannot be read
 * @param known - a rowid that the table has or had. When `last` is undefined, rows beyond it are read until there are only
 *   unreadable ones. Of those only the first is told: nobody knows how many they are
 * @param onRow - called with each readable row, in order
 * @param onLost - called with each rowid that cannot be read. A row with that id may not exist
 */
export function scanObjects(
  db: DatabaseSync,
  digestBytes: number,
  { last, known }: { last: number | undefined; known: number },
  onRow: OnRow,
  onLost: OnLost,
): void {
  const statement = db.prepare(
    `SELECT CAST(group_concat(hash,'') AS BLOB), group_concat(rowid,' ') FROM
       (SELECT hash, rowid FROM objects NOT INDEXED WHERE rowid BETWEEN ? AND ? AND octet_length(hash) = ? ORDER BY rowid)`,
  )
  statement.setReturnArrays(true)
  const scan = (from: number, to: number, onRow: OnRow, onLost: OnLost): void => {
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
      scan(from, middle, onRow, onLost)
      scan(middle + 1, to, onRow, onLost)
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
  // In a damaged table the last row may not be the one with the largest number.
  const end = Math.max(last ?? known, known)
  // When the first rows are unreadable: Flux numbers rows from 1 on.
  const first = next(Number.MIN_SAFE_INTEGER)
  let from = first === Number.MIN_SAFE_INTEGER ? 1 : first
  while (from <= end) {
    const to = Math.min(from + ROWS - 1, end)
    scan(from, to, onRow, onLost)
    // A rowid may be any number: gaps are not gone through.
    from = next(to + 1)
  }
  if (last !== undefined) return
  /** Unreadable rows after the last readable one. */
  let unreadable: number[] = []
  for (let found = true; found; from = next(from + ROWS)) {
    // Nothing follows, although the end cannot be read.
    if (from === Number.POSITIVE_INFINITY) break
    found = false
    const onTailRow = (digest: Uint8Array, rowid: number) => {
      for (const before of unreadable) onLost(before)
      unreadable = []
      found = true
      onRow(digest, rowid)
    }
    scan(from, from + ROWS - 1, onTailRow, (rowid) => unreadable.push(rowid))
  }
  onLost(unreadable[0] ?? end + 1)
}

/** The largest rowid of the table; undefined when that cannot be read. */
export function lastRowid(db: DatabaseSync): number | undefined {
  try {
    return Number(db.prepare('SELECT max(rowid) AS last FROM objects').get()?.last ?? 0)
  } catch {
    return undefined
  }
}
