import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore, type StoreOnDisk } from '../../../src/content/index.ts'
import { scanObjects } from '../../../src/content/sqlite/object-scan.ts'
import { fixture } from '../../support/fixtures.ts'

describe('content/sqlite, asked for more blobs than fit in a batch', () => {
  it('loads the first of them, and leaves out the rest to be asked for again', async () => {
    await using store = await openStore(fixture('basic', 'content.sqlite'))
    const [a, b] = (await (store.onDisk as StoreOnDisk).list(0, 2)) as [string, string]
    const [wanted] = await store.loadBatch([b], Number.POSITIVE_INFINITY)
    const results = await store.loadBatch([...Array(8191).fill(a), b, a, b], Number.POSITIVE_INFINITY)
    expect(results).to.have.length(8194)
    expect(results.slice(0, 8191).every((result) => result instanceof Uint8Array)).to.equal(true)
    expect(results[8191]).to.deep.equal(wanted)
    expect(results.slice(8192)).to.deep.equal([undefined, undefined])
  })

  it('checks all of them', async () => {
    await using store = await openStore(fixture('basic', 'content.sqlite'))
    const [a, b] = (await (store.onDisk as StoreOnDisk).list(0, 2)) as [string, string]
    const lost = `sha1-${'1'.repeat(40)}`
    const errors = await store.checkBatch([...Array(8300).fill(a), b, lost])
    expect(errors).to.have.length(8302)
    expect(errors.slice(0, 8301).filter((error) => error !== undefined)).to.deep.equal([])
    expect(errors[8301]).to.include({ code: 'ENOENT', blobref: lost })
  })
})

describe('content/sqlite/object-scan', () => {
  it('goes over gaps between rowids, however wide, and does not miss negative ones', () => {
    using db = new DatabaseSync(':memory:')
    db.exec('CREATE TABLE objects(hash BLOB PRIMARY KEY, size INT, object BLOB)')
    const rowids = [-5, 1, 9000, 2 ** 50]
    const insert = db.prepare('INSERT INTO objects (rowid, hash, size, object) VALUES (?, CAST(? AS TEXT), -1, ?)')
    for (const [n, rowid] of rowids.entries()) insert.run(rowid, Buffer.alloc(20, n), Buffer.of(n))
    const found: number[] = []
    scanObjects(
      db,
      20,
      { last: 2 ** 50, known: 0 },
      (_, rowid) => found.push(rowid),
      () => expect.fail(),
    )
    expect(found).to.deep.equal(rowids)
  })
})
