import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { ObjectCell } from '../../../../src/content/sqlite/pages/object-cell.ts'
import { PageFiles } from '../../../../src/content/sqlite/pages/page-files.ts'
import { Payload } from '../../../../src/content/sqlite/pages/payload.ts'
import { scratch } from '../../../support/fixtures.ts'

const PAGE = 4096

/** Counts the pages that are read. */
class CountingFiles extends PageFiles {
  reads = 0

  override read(address: number, buffer: Buffer, at: number, length: number): number {
    this.reads++
    return super.read(address, buffer, at, length)
  }
}

describe('content/sqlite/pages/payload', () => {
  for (const stored of [1 << 20, 1 << 30]) {
    it(`does not follow a chain of pages that comes back to itself, for ${stored} bytes`, () => {
      const path = `${scratch()}/content.sqlite`
      const file = Buffer.alloc(4 * PAGE)
      file.writeUInt32BE(2, PAGE)
      writeFileSync(path, file)
      const page = Buffer.alloc(PAGE)
      page.writeUInt32BE(2, 1000)
      const cell = new ObjectCell()
      Object.assign(cell, {
        record: 0,
        payload: stored + 60,
        localEnd: 1000,
        digestAt: 10,
        storedAt: 30,
        stored,
        size: -1,
      })
      const files = new CountingFiles(path)
      try {
        expect(new Payload(files).isIntact(page, cell, 0, 'sha1', 20)).to.equal(false)
        expect(files.reads).to.equal(0)
      } finally {
        files.close()
      }
    })
  }
})
