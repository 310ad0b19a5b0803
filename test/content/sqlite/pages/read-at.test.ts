import fs, { closeSync, openSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { expect } from 'chai'
import { readAt } from '../../../../src/content/sqlite/pages/read-at.ts'
import { scratch } from '../../../support/fixtures.ts'

const SECTOR = 4096

/** Let reads fail that touch a sector of a file, as those of a disk do. @param errnos - the last one goes on */
function withBadSector(fd: number, sector: number, errnos: string[], work: () => void): void {
  const { readSync } = fs
  fs.readSync = ((file: number, buffer: NodeJS.ArrayBufferView, at: number, length: number, from: number) => {
    const touches = from < (sector + 1) * SECTOR && from + length > sector * SECTOR
    if (file === fd && touches) {
      const [errno] = errnos.length > 1 ? errnos.splice(0, 1) : errnos
      throw Object.assign(new Error(`${errno}: i/o error, read`), { code: errno })
    }
    return readSync(file, buffer, at, length, from)
  }) as typeof readSync
  syncBuiltinESMExports()
  try {
    work()
  } finally {
    fs.readSync = readSync
    syncBuiltinESMExports()
  }
}

describe('content/sqlite/pages/read-at', () => {
  let fd: number
  beforeEach(() => {
    const path = join(scratch(), 'disk')
    writeFileSync(path, Buffer.alloc(4 * SECTOR, 'x'))
    fd = openSync(path, 'r')
  })
  afterEach(() => closeSync(fd))

  it('reads up to the end of the file', () => {
    const buffer = Buffer.alloc(3 * SECTOR)
    expect(readAt(fd, buffer, 10, 2 * SECTOR, 3 * SECTOR - 5)).to.equal(SECTOR + 5)
    expect(buffer.subarray(0, 10).equals(Buffer.alloc(10))).to.equal(true)
    expect(buffer.subarray(10, 10 + SECTOR + 5).toString()).to.equal('x'.repeat(SECTOR + 5))
  })

  it('reads all but the sectors that the disk cannot read, which are zero', () => {
    const buffer = Buffer.alloc(4 * SECTOR, 'old')
    withBadSector(fd, 1, ['EIO'], () => {
      // It does not begin at a sector.
      expect(readAt(fd, buffer, 0, 4 * SECTOR, 100)).to.equal(4 * SECTOR - 100)
    })
    const parts = [buffer.subarray(0, SECTOR - 100), buffer.subarray(SECTOR - 100, 2 * SECTOR - 100)] as const
    expect(parts[0].toString()).to.equal('x'.repeat(SECTOR - 100))
    expect(parts[1].equals(Buffer.alloc(SECTOR))).to.equal(true)
    expect(buffer.subarray(2 * SECTOR - 100, 4 * SECTOR - 100).toString()).to.equal('x'.repeat(2 * SECTOR))
  })

  it('fails for every other reason', () => {
    for (const errnos of [['EBADF'], ['EIO', 'EBADF']]) {
      withBadSector(fd, 1, errnos, () => {
        expect(() => readAt(fd, Buffer.alloc(SECTOR), 0, SECTOR, SECTOR)).to.throw('EBADF')
      })
    }
  })
})
