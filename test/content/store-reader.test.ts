import { rmSync } from 'node:fs'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { resolveRoot, walk } from '../../src/kvs/index.ts'
import { copyOf, expected } from '../support/fixtures.ts'

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
