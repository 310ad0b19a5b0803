import { join } from 'node:path'
import { expect } from 'chai'
import { openStore, openStoreWriter } from '../../src/content/index.ts'
import { scratch } from '../support/fixtures.ts'

describe('content/offline-writer', () => {
  it('has room for a few batches at once, and for more when the first is stored', async () => {
    await using writer = await openStoreWriter(join(scratch(), 'x.sqlite'))
    const stored = new Set<number>()
    const rooms: Promise<void>[] = []
    for (let n = 0; n < 8; n++) {
      const batch = writer.storeBatch([Buffer.alloc(1 << 20, n)])
      batch.stored.then(() => stored.add(n))
      rooms.push(batch.room)
    }
    await rooms[0]
    expect(stored.size).to.equal(0)
    for (const n of [3, 4, 7]) {
      await rooms[n]
      expect(stored.has(n - 3)).to.equal(true)
    }
  })

  it('has taken the bytes of blobs, and left out those it has, when storeBatch returns', async () => {
    const path = join(scratch(), 'x.sqlite')
    const views = ['one', 'two', 'one', 'three', 'two', 'four'].map((text) => Buffer.from(text.repeat(50)))
    let blobrefs: string[]
    {
      await using writer = await openStoreWriter(path)
      const first = writer.storeBatch(views.slice(0, 2))
      const second = writer.storeBatch(views)
      for (const view of views) view.fill(0)
      await Promise.all([first.stored, second.stored])
      blobrefs = second.blobrefs
      await writer.commit({ rootref: blobrefs[0] as string, sequence: 0, timestamp: 0 })
    }
    await using store = await openStore(path)
    const results = await store.loadBatch(blobrefs, 1 << 20)
    const texts = results.map((result) =>
      Buffer.from(result as Uint8Array)
        .toString()
        .slice(0, 3),
    )
    expect(texts).to.deep.equal(['one', 'two', 'one', 'thr', 'two', 'fou'])
  })
})
