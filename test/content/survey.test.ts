import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { blobsMet, type ContentError, type OfflineStore, openStore } from '../../src/content/index.ts'
import { noCounts } from '../../src/content/read-counts.ts'
import { scratch } from '../support/fixtures.ts'
import { damagePage } from '../support/stores.ts'
import { Blobs, writeSqlite } from '../support/trees.ts'

const text = (i: number) => `blob ${String(i).padStart(6, '0')} `.padEnd(150, 'x')

/** A database with so many blobs that neither its table nor its index is a single page. */
function sqliteStore(count: number): { path: string; blobs: Blobs; blobrefs: string[] } {
  const blobs = new Blobs()
  const blobrefs = Array.from({ length: count }, (_, i) => blobs.store(text(i)))
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [])
  return { path, blobs, blobrefs }
}

async function damagesOf(store: OfflineStore, blobrefs: readonly string[]): Promise<ContentError[]> {
  const results = await store.checkBatch(blobrefs)
  expect(results).to.have.length(blobrefs.length)
  return results.filter((error) => error !== undefined)
}

async function all(store: OfflineStore, count = 1000): Promise<string[]> {
  const blobrefs: string[] = []
  for (let from = 0; ; from += count) {
    const some = await store.onDisk.list(from, count)
    blobrefs.push(...some)
    if (some.length < count) return blobrefs
  }
}

describe('content/survey', () => {
  it('lists the blobs of a database in the order in which they lie', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    await using store = await openStore(path)
    expect(await all(store)).to.deep.equal(blobrefs)
    expect(await store.onDisk.list(2999, 10)).to.deep.equal(blobrefs.slice(-1))
    expect(await store.onDisk.list(3000, 10)).to.deep.equal([])
  })

  it('tells intact, altered and missing blobs apart, small and large, without handing them over', async () => {
    const { path } = sqliteStore(10)
    const blobs = new Blobs()
    const sound = [blobs.store(text(1)), blobs.store('')]
    const altered = [blobs.store(text(2)), blobs.store('compressed '.repeat(100)), blobs.store('large '.repeat(30_000))]
    const missing = [`sha1-${'0'.repeat(40)}`, `sha256-${'0'.repeat(64)}`]
    {
      const db = new DatabaseSync(path)
      const put = db.prepare('INSERT OR REPLACE INTO objects (hash,size,object) VALUES (CAST(? AS TEXT),?,?)')
      const digest = (blobref: string) => Buffer.from(blobref.slice(5), 'hex')
      put.run(digest(sound[1] as string), -1, null)
      put.run(digest(altered[0] as string), -1, Buffer.from('something else'))
      put.run(digest(altered[1] as string), 1100, Buffer.from('no LZ4'))
      put.run(digest(altered[2] as string), -1, Buffer.alloc(180_000))
      db.close()
    }
    const wanted = [...sound, ...altered, ...missing]
    const codes = (results: (ContentError | undefined)[]) => results.map((error) => error?.code)
    const expected = [undefined, undefined, 'EBADMSG', 'EBADMSG', 'EBADMSG', 'ENOENT', 'ENOENT']
    await using store = await openStore(path)
    for (let again = 0; again < 2; again++) {
      expect(codes(await store.checkBatch(wanted))).to.deep.equal(expected)
    }
    await using unverified = await openStore(path, { verify: false })
    expect(codes(await unverified.checkBatch(wanted))).to.deep.equal([
      ...Array(5).fill(undefined),
      ...expected.slice(5),
    ])
  })

  it('verifies a range in the order of storage, all of it or what is marked', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    const digest = (blobref: string) => Buffer.from(blobref.slice(5), 'hex')
    const large = new Blobs().store('large '.repeat(30_000))
    {
      const db = new DatabaseSync(path)
      const put = db.prepare('INSERT OR REPLACE INTO objects (hash,size,object) VALUES (CAST(? AS TEXT),?,?)')
      put.run(digest(blobrefs[5] as string), -1, Buffer.from('altered'))
      put.run(digest(large), -1, Buffer.from('large '.repeat(30_000)))
      db.close()
    }
    expect(damagePage(path, 'table', Buffer.from('blob 001234'))).to.equal(1)
    await using store = await openStore(path)
    const listed = await all(store)
    const damages = await damagesOf(store, listed)
    await using fresh = await openStore(path)
    const found: ContentError[] = []
    let checked = 0
    for (let from = 0, isLast = false; !isLast; from += 700) {
      const range = await fresh.onDisk.checkRange(from, 700)
      isLast = range.isLast
      checked += range.checked
      found.push(...range.errors)
    }
    expect({ checked, loaded: fresh.counts.loaded }).to.deep.equal({ checked: 3001, loaded: 3001 })
    expect(listed).to.have.length(3001)
    const told = (errors: ContentError[]) => errors.map(({ blobref, message }) => `${blobref} ${message}`)
    expect(told(found)).to.deep.equal(told(damages))
    expect(found.filter(({ code }) => code === 'EBADMSG').map(({ blobref }) => blobref)).to.deep.equal([blobrefs[5]])
    const some = [blobrefs[5], blobrefs[6], large].map((blobref) => digest(blobref as string))
    expect(await fresh.onDisk.markDigests(Buffer.concat([...some, Buffer.alloc(20)]))).to.equal(3)
    const marked = await fresh.onDisk.checkRange(0, 3001, { onlyMarked: true })
    expect(marked.checked).to.equal(3)
    expect(marked.errors.map(({ blobref }) => blobref)).to.deep.equal([blobrefs[5]])
  })

  it('checks, lists and adds up a directory of files too', async () => {
    const dir = join(scratch(), 'content.files')
    mkdirSync(dir)
    const blobs = new Blobs('sha256')
    const blobrefs = [blobs.store('a'), blobs.store('bc')].sort()
    for (const [blobref, blob] of blobs) writeFileSync(join(dir, blobref), blob)
    const altered = blobs.store('def')
    writeFileSync(join(dir, altered), 'xyz')
    await using store = await openStore(dir)
    expect((await all(store, 2)).sort()).to.deep.equal([...blobrefs, altered].sort())
    expect((await damagesOf(store, [...blobrefs, altered])).map(({ blobref }) => blobref)).to.deep.equal([altered])
    {
      await using ranged = await openStore(dir)
      expect(await ranged.onDisk.checkRange(0, 2)).to.include({ isLast: false, checked: 2 })
      expect((await ranged.onDisk.checkRange(0, 9)).errors.map(({ blobref }) => blobref)).to.deep.equal([altered])
      expect(await ranged.onDisk.markDigests(Buffer.alloc(64, 1))).to.equal(0)
      await ranged.onDisk.mark(blobrefs)
      const marked = { isLast: true, checked: 2, errors: [], faults: [] }
      expect(await ranged.onDisk.checkRange(0, 9, { onlyMarked: true })).to.deep.equal(marked)
    }
    await store.onDisk.mark(blobrefs)
    expect(await store.onDisk.totals()).to.deep.equal({
      all: { objects: 3, bytes: 6, storedBytes: 6, compressed: 0, compressibleBytes: 0 },
      marked: { objects: 2, bytes: 3, storedBytes: 3, compressed: 0, compressibleBytes: 0 },
      unreadable: 0,
      fileBytes: 6,
      freeBytes: 0,
    })
    expect(store.counts).to.include({ loaded: 3, marked: 2, addedUp: 3 })
    // The first comes, and the other is to be asked for again.
    await store.loadBatch(blobrefs, 1)
    expect(store.counts.loaded).to.equal(4)
  })

  it('adds up what a database holds, and apart what is marked', async () => {
    const { path, blobs, blobrefs } = sqliteStore(3000)
    await using store = await openStore(path)
    await store.onDisk.mark(blobrefs.slice(0, 10))
    await store.onDisk.mark([...blobrefs.slice(5, 20), `sha1-${'0'.repeat(40)}`])
    const { all, marked, unreadable, fileBytes, freeBytes } = await store.onDisk.totals()
    expect(all).to.deep.equal({
      objects: blobs.size,
      bytes: 450_000,
      storedBytes: 450_000,
      compressed: 0,
      compressibleBytes: 0,
    })
    expect(marked).to.deep.equal({ ...all, objects: 20, bytes: 3000, storedBytes: 3000 })
    expect({ unreadable, freeBytes }).to.deep.equal({ unreadable: 0, freeBytes: 0 })
    expect(fileBytes).to.be.greaterThan(450_000)
  })

  it('counts what has been read, for whoever shows it', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    await using store = await openStore(path)
    const { counts } = store
    expect({ ...counts, objects: store.objects }).to.deep.equal({ ...noCounts(), objects: undefined })
    await store.loadBatch(blobrefs.slice(0, 10), Number.POSITIVE_INFINITY)
    await store.checkBatch(blobrefs.slice(0, 20))
    await store.onDisk.sizes(blobrefs.slice(0, 30))
    await store.onDisk.mark(blobrefs.slice(0, 40))
    expect(store.counts).to.include({ loaded: 30, measured: 30, marked: 40, addedUp: 0 })
    await store.onDisk.totals()
    expect({ ...store.counts, objects: store.objects }).to.include({ addedUp: 3000, objects: 3000 })
    expect(blobsMet(store.counts)).to.equal(3000)
    expect(store.counts).to.equal(counts)
  })

  it('knows how many objects there are as soon as they are listed or added up', async () => {
    const { path } = sqliteStore(3000)
    for (const ask of ['list', 'totals'] as const) {
      await using store = await openStore(path)
      if (ask === 'list') await store.onDisk.list(0, 1)
      else await store.onDisk.totals()
      expect(store.objects).to.equal(3000)
    }
  })

  it('loses no more than what is on a damaged page of the table', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    expect(damagePage(path, 'table', Buffer.from('blob 001234'))).to.equal(1)
    await using store = await openStore(path)
    const listed = await all(store)
    expect(listed).to.have.members(blobrefs)
    const damages: ContentError[] = []
    for (let at = 0; at < listed.length; at += 500)
      damages.push(...(await damagesOf(store, listed.slice(at, at + 500))))
    expect(damages.map(({ code }) => code))
      .to.include('EIO')
      .and.to.have.length.within(10, 30)
    expect(damages.map(({ blobref }) => blobref)).to.include(blobrefs[1234])
    expect(new Set(damages.map(({ code }) => code)).size).to.equal(1)
    expect((await store.onDisk.totals()).unreadable).to.equal(damages.length)
    expect(await store.onDisk.sizes([blobrefs[1234] as string, blobrefs[0] as string])).to.deep.equal(
      Float64Array.of(-1, 150),
    )
  })

  it('counts what neither the table nor the index tells any more', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    damagePage(path, 'table', Buffer.from('blob 001234'))
    for (const i of [1234, 7, 2000]) damagePage(path, 'index', Buffer.from(blobrefs[i]?.slice(5) as string, 'hex'))
    await using store = await openStore(path)
    const { all: readable, unreadable } = await store.onDisk.totals()
    expect(unreadable).to.be.within(10, 30)
    expect(readable.objects + unreadable).to.equal(3000)
    // The digests of some are lost.
    expect(await all(store)).not.to.include(blobrefs[1234])
  })

  it('finds everything when it is the index of the hashes that is damaged', async () => {
    const { path, blobrefs } = sqliteStore(3000)
    const some = [0, 1000, 2000].map((i) => blobrefs[i] as string)
    for (const blobref of some) damagePage(path, 'index', Buffer.from(blobref.slice(5), 'hex'))
    await using store = await openStore(path)
    expect(await damagesOf(store, some)).to.deep.equal([])
    expect(await damagesOf(store, blobrefs)).to.deep.equal([])
    expect(await all(store)).to.deep.equal(blobrefs)
  })
})
