/** Finds the page size of a database whose header may be gone. */
import { BTREE, BTREE_HEADER, HEADER, localBytes, MAGIC, PAGE_BYTES, PAGE_NUMBER_BYTES } from './layout.ts'
import { readAt } from './read-at.ts'

/** Stretches of the file that are looked at, and the bytes of each. */
const STRETCHES = 32
const STRETCH_BYTES = 256 << 10

/** How the pages of a database are laid out. */
export interface PageLayout {
  pageBytes: number
  /** Without the bytes that SQLite leaves to extensions at the end of each page. */
  usable: number
}

/**
 * The page size of a database: that of its header, unless neither its first page nor most of its b-tree pages fit it.
 *
 * @param hint - the page size that another file names: the write-ahead log
 */
export function pageLayout(fd: number, fileBytes: number, hint: number | undefined): PageLayout {
  const header = Buffer.alloc(HEADER.BYTES)
  readAt(fd, header, 0, header.length, 0)
  const isWhole = header.toString('latin1', 0, MAGIC.length) === MAGIC
  // 65536 does not fit the field, and is written as 1.
  const field = header.readUInt16BE(HEADER.PAGE_BYTES)
  const named = isWhole ? (field === 1 ? PAGE_BYTES.MAX : field) : hint
  const isPower = named !== undefined && named >= PAGE_BYTES.MIN && (named & (named - 1)) === 0
  const pageBytes = isWhole && isPower && isOfFirstPage(fd, named) ? named : mostPlausible(fd, fileBytes, named)
  const reserved = isWhole && pageBytes === named ? (header[HEADER.RESERVED] as number) : 0
  return { pageBytes, usable: pageBytes - Math.min(reserved, pageBytes - 480) }
}

/** The size with the most bytes in b-tree pages that are as they should be; of equals, the one that is named. */
function mostPlausible(fd: number, fileBytes: number, named: number | undefined): number {
  const sizes: number[] = []
  for (let size: number = PAGE_BYTES.MIN; size <= PAGE_BYTES.MAX; size *= 2) sizes.push(size)
  const scores = new Map(sizes.map((size) => [size, 0]))
  const stretch = Buffer.alloc(Math.min(STRETCH_BYTES, fileBytes))
  const steps = Math.ceil(fileBytes / STRETCH_BYTES)
  for (let i = 0; i < Math.min(STRETCHES, steps); i++) {
    const from = Math.floor((i * steps) / Math.min(STRETCHES, steps)) * STRETCH_BYTES
    const bytes = readAt(fd, stretch, 0, stretch.length, from)
    for (const size of sizes) {
      let plausible = 0
      for (let at = 0; at + size <= bytes; at += size) if (isBtreePage(stretch, at, size)) plausible += size
      scores.set(size, (scores.get(size) as number) + plausible)
    }
  }
  const usual = named !== undefined && scores.has(named) ? named : PAGE_BYTES.DEFAULT
  return sizes.reduce(
    (best, size) => ((scores.get(size) as number) > (scores.get(best) as number) ? size : best),
    usual,
  )
}

/** True for a b-tree page of a size: its cells lie in it, and the last of them ends near its end, where the first is put. */
function isBtreePage(bytes: Buffer, at: number, size: number): boolean {
  const type = bytes[at]
  const isLeaf = type === BTREE.TABLE_LEAF || type === BTREE.INDEX_LEAF
  if (!isLeaf && type !== BTREE.TABLE_INTERIOR && type !== BTREE.INDEX_INTERIOR) return false
  const cells = bytes.readUInt16BE(at + BTREE_HEADER.CELLS)
  const content = bytes.readUInt16BE(at + BTREE_HEADER.CONTENT)
  const pointers = at + (isLeaf ? BTREE_HEADER.LEAF_BYTES : BTREE_HEADER.INTERIOR_BYTES)
  if (pointers + 2 * cells > at + content) return false
  let last = 0
  for (let i = 0; i < cells; i++) {
    const cell = bytes.readUInt16BE(pointers + 2 * i)
    if (cell < content || cell >= size) return false
    last = Math.max(last, cell)
  }
  if (last >= size / 2) return true
  // A single row may fill most of the page.
  return type === BTREE.TABLE_LEAF && endsPage(rowEnd(bytes, at + last, size) - at, size)
}

/** True when the first page, that of the schema, is a leaf that ends where the header says. */
function isOfFirstPage(fd: number, size: number): boolean {
  const bytes = Buffer.alloc(size)
  readAt(fd, bytes, 0, size, 0)
  if (bytes[HEADER.BYTES] !== BTREE.TABLE_LEAF) return false
  const cells = bytes.readUInt16BE(HEADER.BYTES + BTREE_HEADER.CELLS)
  const pointers = HEADER.BYTES + BTREE_HEADER.LEAF_BYTES
  if (cells === 0 || pointers + 2 * cells > size) return false
  let last = 0
  for (let i = 0; i < cells; i++) last = Math.max(last, bytes.readUInt16BE(pointers + 2 * i))
  return last < size && endsPage(rowEnd(bytes, last, size), size)
}

/** True for the end of the last row of a page. Extensions may have up to 255 bytes behind it. */
function endsPage(end: number, size: number): boolean {
  return end <= size && end > size - 256
}

/** Where the part of a row ends that lies in its page. @param at - where its cell begins */
function rowEnd(bytes: Buffer, at: number, size: number): number {
  let next = at
  const varint = () => {
    let value = 0
    for (let i = 0; i < VARINT_BYTES; i++) {
      const byte = bytes[next++] as number
      value = value * 128 + (byte & 127)
      if (byte < 128) break
    }
    return value
  }
  const payload = varint()
  varint()
  const local = localBytes(payload, size)
  return next + local + (local < payload ? PAGE_NUMBER_BYTES : 0)
}

/** The most bytes of a varint. */
const VARINT_BYTES = 9
