/** Databases that SQLite allows and Flux does not make, and files whose pages or journals lie. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { random } from '../../../bench/random.ts'
import { openStore } from '../../../src/content/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { noise, openRows, type Row, rowOf, someRows } from '../../support/raw-rows.ts'

const blobrefOf = ({ digest }: Row) => `sha1-${digest.toString('hex')}`

/** The blobs that a store has, each compared with what was stored. A blob that is offered is never another one. */
async function offered(path: string, rows: readonly Row[], options: object = {}): Promise<Row[]> {
  await using store = await openStore(path, options)
  const found: Row[] = []
  for (const row of rows) {
    const [blob] = await store.loadBatch([blobrefOf(row)], 1)
    if (!(blob instanceof Uint8Array)) continue
    expect(Buffer.compare(blob, row.blob)).to.equal(0)
    found.push(row)
  }
  return found
}

describe('content/sqlite, a database as Flux does not make it', () => {
  for (const [what, options] of [
    ['pages of 512 bytes', { pageBytes: 512 }],
    ['pages of 65,536 bytes', { pageBytes: 65_536 }],
    ['pointer maps', { pragmas: 'PRAGMA auto_vacuum = FULL' }],
    ['pointer maps and pages of 512 bytes', { pageBytes: 512, pragmas: 'PRAGMA auto_vacuum = INCREMENTAL' }],
    ['older releases of SQLite could not open', { pragmas: 'PRAGMA user_version = 2147483647' }],
  ] as const) {
    it(`is read, salvaged and copied: ${what}`, async () => {
      const rows = someRows(300)
      const path = join(scratch(), 'content.sqlite')
      const db = openRows(path, rows, options)
      // With pages on the freelist.
      db.exec('DELETE FROM objects WHERE rowid % 3 = 0')
      db.close()
      const left = rows.filter((_, i) => (i + 1) % 3 !== 0)
      expect(await offered(path, rows)).to.deep.equal(left)
      expect(await offered(path, left, { salvage: true })).to.deep.equal(left)
      const { status, stdout } = await runInProcess(['content', 'validate', '--json', '--store', path])
      const { checkedCount, damaged, storeFaults } = JSON.parse(stdout.toString())
      expect({ status, checkedCount, damaged, storeFaults }).to.deep.equal({
        status: 0,
        checkedCount: left.length,
        damaged: [],
        storeFaults: [],
      })
      await using store = await openStore(path)
      const { all, unreadable } = await store.onDisk.totals()
      expect({ objects: all.objects, unreadable }).to.deep.equal({ objects: left.length, unreadable: 0 })
    })
  }
})

describe('content/sqlite, pages that lead in a circle', () => {
  const PAGE = 4096

  /** A store of large blobs, and where the number of the next page stands in the overflow pages of one of them. */
  function chains(): { path: string; rows: Row[]; file: Buffer; numbers: number[] } {
    const rows = Array.from({ length: 8 }, (_, i) => rowOf(noise(random(i), 60_000 + i)))
    for (const row of rows) Object.assign(row, { size: -1, stored: row.blob })
    const path = join(scratch(), 'content.sqlite')
    const db = openRows(path, rows)
    const pages = db
      .prepare(`SELECT pageno FROM dbstat WHERE name = 'objects' AND pagetype = 'overflow' ORDER BY path`)
      .all()
    db.close()
    const file = readFileSync(path)
    return { path, rows, file, numbers: pages.map(({ pageno }) => (Number(pageno) - 1) * PAGE) }
  }

  for (const cleared of [0, 100]) {
    it(`salvages a store of a few large blobs${cleared > 0 ? ' whose header is gone' : ''}`, async () => {
      const { path, rows, file } = chains()
      writeFileSync(path, file.fill(0, 0, cleared))
      expect(await offered(path, rows, { salvage: true })).to.have.length(rows.length)
    })
  }

  for (const [what, next] of [
    ['to itself', (numbers: readonly number[]) => (numbers[2] as number) / PAGE + 1],
    ['to the one before', (numbers: readonly number[]) => (numbers[1] as number) / PAGE + 1],
    ['to the last page that a number can name', () => 0xffffffff],
    ['to the first page', () => 1],
    ['to nowhere', () => 0],
  ] as const) {
    it(`loses no more than the blob whose overflow page leads ${what}`, async () => {
      const { path, rows, file, numbers } = chains()
      file.writeUInt32BE(next(numbers), numbers[2] as number)
      writeFileSync(path, file)
      for (const options of [{}, { salvage: true }]) {
        expect(await offered(path, rows, options), JSON.stringify(options)).to.have.length(rows.length - 1)
      }
      const { status, stdout } = await runInProcess(['content', 'validate', '--json', '--store', path])
      expect(status).to.equal(1)
      expect(JSON.parse(stdout.toString()).damaged).to.have.length(1)
    })
  }

  for (const [what, trunk, count] of [
    ['itself', 'self', 4],
    ['no page', 0xfffffff0, 4],
    ['more pages than fit', 0, 0xffffffff],
  ] as const) {
    it(`reads a store whose freelist leads to ${what}`, async () => {
      const rows = someRows(300)
      const path = join(scratch(), 'content.sqlite')
      const db = openRows(path, rows)
      db.exec('DELETE FROM objects WHERE rowid > 150')
      db.close()
      const file = readFileSync(path)
      const first = file.readUInt32BE(32)
      expect(first).to.be.above(0)
      file.writeUInt32BE(trunk === 'self' ? first : trunk, (first - 1) * PAGE)
      file.writeUInt32BE(count, (first - 1) * PAGE + 4)
      file.writeUInt32BE(0xfffffffe, 36)
      writeFileSync(path, file)
      const left = rows.slice(0, 150)
      expect(await offered(path, left)).to.deep.equal(left)
      expect(await offered(path, left, { salvage: true })).to.deep.equal(left)
      for (const args of [
        ['content', 'stats'],
        ['content', 'validate'],
      ]) {
        const { status, stderr } = await runInProcess([...args, '--store', path])
        expect({ status, stderr: stderr.replace(/.*: 150 blobs looked at, 0 damaged\n/, '') }).to.deep.equal({
          status: 0,
          stderr: '',
        })
      }
    })
  }
})

describe('content/sqlite, a journal that lies', () => {
  const FRAME = 24
  const WAL_HEADER = 32

  /** A store with a write-ahead log, in which half of the rows are. */
  function withLog(seed = 1): { path: string; rows: Row[]; log: Buffer } {
    const rows = someRows(200, { seed })
    const made = join(scratch(), 'made.sqlite')
    const path = join(scratch(), 'content.sqlite')
    const db = openRows(made, rows.slice(0, 100), {
      pragmas: 'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0',
    })
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const insert = db.prepare('INSERT INTO objects (hash, size, object) VALUES (CAST(? AS TEXT), ?, ?)')
    for (const { digest, size, stored } of rows.slice(100)) insert.run(digest, size, stored)
    // As a crash leaves it.
    copyFileSync(made, path)
    copyFileSync(`${made}-wal`, `${path}-wal`)
    db.close()
    return { path, rows, log: readFileSync(`${path}-wal`) }
  }

  const firstFrames = (log: Buffer, count: number, change: (at: number) => void) => {
    const stride = FRAME + log.readUInt32BE(8)
    for (let i = 0; i < count; i++) change(WAL_HEADER + i * stride)
  }

  for (const [what, change] of [
    ['whose checksums are wrong', (log: Buffer) => firstFrames(log, 20, (at) => log.writeUInt32BE(7, at + 16))],
    [
      'that names the last page there can be',
      (log: Buffer) => firstFrames(log, 20, (at) => log.writeUInt32BE(0xffffffff, at)),
    ],
    [
      'that says a size of 2^32 - 1 pages',
      (log: Buffer) => firstFrames(log, 20, (at) => log.writeUInt32BE(0xffffffff, at + 4)),
    ],
    ['with pages of another size', (log: Buffer) => log.writeUInt32BE(512, 8)],
    ['with pages of a size that there is not', (log: Buffer) => log.writeUInt32BE(0xffffffff, 8)],
    ['that is a text', (log: Buffer) => log.fill('no log. ')],
  ] as const) {
    it(`reads what is in the database beside a log ${what}`, async () => {
      const { path, rows, log } = withLog()
      change(log)
      writeFileSync(`${path}-wal`, log)
      const before = readFileSync(path)
      expect(await offered(path, rows)).to.deep.equal(rows.slice(0, 100))
      const salvaged = await offered(path, rows, { salvage: true })
      expect(salvaged.slice(0, 100)).to.deep.equal(rows.slice(0, 100))
      expect(readFileSync(path).equals(before)).to.equal(true)
      expect(readFileSync(`${path}-wal`).equals(log)).to.equal(true)
    })
  }

  it('offers nothing wrong beside the log of another database, and all of its own to salvage', async () => {
    const { path, rows } = withLog()
    const other = withLog(2)
    copyFileSync(`${other.path}-wal`, `${path}-wal`)
    await offered(path, [...rows, ...other.rows])
    const salvaged = await offered(path, [...rows, ...other.rows], { salvage: true })
    expect(salvaged.slice(0, 100)).to.deep.equal(rows.slice(0, 100))
    const { status, stderr } = await runInProcess(['content', 'validate', '--store', path])
    expect(status).to.equal(1)
    expect(stderr).to.not.match(/ at .*:\d+:\d+/)
  })

  for (const [what, change] of [
    [
      'that names the last page there can be',
      (journal: Buffer, sector: number) => journal.writeUInt32BE(0xffffffff, sector),
    ],
    ['of 2^32 - 2 pages', (journal: Buffer) => journal.writeUInt32BE(0xfffffffe, 8)],
    ['of a database of 2^32 - 1 pages', (journal: Buffer) => journal.writeUInt32BE(0xffffffff, 16)],
    ['with sectors of 2^31 bytes', (journal: Buffer) => journal.writeUInt32BE(2 ** 31, 20)],
    ['with pages of 3 bytes', (journal: Buffer) => journal.writeUInt32BE(3, 24)],
  ] as const) {
    it(`offers nothing wrong beside a rollback journal ${what}`, async () => {
      const rows = someRows(200)
      const made = join(scratch(), 'made.sqlite')
      const path = join(scratch(), 'content.sqlite')
      const db = openRows(made, rows, { pragmas: 'PRAGMA cache_size = 1' })
      db.exec('PRAGMA cache_spill = ON; BEGIN; DELETE FROM objects WHERE rowid > 100; UPDATE objects SET size = size')
      copyFileSync(made, path)
      const journal = readFileSync(`${made}-journal`)
      db.exec('ROLLBACK')
      db.close()
      change(journal, journal.readUInt32BE(20))
      writeFileSync(`${path}-journal`, journal)
      const before = readFileSync(path)
      await offered(path, rows).catch((error) => expect(error.code).to.match(/^E[A-Z]+$/))
      const salvaged = await offered(path, rows, { salvage: true })
      expect(salvaged.length).to.be.at.least(100)
      const { stderr } = await runInProcess(['content', 'validate', '--store', path])
      expect(stderr).to.not.match(/ at .*:\d+:\d+/)
      expect(readFileSync(path).equals(before)).to.equal(true)
    })
  }
})
