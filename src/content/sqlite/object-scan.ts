import type { DatabaseSync } from 'node:sqlite'

/** Rows asked for at a time. */
const ROWS = 8192

/**
 * Unreadable numbers one after another that are tried one by one, in ranges of {@link ROWS}: more than the rows below a lost
 * page, where Flux numbered them. Beyond them the end of the unreadable part is searched for: where the numbers are far
 * apart, one page stands for any number of them.
 */
const UNREADABLE_RANGES = 2

/** Numbers of such a part that are told one by one. */
const MOST_LOST = 1 << 20

type OnRow = (digest: Uint8Array, rowid: number) => void
type OnLost = (rowid: number) => void

/**
 * Read digests and rowids from the table itself, without its hash index, and skip damaged pages.
 *
 * @param last - the last rowid to read; undefined when it cannot be read
 * @param known - a rowid that the table has or had. When `last` is undefined, rows beyond it are read until there are only
 *   unreadable ones. Of those only the first is told: nobody knows how many they are
 * @param onRow - called with each readable row, in order
 * @param onLost - called with each rowid that cannot be read. A row with that id may not exist. Of very many one after
 *   another, only the first are told
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
  /** The next row there is, at a number or beyond it; undefined where that cannot be told. */
  const nextRow = (rowid: number): number | undefined => {
    try {
      return (following.get(rowid) as unknown as [number | null])[0] ?? Number.POSITIVE_INFINITY
    } catch {
      return undefined
    }
  }
  const next = (rowid: number): number => nextRow(rowid) ?? rowid
  /** The end of an unreadable part of the table. @param rowid - the last number that is known to be in it */
  const unreadableEnd = (rowid: number, end: number): number => {
    let low = rowid
    let high = rowid + ROWS
    while (high <= end && nextRow(high) === undefined) {
      low = high
      high += 2 * (high - rowid)
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (nextRow(middle) === undefined) low = middle
      else high = middle
    }
    return high
  }
  // In a damaged table the last row may not be the one with the largest number.
  const end = Math.max(last ?? known, known)
  // When the first rows are unreadable: Flux numbers rows from 1 on.
  const first = next(Number.MIN_SAFE_INTEGER)
  let from = first === Number.MIN_SAFE_INTEGER ? 1 : first
  /** Ranges one after another of which nothing can be read. */
  let unreadableRanges = 0
  while (from <= end) {
    const to = Math.min(from + ROWS - 1, end)
    let unread = 0
    const onUnread = (rowid: number) => {
      unread++
      onLost(rowid)
    }
    scan(from, to, onRow, onUnread)
    unreadableRanges = unread === to - from + 1 ? unreadableRanges + 1 : 0
    // A rowid may be any number: gaps are not gone through.
    if (unreadableRanges < UNREADABLE_RANGES) from = next(to + 1)
    else {
      const readable = Math.min(unreadableEnd(to, end), end + 1)
      for (let rowid = to + 1; rowid < Math.min(readable, to + MOST_LOST); rowid++) onLost(rowid)
      from = next(readable)
    }
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
