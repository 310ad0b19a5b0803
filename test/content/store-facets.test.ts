import { expect } from 'chai'
import { BrokerStore, type ContentStore, openStore } from '../../src/content/index.ts'
import { contentStats, validate } from '../../src/inspect/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { ArchiveStore } from '../../src/restore/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture } from '../support/fixtures.ts'

const { rootref, hash } = expected('basic')

/** What can be done with any store, whatever it is. */
async function askAnything(store: ContentStore): Promise<void> {
  const absent = `${hash}-${'0'.repeat(store.hash === 'sha1' ? 40 : 64)}`
  const [root, nothing] = await store.loadBatch([rootref, absent], 1 << 20)
  expect(root).to.be.instanceOf(Uint8Array)
  expect(nothing).to.include({ code: 'ENOENT' })
  const codes = (await store.checkBatch([rootref, absent])).map((error) => error?.code)
  expect(codes).to.deep.equal([undefined, 'ENOENT'])
}

describe('content, what a store can do', () => {
  it('on disk: list, measure, mark and stream its blobs, and not tell a current root', async () => {
    await using store = await openStore(fixture('basic'))
    await askAnything(store)
    expect(store).not.to.have.property('instance')
    const { onDisk } = store
    const all = await onDisk.list(0, 1000)
    expect(all).to.include(rootref)
    await onDisk.mark([rootref])
    const [bytes] = await onDisk.sizes([rootref])
    const { all: everything, marked } = await onDisk.totals()
    expect(everything.objects).to.equal(all.length)
    expect(marked).to.include({ objects: 1, bytes })
    let streamed = 0
    for await (const piece of onDisk.stream(rootref)) streamed += piece.length
    expect(streamed).to.equal(bytes)
    expect(await resolveRoot(store)).to.include({ rootref, checkpointIndex: 0 })
  })

  it('made of an archive: the same', async () => {
    await using archive = await ArchiveStore.open(fixture('archives', 'snapshot.tar.xz'))
    const [root] = (await archive.checkpoints()).map(({ rootref }) => rootref)
    const all = await archive.onDisk.list(0, 1000)
    expect(all).to.include(root)
    const sizes = await archive.onDisk.sizes(all)
    for (const [i, blobref] of all.entries()) {
      let streamed = 0
      for await (const piece of archive.onDisk.stream(blobref)) streamed += piece.length
      expect(streamed).to.equal(sizes[i])
    }
    expect(await contentStats(archive, { reachable: true })).to.deep.include({ unreadableDirs: 0 })
    expect(archive).not.to.have.property('instance')
  })

  it('of a live instance: tell current roots and statistics, and not list its blobs', async () => {
    await using broker = await BrokerDouble.start({
      content: fixture('basic', 'content.sqlite'),
      namespaces: { primary: { rootref, rootseq: 7 }, other: { rootref, rootseq: 3, owner: 5 } },
    })
    await using store = await BrokerStore.open(broker.uri, { env: {} })
    await askAnything(store)
    expect(store).not.to.have.property('onDisk')
    expect(await store.instance.kvs.root('other')).to.deep.equal({ rootref, sequence: 3, owner: 5 })
    expect(await resolveRoot(store)).to.include({ rootref, sequence: 7, checkpointIndex: undefined })
    const listing = await validate(store, { onFault: () => {} }).catch((error) => error)
    expect(listing).to.include({ code: 'ENOTSUP' })
    const counting = await contentStats(store, { reachable: false }).catch((error) => error)
    expect(counting).to.include({ code: 'ENOTSUP' })
  })
})
