import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { Blobs, dir, valref } from '../../support/trees.ts'

const PAGE = 512
const VALUES = 4000
const INDEX = 'sqlite_autoindex_objects_1'

/** A page of a btree, as SQLite lists them in the order of the tree. */
interface Page {
  path: string
  pageno: number
  pagetype: 'leaf' | 'internal'
}

interface Store {
  path: string
  pages(name: string, type: Page['pagetype']): number[]
}

/** A store with pages so small that the btrees of its table and of its index have three levels. */
function storeOf(): Store {
  const path = join(scratch(), 'content.sqlite')
  const blobs = new Blobs()
  const values = Array.from({ length: VALUES }, (_, n) => [`v${n}`, valref(`value ${n}`)] as const)
  const rootref = blobs.tree({ dir: dir(Object.fromEntries(values)) })
  using db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${PAGE}; BEGIN;
    CREATE TABLE objects(hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0);
    CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)`)
  // The directories come first, so that what is lost at the end of the table are values.
  const insert = db.prepare('INSERT INTO objects (hash, size, object) VALUES (CAST(? AS TEXT), -1, ?)')
  for (const [blobref, bytes] of [...blobs].reverse()) insert.run(Buffer.from(blobref.slice(5), 'hex'), bytes)
  const checkpoint = { version: 1, rootref, sequence: 1, timestamp: 1 }
  db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(JSON.stringify(checkpoint))
  db.exec('COMMIT')
  const listed = db.prepare('SELECT name, path, pageno, pagetype FROM dbstat ORDER BY path').all()
  const pages: Store['pages'] = (name, type) =>
    listed.filter((page) => page.name === name && page.pagetype === type).map(({ pageno }) => Number(pageno))
  expect(pages('objects', 'internal').length).to.be.greaterThan(2)
  expect(pages(INDEX, 'internal').length).to.be.greaterThan(2)
  return { path, pages }
}

function overwrite(path: string, page: number, bytes: Uint8Array = new Uint8Array(PAGE), at = 0): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, (page - 1) * PAGE + at)
  closeSync(fd)
}

const validate = (path: string, ...args: string[]) => runInProcess(['content', 'validate', '--store', path, ...args])

describe('content/sqlite, with damaged pages', () => {
  const TABLE_AND_INDEX =
    'part of its table "objects" and of its index of hashes cannot be read, and the blobs in it are lost'

  for (const type of ['leaf', 'internal'] as const) {
    it(`tells that blobs are lost when the last ${type} pages of the table and of its index are gone`, async () => {
      const { path, pages } = storeOf()
      for (const name of ['objects', INDEX]) overwrite(path, pages(name, type).at(-1) as number)
      const { status, stdout, stderr } = await validate(path, '--json')
      const { storeFaults } = JSON.parse(stdout.toString())
      expect({ status, stderr: stderr.split('\n').length }).to.deep.equal({ status: 1, stderr: 2 })
      expect(storeFaults).to.deep.equal([{ code: 'EBADMSG', message: `${path}: damaged: ${TABLE_AND_INDEX}` }])
      const name = join(scratch(), 'out')
      for (const args of [
        ['fsck'],
        ['dump', `${name}.tar`],
        ['content', 'stats'],
        ['content', 'compact', `${name}.sqlite`],
      ]) {
        const outcome = await runInProcess([...args, '--store', path])
        expect(outcome.status, args.join(' ')).to.equal(1)
        expect(outcome.stderr, args.join(' ')).to.not.equal('')
      }
    })

    it(`tells so where roots and the newest events are looked for: the last ${type} pages`, async () => {
      const { path, pages } = storeOf()
      const sound = await runInProcess(['content', 'roots', '--store', path])
      expect(sound).to.include({ status: 0, stderr: '' })
      for (const name of ['objects', INDEX]) overwrite(path, pages(name, type).at(-1) as number)
      const roots = await runInProcess(['content', 'roots', '--store', path])
      expect(roots.status).to.equal(1)
      expect(roots.stderr).to.include(`${path}: damaged: ${TABLE_AND_INDEX}; --salvage reads what is left of it\n`)
      // What the store may have had is not known where nothing is found.
      for (const args of [['jobs'], ['jobs', 'stats'], ['content', 'stats', '--reachable']]) {
        const { stderr } = await runInProcess([...args, '--store', path])
        const hint = `${TABLE_AND_INDEX}: content roots --salvage --store ${path} lists the roots that are left\n`
        expect(stderr, args.join(' ')).to.include(hint)
      }
    })
  }

  it('tells so when the last page is reached in a loop', async () => {
    const { path, pages } = storeOf()
    for (const name of ['objects', INDEX]) {
      // The last pointer of the root leads to the root.
      const [root] = pages(name, 'internal') as [number]
      const pointer = Buffer.alloc(4)
      pointer.writeUInt32BE(root)
      overwrite(path, root, pointer, 8)
    }
    const { status, stderr } = await validate(path)
    expect(status).to.equal(1)
    expect(stderr).to.include(`${path}: damaged: ${TABLE_AND_INDEX}; `)
  })

  it('tells so when the first page of the table is gone', async () => {
    const { path, pages } = storeOf()
    overwrite(path, pages('objects', 'leaf')[0] as number)
    for (const page of pages(INDEX, 'leaf').slice(5)) overwrite(path, page)
    const { status, stderr } = await validate(path)
    expect(status).to.equal(1)
    expect(stderr).to.include(`${path}: damaged: ${TABLE_AND_INDEX}; `)
  })

  it('tells that the index is damaged although the table has all blobs', async () => {
    const { path, pages } = storeOf()
    overwrite(path, pages(INDEX, 'leaf').at(-1) as number)
    const { status, stdout, stderr } = await validate(path)
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 1, stdout: '' })
    expect(stderr).to.include(`${path}: damaged: part of its index of hashes cannot be read; `)
    expect(stderr).to.match(/: \d+ blobs looked at, 0 damaged\n/)
  })

  it('tells that the index does not name all rows, which SQLite does not notice', async () => {
    const { path, pages } = storeOf()
    // The leaf says that it has one entry only.
    overwrite(path, pages(INDEX, 'leaf').at(-1) as number, Buffer.of(0, 1), 3)
    const { status, stderr } = await validate(path)
    expect(status).to.equal(1)
    expect(stderr).to.match(/: damaged: its table "objects" has \d+ rows, and its index of hashes has \d+; /)
  })
})
