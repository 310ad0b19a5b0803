/** The page size of databases whose header says it, is gone, or says another one. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { pageLayout } from '../../../../src/content/sqlite/pages/page-bytes.ts'
import { scratch } from '../../../support/fixtures.ts'

const SIZES = [512, 1024, 4096, 16_384, 65_536]

/** A database with pages of a size, most of them in b-trees. */
function database(pageBytes: number): Buffer {
  const path = join(scratch(), 'x.sqlite')
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${pageBytes}`)
  db.exec('CREATE TABLE t(a PRIMARY KEY, b)')
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
  db.exec('BEGIN')
  for (let n = 0; n < 5000; n++) insert.run(`key ${n}`, `value ${n} `.repeat(5))
  db.exec('COMMIT')
  db.close()
  return readFileSync(path)
}

function layoutOf(bytes: Buffer, hint?: number) {
  const path = join(scratch(), 'x')
  writeFileSync(path, bytes)
  const fd = openSync(path, 'r')
  try {
    return pageLayout(fd, bytes.length, hint)
  } finally {
    closeSync(fd)
  }
}

describe('content/sqlite/pages/page-bytes', () => {
  for (const pageBytes of SIZES) {
    it(`finds pages of ${pageBytes} bytes, whatever the header says`, () => {
      const bytes = database(pageBytes)
      const layout = { pageBytes, usable: pageBytes }
      expect(layoutOf(bytes)).to.deep.equal(layout)
      const wrong = Buffer.from(bytes)
      wrong.writeUInt16BE(pageBytes === 2048 ? 4096 : 2048, 16)
      // Bytes that are left to extensions are those of the page size that is named.
      wrong[20] = 32
      expect(layoutOf(wrong)).to.deep.equal(layout)
      const gone = Buffer.from(bytes).fill(0, 0, 100)
      expect(layoutOf(gone)).to.deep.equal(layout)
      expect(layoutOf(gone, 8192)).to.deep.equal(layout)
    })
  }

  it('leaves out the bytes of each page that the header leaves to extensions, but only so many', () => {
    const bytes = database(4096)
    for (const [reserved, usable] of [
      [1, 4095],
      [255, 3841],
    ] as const) {
      bytes[20] = reserved
      expect(layoutOf(bytes)).to.deep.equal({ pageBytes: 4096, usable })
    }
    const small = database(512)
    for (const [reserved, usable] of [
      [31, 481],
      [32, 480],
      [33, 480],
    ] as const) {
      small[20] = reserved
      expect(layoutOf(small)).to.deep.equal({ pageBytes: 512, usable })
    }
    // Without its magic a header says nothing.
    small[0] = 0
    expect(layoutOf(small)).to.deep.equal({ pageBytes: 512, usable: 512 })
  })

  it('takes the size that the header or a log names where no page says otherwise, else 4096 bytes', () => {
    const empty = Buffer.alloc(100_000)
    expect(layoutOf(empty)).to.deep.equal({ pageBytes: 4096, usable: 4096 })
    expect(layoutOf(empty, 1024)).to.deep.equal({ pageBytes: 1024, usable: 1024 })
    expect(layoutOf(empty, 1000)).to.deep.equal({ pageBytes: 4096, usable: 4096 })
    empty.write('SQLite format 3\0', 'latin1')
    for (const [field, pageBytes] of [
      [512, 512],
      [1, 65_536],
      [3, 4096],
    ] as const) {
      empty.writeUInt16BE(field, 16)
      expect(layoutOf(empty, 1024)).to.deep.equal({ pageBytes, usable: pageBytes })
    }
  })

  it('looks for pages in all of a large file', () => {
    const pages = database(512)
    for (const stretch of [0, 30, 32, 62]) {
      const bytes = Buffer.alloc(16 << 20)
      pages.copy(bytes, stretch * (256 << 10), 512, 512 + (256 << 10))
      expect(layoutOf(bytes), `${stretch}`).to.deep.equal({ pageBytes: 512, usable: 512 })
    }
  })

  describe('of a page alone', () => {
    /** A leaf of a table with two cells: where they begin, and where the content of the page does. */
    function page({ type = 13, cells = [1000, 900], content = 900, bytes = 1024 } = {}): Buffer {
      const page = Buffer.alloc(bytes)
      page[0] = type
      page.writeUInt16BE(cells.length, 3)
      page.writeUInt16BE(content, 5)
      const at = type < 8 ? 12 : 8
      for (const [n, cell] of cells.entries()) page.writeUInt16BE(cell, at + 2 * n)
      return page
    }
    /** Whether it looks like one, between pages that do not. */
    const isPage = (one: Buffer) => layoutOf(Buffer.concat([Buffer.alloc(one.length), one])).pageBytes === one.length

    for (const type of [2, 5, 10, 13]) {
      it(`takes one of type ${type} for a b-tree page`, () => {
        expect(isPage(page({ type }))).to.equal(true)
        expect(isPage(page({ type, cells: [512], content: 512 }))).to.equal(true)
      })
    }

    for (const [what, other] of [
      ['of another type', { type: 14 }],
      ['of type 0', { type: 0 }],
      ['without cells', { cells: [] }],
      ['with a cell before its content', { cells: [1000, 899] }],
      ['with a cell behind its end', { cells: [1024, 900] }],
      ['whose last cell is in its first half', { cells: [400, 511], content: 400 }],
      ['whose content begins behind its end', { content: 1024 }],
      ['whose content begins among its cells', { cells: [11, 1000], content: 11 }],
      ['of a tree whose content begins among its cells', { type: 5, cells: [15, 1000], content: 15 }],
    ] as [string, Parameters<typeof page>[0]][]) {
      it(`takes one ${what} for no b-tree page`, () => {
        expect(isPage(page(other))).to.equal(false)
      })
    }

    it('takes one whose content begins where its cells end for a b-tree page', () => {
      expect(isPage(page({ cells: [12, 1000], content: 12 }))).to.equal(true)
      expect(isPage(page({ type: 5, cells: [16, 1000], content: 16 }))).to.equal(true)
      expect(isPage(page({ cells: [1023, 900] }))).to.equal(true)
    })
  })
})
