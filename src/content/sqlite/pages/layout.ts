/**
 * The parts of SQLite's file format that are needed to find rows without SQLite.
 *
 * @see https://sqlite.org/fileformat2.html
 */

/** The first bytes of a database. */
export const MAGIC = 'SQLite format 3\0'

/** Fields of the database header. */
export const HEADER = { PAGE_BYTES: 16, RESERVED: 20, BYTES: 100 } as const

/** The smallest and the largest page. Its size is a power of two. */
export const PAGE_BYTES = { MIN: 512, DEFAULT: 4096, MAX: 65536 } as const

/** The first byte of a b-tree page. */
export const BTREE = { INDEX_INTERIOR: 2, TABLE_INTERIOR: 5, INDEX_LEAF: 10, TABLE_LEAF: 13 } as const

/** Fields of the header of a b-tree page. An interior page has a further page number after them. */
export const BTREE_HEADER = { CELLS: 3, CONTENT: 5, LEAF_BYTES: 8, INTERIOR_BYTES: 12 } as const

/** A page number at the beginning of an overflow page, and at the end of the part of a row that is not there. */
export const PAGE_NUMBER_BYTES = 4

/** Serial types of a record that have a meaning here. A blob of n bytes has the type 12 + 2n, a text 13 + 2n. */
export const SERIAL = { NULL: 0, FLOAT: 7, ZERO: 8, ONE: 9, BLOB: 12, TEXT: 13 } as const

/** Bytes of an integer, by its serial type. */
export const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const

/** How many bytes of a row lie in its leaf page; the others lie in overflow pages. @param usable - bytes of a page that SQLite uses */
export function localBytes(payload: number, usable: number): number {
  const most = usable - 35
  if (payload <= most) return payload
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const bytes = least + ((payload - least) % (usable - PAGE_NUMBER_BYTES))
  return bytes <= most ? bytes : least
}

/** The integer of a serial type, 1 to 6, 8 or 9, at a place. One beyond 2^53 is not exact. */
export function integerAt(bytes: Uint8Array, at: number, type: number): number {
  if (type === SERIAL.ZERO) return 0
  if (type === SERIAL.ONE) return 1
  let value = ((bytes[at] as number) << 24) >> 24
  for (let i = 1; i < (INTEGER_BYTES[type] as number); i++) value = value * 256 + (bytes[at + i] as number)
  return value
}

/** The number of bytes of a varint. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** True when a varint with a value ends before `end`. */
export function endsWithVarint(bytes: Uint8Array, end: number, value: number): boolean {
  let at = end - 1
  if (bytes[at] !== value % 128) return false
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    if (bytes[--at] !== ((rest % 128) | 128)) return false
  }
  return true
}

/**
 * The rowid of a cell, found from behind: a cell of a table's leaf page is the number of bytes of its record, the rowid,
 * both varints, and then the record.
 *
 * @param start - where the page begins
 * @param record - where the record begins
 * @param payload - bytes of the record
 * @returns undefined when no such cell is there. SQLite writes over the first four bytes of a deleted one
 */
export function rowidBefore(bytes: Uint8Array, start: number, record: number, payload: number): number | undefined {
  let at = record - 1
  if ((bytes[at] as number) >= 128) return undefined
  let rowid = bytes[at] as number
  for (let scale = 128; at > start; scale *= 128) {
    if (endsWithVarint(bytes, at, payload)) return rowid
    at--
    if ((bytes[at] as number) < 128 || record - at > 8) return undefined
    rowid += ((bytes[at] as number) & 127) * scale
  }
  return undefined
}
