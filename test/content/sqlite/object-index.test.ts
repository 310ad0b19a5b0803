import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { readIndex } from '../../../src/content/sqlite/index-parts.ts'
import { ObjectIndex } from '../../../src/content/sqlite/object-index.ts'

function database(digests: readonly Buffer[], firstRowid = 1): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE objects( hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0)')
  const insert = db.prepare('INSERT INTO objects (rowid, hash, size, object) VALUES (?, CAST(? AS TEXT), -1, NULL)')
  digests.forEach((digest, i) => insert.run(firstRowid + i, digest))
  return db
}

const indexOf = (db: DatabaseSync) => new ObjectIndex(readIndex(db, 20), 20)

const digest = (n: number) => Buffer.from(hash('sha1', String(n), 'hex'), 'hex')

describe('content/sqlite/object-index', () => {
  for (const count of [0, 1, 2, 255, 3000]) {
    it(`finds each of ${count} digests, and none that is not there`, () => {
      const digests = Array.from({ length: count }, (_, n) => digest(n))
      const index = indexOf(database(digests))
      expect(index.size).to.equal(count)
      digests.forEach((wanted, i) => expect(index.find(wanted, 0)).to.equal(i + 1))
      for (let n = count; n < count + 500; n++) expect(index.find(digest(n), 0)).to.equal(-1)
    })
  }

  it('finds digests that are all alike but for their last byte', () => {
    const digests = Array.from({ length: 256 }, (_, n) => Buffer.concat([Buffer.alloc(19, 0xff), Buffer.of(n)]))
    const index = indexOf(database(digests.slice(10, 250)))
    digests.forEach((wanted, n) => expect(index.find(wanted, 0)).to.equal(n >= 10 && n < 250 ? n - 9 : -1))
  })

  it('finds digests that begin with each byte, also with NUL and with what is no UTF-8', () => {
    const digests = Array.from({ length: 256 }, (_, n) => Buffer.concat([Buffer.of(n, 0, 0xc3), Buffer.alloc(17, n)]))
    const index = indexOf(database(digests))
    digests.forEach((wanted, n) => expect(index.find(wanted, 0)).to.equal(n + 1))
  })

  it('keeps rowids beyond 32 bits', () => {
    const index = indexOf(database([digest(1)], 2 ** 39))
    expect(index.find(digest(1), 0)).to.equal(2 ** 39)
  })

  it('lists digests in the order of their rows, whatever numbers these have', () => {
    const digests = Array.from({ length: 300 }, (_, n) => digest(n))
    for (const first of [0, 1, 700, 2 ** 32 - 100, 2 ** 39]) {
      const index = indexOf(database(digests, first))
      expect(Buffer.from(index.digests(0, 300)), String(first)).to.deep.equal(Buffer.concat(digests))
      expect(Buffer.from(index.digests(290, 300)), String(first)).to.deep.equal(Buffer.concat(digests.slice(290)))
      expect([...index.rowids(10, 3)], String(first)).to.deep.equal([first + 10, first + 11, first + 12])
    }
  })

  it('is dense unless rows have numbers that Flux does not give', () => {
    const digests = Array.from({ length: 300 }, (_, n) => digest(n))
    for (const first of [1, 700]) expect(indexOf(database(digests, first)).isDense, String(first)).to.equal(true)
    for (const first of [2 ** 31, 2 ** 32 - 100, 2 ** 39])
      expect(indexOf(database(digests, first)).isDense, String(first)).to.equal(false)
  })

  it('finds the same in another index of its parts', () => {
    const digests = Array.from({ length: 300 }, (_, n) => digest(n))
    const twin = new ObjectIndex(structuredClone(indexOf(database(digests)).parts), 20)
    digests.forEach((wanted, i) => expect(twin.find(wanted, 0)).to.equal(i + 1))
    expect(Buffer.from(twin.digests(0, 300))).to.deep.equal(Buffer.concat(digests))
  })

  it('looks within a longer run of digests', () => {
    const index = indexOf(database([digest(1), digest(2)]))
    expect(index.find(Buffer.concat([digest(9), digest(2)]), 20)).to.equal(2)
  })
})
