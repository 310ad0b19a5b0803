/** The write-ahead logs that SQLite writes, whole and damaged. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { readFrames, walPageBytes } from '../../../../src/content/sqlite/pages/wal.ts'
import { scratch } from '../../../support/fixtures.ts'

/** The log of a database after some transactions. */
function log(pageBytes: number, transactions: number): Buffer {
  const path = join(scratch(), 'x.sqlite')
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${pageBytes}`)
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA wal_autocheckpoint = 0')
  db.exec('CREATE TABLE t(a)')
  for (let n = 0; n < transactions; n++) db.exec(`INSERT INTO t VALUES (zeroblob(${3 * pageBytes}))`)
  const bytes = readFileSync(`${path}-wal`)
  db.close()
  return bytes
}

interface Frame {
  page: number
  isCommit: boolean
}

function framesOf(log: Buffer, pageBytes: number): Frame[] {
  const frames: Frame[] = []
  for (let at = 32; at + 24 + pageBytes <= log.length; at += 24 + pageBytes) {
    frames.push({ page: log.readUInt32BE(at), isCommit: log.readUInt32BE(at + 4) > 0 })
  }
  return frames
}

/** By page, the last frame of some. */
const lastOf = (frames: readonly Frame[], from: number, to: number) =>
  new Map(frames.slice(from, to).map(({ page }, i) => [page, from + i]))

function opened<T>(bytes: Buffer, use: (fd: number) => T): T {
  const path = join(scratch(), 'wal')
  writeFileSync(path, bytes)
  const fd = openSync(path, 'r')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

const read = (bytes: Buffer, pageBytes: number) => opened(bytes, (fd) => readFrames(fd, bytes.length, pageBytes))

describe('content/sqlite/pages/wal', () => {
  for (const pageBytes of [512, 4096, 65_536]) {
    it(`finds the pages of ${pageBytes} bytes that were committed`, () => {
      const bytes = log(pageBytes, 5)
      expect(opened(bytes, walPageBytes)).to.equal(pageBytes)
      const frames = framesOf(bytes, pageBytes)
      expect(frames.length).to.be.greaterThan(20)
      const { committed, written, stale } = read(bytes, pageBytes)
      expect(committed).to.deep.equal(lastOf(frames, 0, frames.length))
      expect(written).to.deep.equal(committed)
      expect(stale.size).to.equal(0)
    })
  }

  it('reads logs of more than a megabyte', () => {
    const bytes = log(65_536, 10)
    const frames = framesOf(bytes, 65_536)
    expect(bytes.length).to.be.greaterThan(2 << 20)
    expect(read(bytes, 65_536).committed).to.deep.equal(lastOf(frames, 0, frames.length))
  })

  it('reads words in either order of their bytes, as the magic says', () => {
    // SQLite writes in that of the machine; the sums are those of an independent implementation.
    const bytes = log(512, 1)
    const isBig = (bytes.readUInt32BE(0) & 1) === 1
    const turned = Buffer.from(bytes)
    turned.writeUInt32BE(0x377f0682 | (isBig ? 0 : 1), 0)
    const sums: [number, number] = [0, 0]
    const add = (from: number, to: number) => {
      for (let at = from; at < to; at += 8) {
        const word = (place: number) => (isBig ? turned.readUInt32LE(place) : turned.readUInt32BE(place))
        sums[0] = (sums[0] + word(at) + sums[1]) >>> 0
        sums[1] = (sums[1] + word(at + 4) + sums[0]) >>> 0
      }
    }
    const put = (at: number) => {
      turned.writeUInt32BE(sums[0], at)
      turned.writeUInt32BE(sums[1], at + 4)
    }
    add(0, 24)
    put(24)
    for (let at = 32; at < turned.length; at += 24 + 512) {
      add(at, at + 8)
      add(at + 24, at + 24 + 512)
      put(at + 16)
    }
    expect(opened(turned, walPageBytes)).to.equal(512)
    expect(read(turned, 512).committed).to.deep.equal(read(bytes, 512).committed)
  })

  it('takes what lies behind a damaged frame for written, and not for committed', () => {
    const bytes = log(512, 4)
    const frames = framesOf(bytes, 512)
    for (const damaged of [0, 3, frames.length - 1]) {
      // Its page number, its salts, its checksums, and the page itself. What has other salts is from before.
      for (const place of [4, 7, 16, 19, 20, 23, 24, 24 + 511]) {
        const copy = Buffer.from(bytes)
        const at = 32 + damaged * (24 + 512) + place
        copy[at] = (copy[at] as number) ^ 1
        const { committed, written, stale } = read(copy, 512)
        const commits = frames.slice(0, damaged).findLastIndex(({ isCommit }) => isCommit) + 1
        expect(committed, `${damaged} ${place}`).to.deep.equal(lastOf(frames, 0, commits))
        expect(written).to.deep.equal(lastOf(frames, 0, frames.length))
        expect(stale.size).to.equal(0)
      }
    }
  })

  it('takes frames with other salts for those of an earlier log', () => {
    const bytes = log(512, 4)
    const frames = framesOf(bytes, 512)
    for (const place of [8, 15]) {
      const copy = Buffer.from(bytes)
      for (let n = 6; n < frames.length; n++)
        copy.fill(0xaa, 32 + n * (24 + 512) + place, 32 + n * (24 + 512) + place + 1)
      const { committed, written, stale } = read(copy, 512)
      const commits = frames.slice(0, 6).findLastIndex(({ isCommit }) => isCommit) + 1
      expect(committed).to.deep.equal(lastOf(frames, 0, commits))
      expect(written).to.deep.equal(lastOf(frames, 0, 6))
      expect(stale).to.deep.equal(lastOf(frames, 6, frames.length))
    }
  })

  it('takes nothing for committed when the header is damaged, and leaves out a frame that is cut off', () => {
    const bytes = log(512, 2)
    const frames = framesOf(bytes, 512)
    for (const place of [12, 23, 24, 31]) {
      const copy = Buffer.from(bytes)
      copy[place] = (copy[place] as number) ^ 1
      expect(read(copy, 512).committed.size, `${place}`).to.equal(0)
    }
    const cut = read(bytes.subarray(0, -1), 512)
    expect(cut.written).to.deep.equal(lastOf(frames, 0, frames.length - 1))
    expect(read(bytes.subarray(0, 32), 512).written.size).to.equal(0)
  })

  for (const [what, change] of [
    ['another magic', (header: Buffer) => header.writeUInt32BE(0x377f0684, 0)],
    ['pages of 256 bytes', (header: Buffer) => header.writeUInt32BE(256, 8)],
    ['pages of 131072 bytes', (header: Buffer) => header.writeUInt32BE(131_072, 8)],
    ['pages of a size that is no power of two', (header: Buffer) => header.writeUInt32BE(4097, 8)],
  ] as const) {
    it(`does not believe a header with ${what}`, () => {
      const header = Buffer.alloc(32)
      header.writeUInt32BE(0x377f0682, 0)
      header.writeUInt32BE(4096, 8)
      expect(opened(header, walPageBytes)).to.equal(4096)
      expect(opened(header.subarray(0, 31), walPageBytes)).to.equal(undefined)
      change(header)
      expect(opened(header, walPageBytes)).to.equal(undefined)
    })
  }
})
