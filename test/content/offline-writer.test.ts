import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { lz4EncodeBlock } from '../../src/bytes/index.ts'
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

  it('stores the same rows, whichever thread has compressed them', async () => {
    const path = join(scratch(), 'x.sqlite')
    const blobOf = (n: number) => Buffer.from(`${n} `.repeat(200))
    const odd = [Buffer.alloc(0), Buffer.from('short'), randomBytes(5000)]
    // The first batches wait in the thread, so that it is behind when the later ones come.
    const batches = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [
      ...[1, 2, 3].map((m) => blobOf(n * 10 + m)),
      ...(n === 7 ? odd : []),
    ])
    const blobrefs: string[] = []
    {
      await using writer = await openStoreWriter(path)
      const pending = batches.map((blobs) => writer.storeBatch(blobs, false))
      for (const { blobrefs: some } of pending) blobrefs.push(...some)
      await Promise.all(pending.map(({ stored }) => stored))
      await writer.commit({ rootref: blobrefs[0] as string, sequence: 0, timestamp: 0 })
    }
    const db = new DatabaseSync(path, { readOnly: true })
    const rows = db.prepare('SELECT size, octet_length(object) AS bytes FROM objects ORDER BY rowid').all()
    db.close()
    const wanted = batches.flat().map((blob) => {
      const length =
        blob.length < 256 ? 0 : lz4EncodeBlock(blob, 0, blob.length, Buffer.alloc(blob.length), 0, blob.length - 1)
      return length === 0 ? { size: -1, bytes: blob.length } : { size: blob.length, bytes: length }
    })
    expect(rows.map((row) => ({ ...row }))).to.deep.equal(wanted)
    await using store = await openStore(path)
    const results = await store.loadBatch(blobrefs, 1 << 20)
    expect(results.map((result) => Buffer.from(result as Uint8Array))).to.deep.equal(batches.flat())
  })
})
