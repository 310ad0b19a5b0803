import { expect } from 'chai'
import { BrokerStore, ContentError, loadEach, type OpenBrokerOptions } from '../../../src/content/index.ts'
import { NODEID_ANY } from '../../../src/flux/index.ts'
import { walk } from '../../../src/kvs/index.ts'
import { BrokerDouble, type BrokerDoubleOptions } from '../../support/broker-double.ts'
import { expected, fixture } from '../../support/fixtures.ts'
import { Blobs, dir, val, valref } from '../../support/trees.ts'

const PLENTY = Number.POSITIVE_INFINITY

function double(blobs: Blobs, options: BrokerDoubleOptions = {}): Promise<BrokerDouble> {
  const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice(blobref.indexOf('-') + 1), blob]))
  return BrokerDouble.start({ content, attributes: { 'content.hash': blobs.hash }, ...options })
}

function open(broker: BrokerDouble, options: OpenBrokerOptions = {}): Promise<BrokerStore> {
  return BrokerStore.open(broker.uri, { env: {}, ...options })
}

/** What was asked for, of whomever. */
function loadsOf(broker: BrokerDouble): BrokerDouble['requests'] {
  return broker.requests.filter(({ topic }) => topic.endsWith('.load'))
}

function some(count: number): { blobs: Blobs; blobrefs: string[] } {
  const blobs = new Blobs()
  return { blobs, blobrefs: Array.from({ length: count }, (_, i) => blobs.store(`blob ${i} `.repeat(1 + (i % 50)))) }
}

async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )
}

describe('content/broker/broker-store', () => {
  it('loads what is there, in the order it was asked for, whatever order it comes in', async () => {
    const { blobs, blobrefs } = some(300)
    await using broker = await double(blobs, { reverse: 7 })
    await using store = await open(broker)
    const results = await store.loadBatch(blobrefs, PLENTY)
    expect(results.map((result) => Buffer.from(result as Uint8Array))).to.deep.equal(
      blobrefs.map((blobref) => blobs.get(blobref)),
    )
  })

  it('says of each blob that is missing or altered that it is', async () => {
    const { blobs, blobrefs } = some(3)
    blobs.delete(blobrefs[0] as string)
    blobs.set(blobrefs[1] as string, Buffer.from('something else'))
    await using broker = await double(blobs)
    const codes = async (verify: boolean) => {
      await using store = await open(broker, { verify })
      const results = await store.loadBatch(blobrefs, PLENTY)
      return results.map((result) => (result instanceof ContentError ? result.code : 'ok'))
    }
    expect(await codes(true)).to.deep.equal(['ENOENT', 'EBADMSG', 'ok'])
    expect(await codes(false)).to.deep.equal(['ENOENT', 'ok', 'ok'])
  })

  it('calls a blobref of another algorithm missing, without asking', async () => {
    await using broker = await double(new Blobs('sha256'))
    await using store = await open(broker)
    expect(store.hash).to.equal('sha256')
    const [result] = await store.loadBatch([`sha1-${'0'.repeat(40)}`], PLENTY)
    expect(result).to.be.instanceOf(ContentError).with.property('code', 'ENOENT')
    expect(loadsOf(broker)).to.be.empty
  })

  for (const maxreqs of [1, 3, 64]) {
    it(`keeps ${maxreqs} requests in flight and never more with maxreqs ${maxreqs}`, async () => {
      const { blobs, blobrefs } = some(400)
      await using broker = await double(blobs, { latency: () => 1 })
      // Looking for the file of the backing store takes requests of its own.
      await using store = await open(broker, { maxreqs, direct: false })
      await Promise.all([store.loadBatch(blobrefs.slice(0, 200), PLENTY), store.loadBatch(blobrefs.slice(200), PLENTY)])
      expect(broker.maxInFlight).to.equal(maxreqs)
      expect(loadsOf(broker)).to.have.length(400)
    })
  }

  it('sends in few writes what it may send at once', async () => {
    const { blobs, blobrefs } = some(200)
    await using broker = await double(blobs, { latency: () => 5 })
    await using store = await open(broker, { maxreqs: 200 })
    const before = broker.chunks
    await store.loadBatch(blobrefs, PLENTY)
    expect(broker.chunks - before).to.be.lessThan(4)
  })

  it('widens an adaptive window on a quick instance, and keeps it small on one that grows slow', async () => {
    const { blobs, blobrefs } = some(4000)
    const most = async (count: number, latency: BrokerDoubleOptions['latency']) => {
      await using broker = await double(blobs, latency ? { latency } : {})
      await using store = await open(broker)
      await store.loadBatch(blobrefs.slice(0, count), PLENTY)
      return broker.maxInFlight
    }
    // With a way of 100 ms more in flight is more that comes through; where each waits for all before it, it is not. Beside
    // 100 ms, the pauses of a busy machine are short.
    expect(await most(1000, () => 100)).to.be.greaterThan(40)
    expect(await most(400, (_, inFlight) => 4 * inFlight)).to.be.lessThan(20)
  })

  it('asks once for a blob that is wanted several times, at once or soon after', async () => {
    const { blobs, blobrefs } = some(5)
    await using broker = await double(blobs)
    await using store = await open(broker)
    const [a, b] = await Promise.all([
      store.loadBatch([...blobrefs, ...blobrefs], PLENTY),
      store.loadBatch(blobrefs, PLENTY),
    ])
    const c = await store.loadBatch(blobrefs, PLENTY)
    expect([a.length, b.length, c.length]).to.deep.equal([10, 5, 5])
    for (const results of [a, b, c]) {
      expect(Buffer.from(results[3] as Uint8Array)).to.deep.equal(blobs.get(blobrefs[3] as string))
    }
    expect(loadsOf(broker)).to.have.length(5)
  })

  it('leaves the rest of a batch for later when its bytes have reached the budget', async () => {
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 20 }, (_, i) => blobs.store(Buffer.alloc(10_000, i)))
    await using broker = await double(blobs)
    await using store = await open(broker, { maxreqs: 2 })
    const results = await store.loadBatch(blobrefs, 50_000)
    const loaded = results.filter((result) => result !== undefined).length
    expect(loaded).to.be.within(5, 7)
    expect(results.slice(0, loaded)).not.to.include(undefined)
    expect(loadsOf(broker)).to.have.length(loaded)
  })

  it('gives at least one blob of a batch, whatever the budget is', async () => {
    const { blobs, blobrefs } = some(20)
    await using broker = await double(blobs)
    await using store = await open(broker)
    for (const budget of [0, -1]) {
      const results = await store.loadBatch(blobrefs.slice(-1), budget)
      expect(results[0], `${budget}`).to.be.instanceOf(Uint8Array)
    }
    const had: number[] = []
    await loadEach(store, blobrefs, (index) => had.push(index), { budgetBytes: 0 })
    expect(had.toSorted((a, b) => a - b)).to.deep.equal(blobrefs.map((_, i) => i))
  })

  it('holds no more than its budget and what may be in flight when many large blobs were asked for unawares', async () => {
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 100 }, (_, i) => blobs.store(Buffer.alloc(1 << 20, i)))
    await using broker = await double(blobs)
    await using store = await open(broker, { maxreqs: 1000 })
    let left = blobrefs
    const had = new Set<string>()
    for (let turn = 0; left.length > 0 && turn < 100; turn++) {
      const results = await store.loadBatch(left, 1 << 20)
      const loaded = left.filter((_, i) => results[i] instanceof Uint8Array)
      expect(loaded.length).to.be.within(1, 34)
      for (const blobref of loaded) had.add(blobref)
      left = left.filter((blobref) => !had.has(blobref))
    }
    expect(had.size).to.equal(100)
  })

  it('keeps few requests in flight where blobs are large', async () => {
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 60 }, (_, i) => blobs.store(Buffer.alloc(4 << 20, i)))
    await using broker = await double(blobs, { latency: () => 1 })
    await using store = await open(broker, { maxreqs: 1000, verify: false })
    for (let at = 0; at < 60; at += 20) await store.loadBatch(blobrefs.slice(at, at + 20), PLENTY)
    const first = broker.maxInFlight
    await store.loadBatch(
      Array.from({ length: 60 }, (_, i) => blobs.store(Buffer.alloc(4 << 20, 100 + i))),
      1,
    )
    expect(first).to.be.at.most(20)
  })

  it('asks the backing store beside a broker of rank 0, and the cache for what that lacks', async () => {
    const { blobs, blobrefs } = some(5)
    const [fresh, gone] = blobrefs as [string, string]
    const cached = new Map([[fresh.slice('sha1-'.length), blobs.get(fresh) as Buffer]])
    for (const blobref of [fresh, gone]) blobs.delete(blobref)
    await using broker = await double(blobs, { cached })
    await using store = await open(broker)
    const results = await store.loadBatch(blobrefs, PLENTY)
    expect(results.map((result) => (result instanceof ContentError ? result.code : 'ok'))).to.deep.equal(
      blobrefs.map((blobref) => (blobref === gone ? 'ENOENT' : 'ok')),
    )
    expect(broker.requestsOf('content-backing.load')).to.have.length(5)
    expect(broker.requestsOf('content.load')).to.have.length(2)
  })

  it('keeps to the cache when there is no backing store, or not for this user', async () => {
    const { blobs, blobrefs } = some(50)
    for (const errnum of [1, 38]) {
      await using broker = await double(blobs, { errors: { 'content-backing.load': { errnum } }, latency: () => 1 })
      await using store = await open(broker, { maxreqs: 10 })
      const results = await store.loadBatch(blobrefs, PLENTY)
      expect(results.every((result) => result instanceof Uint8Array)).to.equal(true)
      expect(broker.requestsOf('content-backing.load')).to.have.length(10)
      expect(broker.requestsOf('content.load')).to.have.length(50)
      expect(broker.maxInFlight).to.equal(10)
    }
  })

  it('asks the nearest cache where it is not at rank 0', async () => {
    const { blobs, blobrefs } = some(2)
    await using broker = await double(blobs, { attributes: { 'content.hash': 'sha1', rank: '3' } })
    await using store = await open(broker)
    await store.loadBatch(blobrefs, PLENTY)
    expect(loadsOf(broker).map(({ topic, nodeid }) => [topic, nodeid])).to.deep.equal([
      ['content.load', NODEID_ANY],
      ['content.load', NODEID_ANY],
    ])
  })

  it('asks rank 0 for its backing store when the cache is to be bypassed', async () => {
    const { blobs, blobrefs } = some(2)
    await using broker = await double(blobs, { checkpoints: [{ version: 1, rootref: blobrefs[0] as string }] })
    await using store = await open(broker, { noCache: true })
    await store.loadBatch(blobrefs, PLENTY)
    await store.checkpoints()
    expect(
      broker.requests.filter(({ topic }) => !topic.startsWith('attr.')).map(({ topic, nodeid }) => [topic, nodeid]),
    ).to.deep.equal([
      ['content-backing.load', 0],
      ['content-backing.load', 0],
      ['content-backing.checkpoint-get', 0],
    ])
  })

  it('reads checkpoints as a list, newest first, and as the single object of older brokers', async () => {
    const { checkpoints } = expected('checkpoints')
    const content = fixture('checkpoints', 'content.sqlite')
    for (const oldCheckpoints of [false, true]) {
      await using broker = await BrokerDouble.start({ content, oldCheckpoints })
      await using store = await open(broker)
      const rootrefs = (await store.checkpoints()).map(({ rootref }) => rootref)
      const all = checkpoints.map(({ rootref }) => rootref)
      expect(rootrefs).to.deep.equal(oldCheckpoints ? all.slice(0, 1) : all)
    }
  })

  it('knows the name that checkpoints were asked for by until v0.42', async () => {
    const { blobs, blobrefs } = some(1)
    const value = { version: 0, rootref: blobrefs[0] as string, timestamp: 5 }
    await using broker = await double(blobs, {
      answers: { 'kvs-checkpoint.get': { value } },
      errors: { 'content.checkpoint-get': { errnum: 38, text: `Unknown service method 'checkpoint-get'` } },
    })
    await using store = await open(broker)
    expect(await store.checkpoints()).to.deep.equal([{ rootref: blobrefs[0], sequence: 0, timestamp: 5 }])
  })

  it('takes an instance without content.hash for one that uses sha1', async () => {
    await using broker = await double(new Blobs(), { attributes: { 'content.hash': undefined } })
    await using store = await open(broker)
    expect(store.hash).to.equal('sha1')
  })

  it('refuses an algorithm that it does not know', async () => {
    await using broker = await double(new Blobs(), { attributes: { 'content.hash': 'blake3' } })
    expect(await failureOf(open(broker))).to.include({ code: 'EPROTO' })
    // It does not stay connected either.
    while (broker.connections > 0) await new Promise(setImmediate)
  })

  it('finds the current root of a namespace', async () => {
    const rootref = `sha1-${'1'.repeat(40)}`
    await using broker = await BrokerDouble.start({ namespaces: { primary: { rootref, rootseq: 7 } } })
    await using store = await open(broker)
    expect(await store.instance.kvs.root('primary')).to.deep.equal({ rootref, sequence: 7, owner: 0 })
    const error = await failureOf(store.instance.kvs.root('nosuch'))
    expect(error.message).to.equal('error fetching current KVS root: Operation not supported')
    expect(error).to.include({ code: 'ENOTSUP', hint: 'there is no namespace nosuch' })
  })

  it('says what to do when the KVS is not loaded, or there is no backing store, or no checkpoint', async () => {
    await using down = await BrokerDouble.start({ unloaded: ['kvs', 'content-backing'] })
    await using store = await open(down)
    const noKvs = await failureOf(store.instance.kvs.root('primary'))
    expect(noKvs.message).to.equal('error fetching current KVS root: No service matching kvs.getroot is registered')
    expect(noKvs.hint).to.include('--checkpoint')
    const noStore = await failureOf(store.checkpoints())
    expect(noStore.message).to.equal('error fetching checkpoints: checkpoint get unavailable, no backing store')
    expect(noStore.code).to.equal('ENOSYS')
    expect(noStore.hint).to.include('flux module load content-sqlite')

    await using fresh = await BrokerDouble.start({ checkpoints: [] })
    await using empty = await open(fresh)
    const none = await failureOf(empty.checkpoints())
    expect(none.message).to.equal('error fetching checkpoints: No such file or directory')
    expect(none.hint).to.include('none has been written yet')
  })

  it('fails as a whole, with the words of the service, when that refuses', async () => {
    const { blobs, blobrefs } = some(10)
    const text = 'Request requires owner credentials'
    const refusal = { errnum: 1, text }
    await using broker = await double(blobs, {
      errors: { 'content-backing.load': refusal, 'content.load': refusal },
    })
    await using store = await open(broker)
    const error = await failureOf(store.loadBatch(blobrefs, PLENTY))
    expect(error).to.include({ code: 'EPERM', message: `content.load: ${text}` })
    expect(await failureOf(store.loadBatch(blobrefs, PLENTY))).to.equal(error)
  })

  for (const rank of ['0', '3']) {
    it(`fails as a whole when the backing store is unloaded meanwhile, at rank ${rank}`, async () => {
      const { blobs, blobrefs } = some(20)
      const unloaded: string[] = []
      const cached = new Map([[(blobrefs[0] as string).slice(5), Buffer.from('blob 0 ')]])
      await using broker = await double(blobs, { unloaded, cached, attributes: { rank } })
      await using store = await open(broker)
      const before = await store.loadBatch(blobrefs.slice(0, 10), PLENTY)
      expect(before.every((result) => result instanceof Uint8Array)).to.equal(true)
      const missing = `sha1-${'0'.repeat(40)}`
      expect((await store.loadBatch([missing], PLENTY))[0]).to.be.instanceOf(ContentError)
      unloaded.push('content-backing')
      const error = await failureOf(store.loadBatch(blobrefs.slice(10), PLENTY))
      expect(error).to.include({ code: 'ENOSYS', hint: 'flux module load content-sqlite brings it back' })
      expect(error.message).to.contain('the backing store is gone')
    })

    it(`fails as a whole when the backing store was unloaded before, at rank ${rank}`, async () => {
      const { blobs, blobrefs } = some(3)
      const unloaded: string[] = []
      await using broker = await double(blobs, { unloaded, attributes: { rank } })
      unloaded.push('content-backing')
      await using store = await open(broker)
      expect(await failureOf(store.loadBatch(blobrefs, PLENTY))).to.include({ code: 'ENOSYS' })
    })

    it(`takes the cache for all there is where there never was a backing store, at rank ${rank}`, async () => {
      const { blobs, blobrefs } = some(2)
      const cached = new Map([[(blobrefs[0] as string).slice(5), blobs.get(blobrefs[0] as string) as Uint8Array]])
      await using broker = await double(blobs, { unloaded: ['content-backing'], cached, attributes: { rank } })
      await using store = await open(broker)
      const results = await store.loadBatch(blobrefs, PLENTY)
      expect(results[0]).to.be.instanceOf(Uint8Array)
      expect(results[1]).to.be.instanceOf(ContentError).with.property('code', 'ENOENT')
    })
  }

  it('fails as a whole when the connection is lost', async () => {
    const { blobs, blobrefs } = some(100)
    await using broker = await double(blobs, { fault: { after: 30, kind: 'drop' } })
    await using store = await open(broker)
    expect(await failureOf(store.loadBatch(blobrefs, PLENTY))).to.include({ code: 'ECONNRESET' })
  })

  it('passes status on without waiting for an answer', async () => {
    await using broker = await double(new Blobs())
    await using store = await open(broker)
    await store.instance.notifyStatus('flux-dump(1) has archived 5 keys')
    await store.instance.kvs.root('primary').catch(() => {})
    const [request] = broker.requestsOf('state-machine.sd-notify')
    expect(Buffer.from(request?.payload ?? []).toString()).to.equal('{"status":"flux-dump(1) has archived 5 keys"}\0')
    expect(request).to.include({ matchtag: 0 })
  })

  it('counts what has come, for whoever shows it', async () => {
    const { blobs, blobrefs } = some(20)
    await using broker = await double(blobs, { namespaces: { primary: { rootref: blobs.tree({ a: val('a') }) } } })
    await using store = await open(broker)
    await store.loadBatch(blobrefs, PLENTY)
    await store.checkBatch(blobrefs.slice(0, 5))
    expect(store.counts).to.include({ loaded: 25, keys: 0 })
    const lookup = (key: string) => ({ namespace: 'primary', key, flags: 0 }) as never
    await store.instance.kvs.lookupBatch([lookup('a'), lookup('b')])
    expect(store.counts).to.include({ loaded: 25, keys: 2 })
  })

  it('walks a tree as a store on disk does', async () => {
    const content = fixture('basic', 'content.sqlite')
    await using broker = await BrokerDouble.start({ content, reverse: 3 })
    await using store = await open(broker)
    const keys: string[] = []
    for await (const batch of walk(store, expected('basic').rootref)) keys.push(...batch.map(({ name }) => name))
    expect(keys).to.have.length(expected('basic').entries.length)
  })

  it('streams a value too large to be held', async () => {
    const blobs = new Blobs()
    const parts = Array.from({ length: 9 }, (_, i) => Buffer.alloc(3 << 20, i))
    const rootref = blobs.tree({ a: val('x'), big: valref(...parts), d: dir({ z: val('y') }) })
    await using broker = await double(blobs)
    await using store = await open(broker)
    const sizes: number[] = []
    for await (const batch of walk(store, rootref)) {
      for (const entry of batch) {
        if (entry.type !== 'value') continue
        let bytes = 0
        for await (const some of entry.stream?.() ?? [entry.parts ?? []]) for (const part of some) bytes += part.length
        sizes.push(bytes)
      }
    }
    expect(sizes).to.deep.equal([1, 27 << 20, 1])
  })

  it('reads the whole fixture store of jobs with each blob asked for once', async () => {
    const content = fixture('jobs', 'content.sqlite')
    await using broker = await BrokerDouble.start({ content })
    await using store = await open(broker)
    let keys = 0
    for await (const batch of walk(store, expected('jobs').rootref)) keys += batch.length
    expect(keys).to.equal(expected('jobs').entries.length)
    const digests = loadsOf(broker).map(({ payload }) => Buffer.from(payload).toString('hex'))
    expect(new Set(digests).size).to.equal(digests.length)
  })
})
