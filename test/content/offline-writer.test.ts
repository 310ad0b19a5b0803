import { join } from 'node:path'
import { expect } from 'chai'
import { openStoreWriter } from '../../src/content/index.ts'
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
})
