import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { blobrefHex, blobrefOf } from '../../../src/content/blobref.ts'
import { addHashIndex } from '../../../src/content/sqlite/hash-index.ts'
import { openWriter } from '../../../src/content/sqlite/writer.ts'
import { scratch } from '../../support/fixtures.ts'

/** A new store with blobs in batches, whatever is in them twice. @returns its path, and the blobref of the first */
function store(batches: readonly (readonly Uint8Array[])[]): { path: string; rootref: string } {
  const path = join(scratch(), 'content.sqlite')
  const writer = openWriter({ path, name: path, hash: 'sha1' })
  for (const blobs of batches) {
    const ends = blobs.map((_, i) => blobs.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0))
    writer.store({
      bytes: Buffer.concat(blobs),
      start: Float64Array.from([0, ...ends.slice(0, -1)]),
      end: Float64Array.from(ends),
      digests: Buffer.concat(blobs.map((blob) => Buffer.from(blobrefHex(blobrefOf('sha1', blob)), 'hex'))),
    })
  }
  const rootref = blobrefOf('sha1', batches[0]?.[0] as Uint8Array)
  writer.commit({ rootref, sequence: 0, timestamp: 0 })
  return { path, rootref }
}

/** What the schema of a store of Flux says, and what SQLite itself finds wrong. */
function examine(path: string) {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return {
      schema: db
        .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name')
        .all()
        .map((row) => ({ ...row })),
      check: db.prepare('PRAGMA integrity_check').get()?.integrity_check,
      plan: db.prepare(`EXPLAIN QUERY PLAN SELECT object FROM objects WHERE hash = ?`).get()?.detail,
      rows: db
        .prepare('SELECT rowid, hex(hash) AS hash, typeof(hash) AS type, octet_length(object) AS bytes FROM objects')
        .all(),
    }
  } finally {
    db.close()
  }
}

describe('content/sqlite/hash-index', () => {
  it('is refused when it has not as many digests as there should be', () => {
    const path = join(scratch(), 'x.sqlite')
    const db = new DatabaseSync(path)
    db.exec("CREATE TABLE objects(hash, size, object, epoch); INSERT INTO objects VALUES ('a', 1, x'00', 0)")
    db.close()
    expect(() => addHashIndex(path, 2))
      .to.throw(`${path}: has 1 digests of 2`)
      .with.property('code', 'EIO')
  })

  it('makes a new store what one is that has its primary key from the start', () => {
    const { path } = store([Array.from({ length: 300 }, () => randomBytes(100))])
    const like = new DatabaseSync(':memory:')
    like.exec(`CREATE TABLE objects(hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0);
      CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)`)
    const wanted = like.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all()
    like.close()
    const { schema, check, plan, rows } = examine(path)
    expect(schema).to.deep.equal(wanted.map((row) => ({ ...row })))
    expect(check).to.equal('ok')
    expect(plan).to.contain('USING INDEX sqlite_autoindex_objects_1 (hash=?)')
    expect(rows).to.have.length(300)
    expect(rows.every(({ type }) => type === 'text')).to.equal(true)
  })

  it('keeps the first row of a blob that was stored several times', () => {
    const [once, twice, often] = [randomBytes(80), randomBytes(90), randomBytes(100)] as const
    const { path } = store([
      [once, twice, often, often],
      [often, twice],
      [often, randomBytes(70)],
    ])
    const { check, rows } = examine(path)
    expect(check).to.equal('ok')
    expect(rows.map(({ rowid }) => rowid)).to.deep.equal([1, 2, 3, 8])
    expect(rows.map(({ bytes }) => bytes)).to.deep.equal([80, 90, 100, 70])
  })

  it('refuses a second row of a blob afterwards, as a primary key does', () => {
    const { path } = store([[Buffer.from('x')]])
    const db = new DatabaseSync(path)
    const insert = () => db.exec('INSERT INTO objects (hash) SELECT hash FROM objects')
    expect(insert).to.throw('UNIQUE constraint failed: objects.hash')
    db.close()
  })
})
