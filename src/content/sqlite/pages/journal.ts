/**
 * Finds the pages in a rollback journal: those that a transaction changes, as they were before.
 *
 * A journal is written in parts, each a header that fills a sector, and records: a page number, the page, and a checksum.
 *
 * @see https://sqlite.org/fileformat2.html, "The Rollback Journal"
 */
import { PAGE_NUMBER_BYTES } from './layout.ts'
import { readAt } from './read-at.ts'

/** The bytes of a record besides its page. */
export const JOURNAL_MORE_BYTES = 8

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')

/** Fields of a header. */
const HEADER = { RECORDS: 8, SECTOR_BYTES: 20, BYTES: 28 } as const

/** The number of records in a part that reaches to the end of the file, and in one that is being written. */
const UNKNOWN = [0xffffffff, 0]

const SECTOR_BYTES = { LEAST: 512, MOST: 65536 } as const

/** Where the first page of a part begins, and how many there are at most. */
interface JournalPart {
  first: number
  pages: number
}

export function journalParts(fd: number, fileBytes: number, pageBytes: number): JournalPart[] {
  const parts: JournalPart[] = []
  const header = Buffer.alloc(HEADER.BYTES)
  for (let at = 0; at < fileBytes; ) {
    header.fill(0)
    readAt(fd, header, 0, header.length, at)
    const isHeader = header.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) === 0
    // The header of a journal that is at rest may be zeros, and its pages are still there.
    if (!isHeader && at > 0) break
    const named = header.readUInt32BE(HEADER.SECTOR_BYTES)
    const sector = named >= SECTOR_BYTES.LEAST && named <= SECTOR_BYTES.MOST ? named : SECTOR_BYTES.LEAST
    const records = header.readUInt32BE(HEADER.RECORDS)
    const pages = UNKNOWN.includes(records) ? Number.POSITIVE_INFINITY : records
    parts.push({ first: at + sector + PAGE_NUMBER_BYTES, pages })
    const end = at + sector + pages * (pageBytes + JOURNAL_MORE_BYTES)
    at = Math.ceil(end / sector) * sector
  }
  return parts
}
