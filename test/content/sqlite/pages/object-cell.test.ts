/** Rows of the table `objects`, found in the pages that SQLite writes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { ObjectCell } from '../../../../src/content/sqlite/pages/object-cell.ts'
import { scratch } from '../../../support/fixtures.ts'

interface Row {
  stored: number
  size: number
}

const digestOf = (n: number, bytes: number) => Buffer.alloc(bytes, n + 1)

/** A database with rows as content-sqlite writes them. */
function database(rows: readonly Row[], pageBytes: number, { hasEpoch = true, digestBytes = 20, epoch = 0 } = {}) {
  const path = join(scratch(), 'x.sqlite')
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${pageBytes}`)
  db.exec(`CREATE TABLE objects( hash BLOB, size INT, object BLOB${hasEpoch ? ', epoch INT DEFAULT 0' : ''})`)
  const columns = hasEpoch ? 'hash,size,object,epoch' : 'hash,size,object'
  const insert = db.prepare(`INSERT INTO objects (${columns}) VALUES (CAST(? AS TEXT),?,?${hasEpoch ? ',?' : ''})`)
  rows.forEach(({ stored, size }, n) => {
    insert.run(digestOf(n, digestBytes), size, Buffer.alloc(stored, 'content'), ...(hasEpoch ? [epoch] : []))
  })
  db.close()
  return readFileSync(path)
}

/** The cells of all leaf pages of tables: where their pages and their records begin. */
function* cellsOf(file: Buffer, pageBytes: number): Generator<{ page: Buffer; record: number; payload: number }> {
  for (let start = pageBytes; start < file.length; start += pageBytes) {
    const page = file.subarray(start, start + pageBytes)
    if (page[0] !== 13) continue
    for (let n = 0; n < page.readUInt16BE(3); n++) {
      let at = page.readUInt16BE(8 + 2 * n)
      let payload = 0
      do payload = payload * 128 + ((page[at] as number) & 127)
      while ((page[at++] as number) >= 128)
      while ((page[at++] as number) >= 128);
      yield { page, record: at, payload }
    }
  }
}

describe('content/sqlite/pages/object-cell', () => {
  for (const pageBytes of [512, 4096]) {
    for (const [what, options] of [
      ['an epoch', {}],
      ['a large epoch', { epoch: 70_000 }],
      ['an epoch of 1', { epoch: 1 }],
      ['no epoch', { hasEpoch: false }],
      ['SHA-256', { digestBytes: 32 }],
    ] as [string, { hasEpoch?: boolean; digestBytes?: number; epoch?: number }][]) {
      it(`finds each column of rows with ${what}, in pages of ${pageBytes} bytes`, () => {
        const { hasEpoch = true, digestBytes = 20 } = options
        const rows: Row[] = [
          ...[0, 1, 50, 255, 360, 400, 401, 402, 403, 404, 405, 410, 445].map((stored) => ({ stored, size: -1 })),
          ...[3900, 4000, 4030, 4040, 5000, 9000].map((stored) => ({ stored, size: -1 })),
          ...[0, 1, 127, 128, 255 * 200, 20_000, 40_000].map((size) => ({ stored: 200, size })),
          { stored: 5000, size: 255 * 5000 },
          { stored: 0, size: 0 },
        ]
        const file = database(rows, pageBytes, options)
        const cell = new ObjectCell()
        const found: Row[] = []
        for (const { page, record, payload } of cellsOf(file, pageBytes)) {
          expect(cell.readTypes(page, record + 2, pageBytes)).to.equal(true)
          expect(cell.readRow(page, pageBytes, hasEpoch ? 1 : 0, digestBytes, pageBytes)).to.equal(true)
          expect(cell).to.include({ record, payload })
          const n = (page[cell.digestAt] as number) - 1
          expect(page.subarray(cell.digestAt, cell.digestAt + digestBytes)).to.deep.equal(digestOf(n, digestBytes))
          found[n] = { stored: cell.stored, size: cell.size }
          const local = Math.min(cell.localEnd, cell.storedAt + cell.stored)
          expect(page.toString('latin1', cell.storedAt, local)).to.equal(
            'content'.repeat(2000).slice(0, local - cell.storedAt),
          )
          if (cell.overflows) expect(page.readUInt32BE(cell.localEnd)).to.be.within(2, file.length / pageBytes)
          else expect(cell.localEnd).to.equal(record + payload)
          // SQLite puts cells at the end of a page, one before the other.
          expect(cell.localEnd + (cell.overflows ? 4 : 0)).to.be.at.most(pageBytes)
        }
        expect(found).to.deep.equal(rows.map((row) => (row.stored === 0 ? { stored: 0, size: -1 } : row)))
      })
    }
  }

  describe('of a row that is whole', () => {
    /** A record: the bytes of its header, the types of its columns, and the columns. It fills the page. */
    function page({
      size = 1,
      object = [12 + 2 * 30],
      epoch = 8,
      sizeIs = 0xff,
      bytes = 512,
      columns = 20 + 1 + 30,
    } = {}) {
      const types = [53, size, ...object, epoch]
      const page = Buffer.alloc(bytes)
      const record = bytes - 1 - types.length - columns
      page.set([types.length + 1, ...types], record)
      page[record + 1 + types.length + 20] = sizeIs
      return { page, at: record + 2, end: bytes }
    }
    const takes = (fields: Parameters<typeof page>[0] = {}, { more = 1, end = 512, usable = 512 } = {}) => {
      const cell = new ObjectCell()
      const { page: bytes, at } = page(fields)
      if (!cell.readTypes(bytes, at, end)) return 'no types'
      return cell.readRow(bytes, end, more, 20, usable) ? `${cell.stored} ${cell.size}` : 'no row'
    }

    it('takes a size of each integer type, and no other type', () => {
      expect(takes()).to.equal('30 -1')
      expect(takes({ size: 8, columns: 50 })).to.equal('30 0')
      expect(takes({ size: 9, columns: 50 })).to.equal('30 1')
      for (const size of [0, 7, 10, 12, 255]) expect(takes({ size }), `${size}`).to.equal('no types')
    })

    it('takes an object that is a blob or NULL, of a length that SQLite writes', () => {
      expect(takes({ object: [0], columns: 21 })).to.equal('0 -1')
      expect(takes({ object: [12], columns: 21 })).to.equal('0 -1')
      // A text, integers, and a number that is written in too many bytes.
      for (const object of [[13], [73], [1], [9], [10], [11], [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 12]]) {
        expect(takes({ object }), `${object}`).to.equal('no types')
      }
      expect(takes({ object: [0x81, 12], columns: 21 + 64, sizeIs: 64 })).to.equal('64 64')
    })

    it('takes types that end before the end of the page only', () => {
      const cell = new ObjectCell()
      const { page: bytes, at } = page()
      expect(cell.readTypes(bytes, at, at + 3)).to.equal(true)
      expect(cell.readTypes(bytes, at, at + 2)).to.equal(false)
    })

    it('takes a row that ends where the page does, and none that reaches beyond', () => {
      expect(takes({}, { end: 512 })).to.equal('30 -1')
      expect(takes({}, { end: 511 })).to.equal('no row')
      // An epoch of one byte needs that byte.
      expect(takes({ epoch: 1, columns: 52 })).to.equal('30 -1')
      expect(takes({ epoch: 1 })).to.equal('no row')
    })

    it('takes further columns that are integers or NULL', () => {
      for (const epoch of [0, 8, 9]) expect(takes({ epoch }), `${epoch}`).to.equal('30 -1')
      for (const epoch of [10, 12, 13, 255]) expect(takes({ epoch }), `${epoch}`).to.equal('no row')
    })

    it('takes a size from -1 to what LZ4 can expand to', () => {
      expect(takes({ sizeIs: 0xff })).to.equal('30 -1')
      expect(takes({ sizeIs: 0xfe })).to.equal('no row')
      expect(takes({ sizeIs: 127 })).to.equal('30 127')
      const sized = (size: number) => {
        const cell = new ObjectCell()
        const { page: bytes, at } = page({ size: 2, object: [12 + 2], columns: 20 + 2 + 1 })
        bytes.writeInt16BE(size, 512 - 3)
        return cell.readTypes(bytes, at, 512) && cell.readRow(bytes, 512, 1, 20, 512) && cell.size
      }
      expect([sized(255), sized(256), sized(-1), sized(-2)]).to.deep.equal([255, false, -1, false])
    })

    it('takes a row with overflow pages only where there is room for the number of the first', () => {
      // 20 + 1 + 1000 bytes and a header of 5: 39 + (987 % 508) is too much for the page, so 39 bytes lie in it.
      const length = 12 + 2 * 1000
      const object = [0x80 | (length >> 7), length & 127]
      const at = (columns: number) => takes({ object, columns, sizeIs: 0xff })
      // 39 bytes, of which the header and its length take 6; and four for the page number.
      expect(at(33 + 4)).to.equal('1000 -1')
      expect(at(33 + 3)).to.equal('no row')
    })
  })
})
