/** The files that hold pages of a database: the database itself, its write-ahead log, and its rollback journal. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { JOURNAL_MORE_BYTES, journalParts } from './journal.ts'
import { PAGE_NUMBER_BYTES } from './layout.ts'
import { type PageLayout, pageLayout } from './page-bytes.ts'
import { readAt } from './read-at.ts'
import { readFrames, WAL, walPageBytes } from './wal.ts'

/** One of the files, or a part of it. */
export interface PageFile {
  readonly fd: number
  /** The size of the file. */
  readonly bytes: number
  /** Where its first page begins, and how far it is from each page to the next. */
  readonly first: number
  readonly stride: number
  /** How many pages there are. The last may be cut off. */
  readonly pages: number
  /** The address of the first byte of the file. */
  readonly start: number
}

/**
 * Which page is meant by a number: as SQLite sees it, with the committed frames of the log; as the database file has it; with
 * all frames of the log that were written since it was begun; or with what is left in it from before, and with the journal.
 */
export const VIEW = { COMMITTED: 0, DATABASE: 1, WRITTEN: 2, STALE: 3 } as const

/** How many {@link VIEW}s there are. */
export const VIEWS = 4

/**
 * All pages of a database, wherever they lie. A page is named by its address: the files are laid one after another, and
 * bytes are counted from the beginning of the first.
 */
export class PageFiles {
  readonly #files: PageFile[] = []
  readonly pageBytes: number
  /** Bytes of a page that SQLite uses. */
  readonly usable: number
  /** For each view, the address of the pages that do not lie in the database. */
  readonly #moved: Map<number, number>[] = Array.from({ length: VIEWS }, () => new Map())

  /** @throws {Error} as of node:fs: the database cannot be opened */
  constructor(database: string) {
    const fd = open(database)
    try {
      const { size } = fstatSync(fd)
      const wal = openIfThere(`${database}-wal`)
      const layout: PageLayout = pageLayout(fd, size, wal && walPageBytes(wal))
      this.pageBytes = layout.pageBytes
      this.usable = layout.usable
      this.#add(fd, 0, this.pageBytes)
      if (wal !== undefined) {
        const [first, stride] = [WAL.HEADER_BYTES + WAL.FRAME_HEADER_BYTES, this.pageBytes + WAL.FRAME_HEADER_BYTES]
        this.#mapLog(this.#add(wal, first, stride))
      }
      const journal = openIfThere(`${database}-journal`)
      if (journal !== undefined) this.#addJournal(journal)
    } catch (error) {
      if (this.#files.length === 0) closeSync(fd)
      this.close()
      throw error
    }
  }

  /** The files, the database first. */
  get files(): readonly PageFile[] {
    return this.#files
  }

  /** Bytes of all files. */
  get bytes(): number {
    const last = this.#files.at(-1)
    return last === undefined ? 0 : last.start + last.bytes
  }

  /** The address of a page; undefined when there is none. */
  address(page: number, view: number): number | undefined {
    const moved = (this.#moved[view] as Map<number, number>).get(page)
    if (moved !== undefined) return moved
    const database = this.#files[0] as PageFile
    return page >= 1 && page <= database.pages ? (page - 1) * this.pageBytes : undefined
  }

  /** True when a view may differ from those before it. */
  hasView(view: number): boolean {
    return view === VIEW.COMMITTED || this.#files.length > 1
  }

  /** Read bytes from an address on. @returns how many there are: fewer at the end of the file */
  read(address: number, buffer: Buffer, at: number, length: number): number {
    const file = this.fileAt(address)
    return readAt(file.fd, buffer, at, length, address - file.start)
  }

  /** The file that holds an address. */
  fileAt(address: number): PageFile {
    const files = this.#files
    let i = files.length - 1
    while (i > 0 && (files[i] as PageFile).start + (files[i] as PageFile).first > address) i--
    return files[i] as PageFile
  }

  /** The address of the page that holds an address. */
  pageOf(address: number): number {
    const { start, first, stride } = this.fileAt(address)
    const begin = start + first
    return begin + Math.floor((address - begin) / stride) * stride
  }

  close(): void {
    for (const fd of new Set(this.#files.splice(0).map(({ fd }) => fd))) closeSync(fd)
  }

  /** @param most - how many pages there are at most */
  #add(fd: number, first: number, stride: number, most = Number.POSITIVE_INFINITY): PageFile {
    const { size: bytes } = fstatSync(fd)
    const last = this.#files.at(-1)
    const start = last === undefined ? 0 : last.fd === fd ? last.start : last.start + last.bytes
    const pages = Math.min(most, Math.max(0, Math.ceil((bytes - first) / stride)))
    const file = { fd, bytes, first, stride, pages, start }
    this.#files.push(file)
    return file
  }

  #mapLog({ fd, bytes, first, stride, start }: PageFile): void {
    const { committed, written, stale } = readFrames(fd, bytes, this.pageBytes)
    const [asCommitted, , asWritten, asStale] = this.#moved as [
      Map<number, number>,
      unknown,
      Map<number, number>,
      Map<number, number>,
    ]
    for (const [map, frames] of [
      [asCommitted, committed],
      [asWritten, written],
      [asStale, stale],
    ] as const) {
      for (const [page, frame] of frames) map.set(page, start + first + frame * stride)
    }
  }

  #addJournal(fd: number): void {
    const stale = this.#moved[VIEW.STALE] as Map<number, number>
    const number = Buffer.alloc(PAGE_NUMBER_BYTES)
    for (const { first, pages: most } of journalParts(fd, fstatSync(fd).size, this.pageBytes)) {
      const { pages, stride, start } = this.#add(fd, first, this.pageBytes + JOURNAL_MORE_BYTES, most)
      for (let at = first; at < first + pages * stride; at += stride) {
        readAt(fd, number, 0, number.length, at - PAGE_NUMBER_BYTES)
        stale.set(number.readUInt32BE(0), start + at)
      }
    }
  }
}

function open(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
}

function openIfThere(path: string): number | undefined {
  try {
    const fd = open(path)
    const stats = fstatSync(fd)
    if (stats.isFile() && stats.size > 0) return fd
    closeSync(fd)
    return undefined
  } catch {
    return undefined
  }
}
