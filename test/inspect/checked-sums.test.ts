import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { checkedSums, checkTree, contentStats, du } from '../../src/inspect/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { fixture } from '../support/fixtures.ts'
import { Blobs, dir, MemoryStore, val } from '../support/trees.ts'

describe('inspect/checked-sums', () => {
  for (const name of ['basic', 'jobs', 'values', 'files', 'sha256', 'checkpoints']) {
    it(`has the sums of du, the counts of fsck and the marks of content stats: ${name}`, async () => {
      await using store = await openStore(fixture(name))
      const snapshot = await resolveRoot(store)
      const rootrefs = (await store.checkpoints()).map(({ rootref }) => rootref)
      const { sums, checked } = await checkedSums(snapshot, { depth: 0, rootrefs })
      const marked = await contentStats(store, { reachable: true, isMarked: true })
      const keyed = ({ key, bytes, onceBytes, keys, dirs }: (typeof sums.usages)[number]) => ({
        ...{ key, bytes, onceBytes, keys, dirs },
      })
      expect(sums.usages.map(keyed)).to.deep.equal((await du(snapshot, { depth: 0 })).map(keyed))
      expect(checked).to.deep.equal(await checkTree(snapshot, {}))
      await using again = await openStore(fixture(name))
      expect(marked).to.deep.equal(await contentStats(again, { reachable: true }))
      sums.release()
    })
  }

  it('gives no counts when anything is damaged, or the store is not on disk', async () => {
    await using store = await openStore(fixture('damaged-dangling'))
    const damaged = await checkedSums(await resolveRoot(store), { depth: 0, onFault() {} })
    expect(damaged.checked).to.equal(undefined)
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: dir({ b: val('c') }) })
    const { sums, checked } = await checkedSums({ store: new MemoryStore(blobs), rootref }, { depth: 0 })
    expect(checked).to.equal(undefined)
    expect(sums.usages[0]?.keys).to.equal(1)
  })
})
