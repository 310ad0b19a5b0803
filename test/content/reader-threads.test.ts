import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { type ContentStore, openStore, openStoreWriter, type StoreOnDisk } from '../../src/content/index.ts'
import { validate } from '../../src/inspect/index.ts'
import { scratch } from '../support/fixtures.ts'

const BLOBS = 30_000

/** A store of {@link BLOBS} blobs. Those at `damaged`, counted from 0, do not fit their digests. */
async function storeOf(damaged: readonly number[] = []): Promise<{ path: string; blobrefs: string[] }> {
  const path = join(scratch(), 'content.sqlite')
  const blobs = Array.from({ length: BLOBS }, (_, n) => Buffer.from(`blob ${n}`))
  const writer = await openStoreWriter(path)
  const { blobrefs, stored } = writer.storeBatch(blobs)
  await stored
  await writer.commit({ rootref: blobrefs[0] as string, sequence: 1, timestamp: 1 })
  await writer.close()
  using db = new DatabaseSync(path)
  const damage = db.prepare('UPDATE objects SET object = CAST(? AS BLOB) WHERE hash = CAST(? AS TEXT)')
  for (const n of damaged) damage.run('altered', Buffer.from((blobrefs[n] as string).slice(5), 'hex'))
  return { path, blobrefs }
}

/** Check blobs until a second thread reads too. */
async function untilPaired(store: ContentStore, blobrefs: readonly string[]): Promise<void> {
  const { window } = store
  while (store.window === window) await store.checkBatch(blobrefs.slice(0, 8192))
}

// With one processor there is never a second thread.
const describeIf = availableParallelism() > 1 ? describe : () => {}

describeIf('content/reader-threads', () => {
  it('reports the same damage in the same order, whether one thread reads or two', async () => {
    const damaged = [0, 1, 8191, 8192, 12_345, 20_000, 29_999]
    const { path, blobrefs } = await storeOf(damaged)
    await using store = await openStore(path)
    for (const threads of [1, 2]) {
      if (threads === 2) await untilPaired(store, blobrefs)
      const found: string[] = []
      const checked = await validate(store, { onFault: ({ blobref }) => found.push(blobref) })
      expect(checked, String(threads)).to.equal(BLOBS)
      expect(found, String(threads)).to.have.members(damaged.map((n) => blobrefs[n] as string))
      expect(found, String(threads)).to.deep.equal(await inOrderOfStorage(store, found))
    }
  })

  it('verifies what was marked before the second thread was there, and what is marked later, and nothing else', async () => {
    const { path, blobrefs } = await storeOf()
    await using store = await openStore(path)
    const onDisk = store.onDisk as StoreOnDisk
    await onDisk.mark(blobrefs.slice(0, 100))
    await untilPaired(store, blobrefs)
    await onDisk.mark(blobrefs.slice(25_000, 25_100))
    const ranges = Array.from({ length: 8 }, (_, n) => onDisk.checkRange(n * 4000, 4000, { onlyMarked: true }))
    const checked = (await Promise.all(ranges)).reduce((sum, range) => sum + range.checked, 0)
    expect(checked).to.equal(200)
  })

  it('loads the same blobs with two threads, in many batches at a time', async () => {
    const { path, blobrefs } = await storeOf([17])
    await using store = await openStore(path)
    await untilPaired(store, blobrefs)
    const batches = []
    for (let at = 0; at < BLOBS; at += 500)
      batches.push(store.loadBatch(blobrefs.slice(at, at + 500), Number.POSITIVE_INFINITY))
    const results = (await Promise.all(batches)).flat()
    expect(results[17]).to.include({ blobref: blobrefs[17] })
    results[17] = Buffer.from('blob 17')
    expect(results.map((blob) => Buffer.from(blob as Uint8Array).toString())).to.deep.equal(
      Array.from({ length: BLOBS }, (_, n) => `blob ${n}`),
    )
  })

  it('goes on with one thread when the store has been removed since it was opened', async () => {
    const { path, blobrefs } = await storeOf()
    await using store = await openStore(path)
    const { window } = store
    // The first thread has it open now.
    await store.checkBatch(blobrefs.slice(0, 5000))
    rmSync(path)
    for (let n = 0; n < 20; n++) {
      const errors = await store.checkBatch(blobrefs.slice(0, 8192))
      expect(errors.filter((error) => error !== undefined)).to.deep.equal([])
    }
    expect(store.window).to.equal(window)
  })

  it('can be closed while the second thread starts', async () => {
    const { path, blobrefs } = await storeOf()
    const store = await openStore(path)
    await store.checkBatch(blobrefs.slice(0, 8192))
    const underWay = [store.checkBatch(blobrefs.slice(0, 8192)), store.checkBatch(blobrefs.slice(0, 8192))]
    await store.close()
    for (const errors of await Promise.all(underWay)) expect(errors).to.have.length(8192)
    expect(await store.checkBatch(blobrefs.slice(0, 8192)).catch((error) => error)).to.be.instanceOf(Error)
  })
})

async function inOrderOfStorage(store: ContentStore, blobrefs: readonly string[]): Promise<string[]> {
  const all = await (store.onDisk as StoreOnDisk).list(0, BLOBS)
  return all.filter((blobref) => blobrefs.includes(blobref))
}
