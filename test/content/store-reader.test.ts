import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { resolveRoot, walk } from '../../src/kvs/index.ts'
import { copyOf, expected, scratch } from '../support/fixtures.ts'
import { chain } from '../support/large-trees.ts'
import { Blobs, val, writeSqlite } from '../support/trees.ts'

describe('content/store-reader', () => {
  const keysOf = async (path: string, meanwhile = () => {}) => {
    await using store = await openStore(path)
    const root = await resolveRoot(store)
    meanwhile()
    let keys = 0
    for await (const batch of walk(store, root.rootref)) keys += batch.length
    return keys
  }

  it('reads a store to its end that is removed after it was opened, and before there is a thread', async () => {
    const path = copyOf('jobs', 'content.sqlite')
    expect(await keysOf(path, () => rmSync(path))).to.equal(expected('jobs').entries.length)
  })

  it('reads a chain of blobs one by one, before and after there is a thread, and lets others go on meanwhile', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const rootref = chain(blobs, blobs.store(blobs.dirText({ v: val('end') })), 600)
    writeSqlite(path, blobs, [rootref])
    for (const asked of [0, 5000]) {
      const controller = new AbortController()
      await using store = await openStore(path, { signal: controller.signal })
      if (asked > 0) await store.loadBatch(Array(asked).fill(rootref), Number.POSITIVE_INFINITY)
      let turns = 0
      let turn = setImmediate(function again() {
        turns++
        turn = setImmediate(again)
      })
      let ref: string | undefined = rootref
      let read = 0
      for (; ref !== undefined; read++) {
        const [blob] = await store.loadBatch([ref], 1)
        expect(Buffer.from(blob as Uint8Array)).to.deep.equal(Buffer.from(blobs.get(ref) as Uint8Array))
        ref = /sha1-[0-9a-f]{40}/.exec(Buffer.from(blob as Uint8Array).toString())?.[0]
      }
      clearImmediate(turn)
      expect(read).to.equal(601)
      expect(turns).to.be.greaterThan(0)
      const [lost] = await store.loadBatch([`sha1-${'0'.repeat(40)}`], 1)
      expect(lost).to.include({ code: 'ENOENT' })
      controller.abort()
      const error = await store.loadBatch([rootref], 1).catch((error) => error)
      expect(error).to.be.instanceOf(Error)
    }
  })

  it('fails what is asked after its signal was aborted, with or without a thread', async () => {
    const path = copyOf('jobs', 'content.sqlite')
    for (const asked of [1, 1000]) {
      const controller = new AbortController()
      await using store = await openStore(path, { signal: controller.signal })
      const refs = Array(asked).fill(expected('jobs').rootref)
      await store.loadBatch(refs, Number.POSITIVE_INFINITY)
      controller.abort()
      const error = await store.loadBatch(refs, Number.POSITIVE_INFINITY).catch((error) => error)
      expect(error, String(asked)).to.be.instanceOf(Error)
    }
  })
})
