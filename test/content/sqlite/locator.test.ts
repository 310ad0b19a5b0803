import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { Locator } from '../../../src/content/sqlite/locator.ts'

describe('content/sqlite/locator', () => {
  const BATCH = 512

  /** A digest is a number in four bytes, and zeros. */
  function database(objects: number): DatabaseSync {
    const db = new DatabaseSync(':memory:')
    db.exec('CREATE TABLE objects( hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0)')
    const insert = db.prepare('INSERT INTO objects (rowid, hash, size) VALUES (?, CAST(? AS TEXT), -1)')
    db.exec('BEGIN')
    for (let n = 1; n <= objects; n++) insert.run(n, digests(n, 1))
    db.exec('COMMIT')
    return db
  }

  function digests(first: number, count: number): Buffer {
    const bytes = Buffer.alloc(count * 20)
    for (let i = 0; i < count; i++) bytes.writeUInt32BE(first + i, i * 20)
    return bytes
  }

  /** How many blobs it locates before it has read the index. */
  function locatedWithoutIndex(objects: number): number {
    const locator = new Locator(database(objects), 20)
    for (let located = 0; ; located += BATCH) {
      const rowids = locator.rowids(digests(1 + (located % (objects - BATCH)), BATCH), BATCH)
      expect(rowids[0]).to.equal(1 + (located % (objects - BATCH)))
      if (locator.objects !== undefined) {
        expect(locator.objects).to.equal(objects)
        return located
      }
    }
  }

  it('reads the index of a small store after some look-ups, and that of a large one after more', () => {
    expect(locatedWithoutIndex(2000)).to.equal(1024)
    expect(locatedWithoutIndex(40_000)).to.equal(2048)
    expect(locatedWithoutIndex(100_000)).to.equal(4096)
  })

  it('tells which digests are not there, with and without the index', () => {
    const locator = new Locator(database(1000), 20)
    const ask = () => [...locator.rowids(digests(1000, 2), 2)]
    expect(ask()).to.deep.equal([1000, -1])
    expect(locator.objects).to.equal(undefined)
    expect(locator.index.size).to.equal(1000)
    expect(ask()).to.deep.equal([1000, -1])
  })
})
