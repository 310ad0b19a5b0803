import { expect } from 'chai'
import { FLAG, Flux, type JsonObject, RpcError, RpcFailure } from '../../src/flux/index.ts'
import { BrokerDouble, type Fault } from '../support/broker-double.ts'
import { expected, fixture } from '../support/fixtures.ts'

/** The error with which `promise` fails. */
async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

const digestOf = (blobref: string) => Buffer.from(blobref.slice(blobref.indexOf('-') + 1), 'hex')
const env = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }

describe('flux/flux', () => {
  it('calls services that speak JSON and services that speak bytes', async () => {
    const { rootref, checkpoints } = expected('basic')
    await using broker = await BrokerDouble.start({
      content: fixture('basic', 'content.sqlite'),
      namespaces: { primary: { rootref, rootseq: 7 } },
    })
    await using flux = await Flux.open(broker.uri)
    expect(await flux.rank()).to.equal(0)
    expect(await flux.rpc('kvs.getroot', { namespace: 'primary' })).to.include({ rootref, rootseq: 7 })
    const root = JSON.parse(Buffer.from(await flux.rpcRaw('content.load', digestOf(rootref))).toString())
    expect(root).to.have.property('type', 'dir')
    const { value } = await flux.rpc('content-backing.checkpoint-get', { key: 'kvs-primary' }, { nodeid: 0 })
    expect((value as JsonObject[]).map((checkpoint) => checkpoint.rootref)).to.deep.equal(
      checkpoints.map((checkpoint) => checkpoint.rootref),
    )
    expect(broker.requestsOf('content-backing.checkpoint-get')[0]).to.include({ nodeid: 0, userid: 0xffffffff })
    expect(flux.inFlight).to.equal(0)
  })

  it('keeps whole numbers of 64 bits, in requests and responses, and in streams', async () => {
    const id = 9007199254740993000n
    await using broker = await BrokerDouble.start({
      answers: { 'job-list.list': { jobs: [{ id }, { id: 7 }] }, 'job-info.watch': { stream: [{ id }, { id: 1.5 }] } },
    })
    await using flux = await Flux.open(broker.uri)
    expect(await flux.rpc('job-list.list', { id, size: 2 })).to.deep.equal({ jobs: [{ id }, { id: 7 }] })
    const items: JsonObject[] = []
    for await (const item of flux.rpcStream('job-info.watch', { id })) items.push(item)
    expect(items).to.deep.equal([{ id }, { id: 1.5 }])
    const sent = broker.requests.map(({ payload }) => Buffer.from(payload).toString())
    expect(sent).to.deep.equal([`{"id":${id},"size":2}\0`, `{"id":${id}}\0`])
  })

  it('fails with the text of the broker, or with that of the errno', async () => {
    await using broker = await BrokerDouble.start({ unloaded: ['content-backing'] })
    await using flux = await Flux.open(broker.uri)
    const unknown = await failure(flux.rpc('content-backing.checkpoint-get', {}, { nodeid: 0 }))
    expect(unknown).to.be.instanceOf(RpcError)
    expect(unknown).to.include({ code: 'ENOSYS', errnum: 38, nodeid: 0, topic: 'content-backing.checkpoint-get' })
    expect(unknown.message).to.contain('No service matching content-backing.checkpoint-get is registere')
    const namespace = await failure(flux.rpc('kvs.getroot', { namespace: 'none' }))
    expect(namespace).to.include({ code: 'ENOTSUP', text: undefined })
    expect(namespace.message).to.equal('kvs.getroot: Operation not supported')
  })

  it('writes the requests of one tick at once, and finds each its answer in whatever order they come', async () => {
    const content = new Map<string, Uint8Array>()
    const digests = Array.from({ length: 50 }, (_, i) => Buffer.alloc(20, i))
    digests.forEach((digest, i) => i % 10 && content.set(digest.toString('hex'), Buffer.from(`blob ${i}`)))
    await using broker = await BrokerDouble.start({ content, reverse: 7 })
    await using flux = await Flux.open(broker.uri)
    const { results, roundTripMs } = await flux.rpcBatch('content.load', digests)
    expect(broker.chunks).to.equal(1)
    expect(broker.maxInFlight).to.be.greaterThan(1)
    results.forEach((result, i) => {
      if (i % 10) expect(Buffer.from(result as Uint8Array).toString()).to.equal(`blob ${i}`)
      else expect(result).to.be.instanceOf(RpcFailure).with.property('code', 'ENOENT')
    })
    expect(roundTripMs.every((ms) => ms >= 0)).to.equal(true)
  })

  it('holds no answer of a batch any longer than it is looked at, when told so', async () => {
    const content = new Map([0, 1].map((i) => [Buffer.alloc(20, i).toString('hex'), Buffer.from(`blob ${i}`)]))
    await using broker = await BrokerDouble.start({ content })
    await using flux = await Flux.open(broker.uri)
    const seen: string[] = []
    const { results } = await flux.rpcBatch('content.load', [Buffer.alloc(20, 0), Buffer.alloc(20, 1)], {
      forget: true,
      onResponse: (index, { results }) => void (seen[index] = Buffer.from(results[index] as Uint8Array).toString()),
    })
    expect(seen).to.deep.equal(['blob 0', 'blob 1'])
    expect(results.map((result) => (result as Uint8Array).length)).to.deep.equal([0, 0])
  })

  it('uses the matchtags of answered requests again, and not those of requests that were given up', async () => {
    await using broker = await BrokerDouble.start({ latency: ({ topic }) => (topic === 'attr.list' ? 300 : 0) })
    await using flux = await Flux.open(broker.uri)
    const late = await failure(flux.rpc('attr.list', undefined, { timeoutMs: 1 }))
    expect(late).to.have.property('code', 'ETIMEDOUT')
    expect(late.message).to.match(/^[a-z.]+: no response within \d+ ms$/)
    expect(flux.inFlight).to.equal(1)
    await flux.rank()
    await flux.rank()
    const tags = broker.requests.map(({ matchtag }) => matchtag)
    expect(tags).to.deep.equal([1, 2, 2])
    await flux.rpc('attr.list')
    expect(flux.inFlight).to.equal(0)
  })

  it('streams until ENODATA, and cancels a stream that its consumer leaves', async () => {
    const stream = [{ n: 1 }, { n: 2 }, { n: 3 }]
    await using broker = await BrokerDouble.start({
      answers: { 'a.list': { stream }, 'a.watch': { stream, open: true } },
    })
    await using flux = await Flux.open(broker.uri)
    const seen: JsonObject[] = []
    for await (const item of flux.rpcStream('a.list')) seen.push(item)
    expect(seen).to.deep.equal(stream)
    for await (const item of flux.rpcStream('a.watch', {})) if (item.n === 2) break
    await flux.rank()
    const [watch] = broker.requestsOf('a.watch')
    const [cancel] = broker.requestsOf('a.cancel')
    expect(watch?.flags).to.equal(FLAG.STREAMING)
    expect(cancel).to.include({ flags: FLAG.NORESPONSE, matchtag: 0 })
    expect(Buffer.from(cancel?.payload ?? []).toString()).to.equal(`{"matchtag":${watch?.matchtag}}\0`)
    expect(flux.inFlight).to.equal(0)
  })

  it('ends a stream whose signal is aborted, and tells the broker', async () => {
    await using broker = await BrokerDouble.start({ answers: { 'a.watch': { stream: [{}], open: true } } })
    await using flux = await Flux.open(broker.uri)
    const abort = new AbortController()
    const items = flux.rpcStream('a.watch', {}, { signal: abort.signal })
    await items.next()
    const next = failure(items.next())
    abort.abort()
    expect(await next).to.have.property('code', 'EINTR')
    await flux.rank()
    expect(broker.requestsOf('a.cancel')).to.have.length(1)
  })

  it('cancels nothing when a stream is aborted that the broker has ended: its matchtag may be in use again', async () => {
    await using broker = await BrokerDouble.start({ answers: { 'a.list': { stream: [{ n: 1 }, { n: 2 }] } } })
    await using flux = await Flux.open(broker.uri)
    const abort = new AbortController()
    const items = flux.rpcStream('a.list', {}, { signal: abort.signal })
    await items.next()
    await flux.rank()
    abort.abort()
    expect(await failure(items.next())).to.have.property('code', 'EINTR')
    await flux.rank()
    expect(broker.requestsOf('a.cancel')).to.have.length(0)
  })

  it('delivers all of a stream to a consumer that falls behind, and other answers meanwhile', async () => {
    const stream = Array.from({ length: 200 }, (_, n) => ({ n, fill: 'x'.repeat(20_000) }))
    await using broker = await BrokerDouble.start({ answers: { 'a.list': { stream } } })
    await using flux = await Flux.open(broker.uri)
    let n = 0
    for await (const item of flux.rpcStream('a.list')) {
      expect(item.n).to.equal(n++)
      if (n % 50 === 1) expect(await flux.rank()).to.equal(0)
    }
    expect(n).to.equal(200)
  })

  it('waits for a broker that reads nothing, and goes on when it does', async () => {
    await using broker = await BrokerDouble.start({ answers: { 'a.store': {} } })
    await using flux = await Flux.open(broker.uri)
    await flux.rank()
    broker.pause(true)
    const stored = Array.from({ length: 8 }, () => flux.rpcRaw('a.store', new Uint8Array(500_000).fill(7)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(broker.requestsOf('a.store')).to.have.length(0)
    const rank = flux.rank()
    broker.pause(false)
    await Promise.all(stored)
    expect(await rank).to.equal(0)
    const intact = broker
      .requestsOf('a.store')
      .every(({ payload }) => payload.length === 500_000 && payload[499_999] === 7)
    expect(intact).to.equal(true)
  })

  const faults: [Fault, string, string][] = [
    ['drop', 'ECONNRESET', 'lost the connection'],
    ['truncated', 'ECONNRESET', 'in the middle of a message'],
    ['garbage', 'EPROTO', 'magic'],
    ['huge', 'EPROTO', '4294967295'],
  ]
  for (const [kind, code, text] of faults) {
    it(`fails all that is outstanding, and what comes after, on fault "${kind}"`, async () => {
      await using broker = await BrokerDouble.start({ fault: { after: 3, kind }, latency: () => 2000 })
      await using flux = await Flux.open(broker.uri)
      const outstanding = [flux.rank(), flux.rpcBatch('content.load', [Buffer.alloc(20)]), flux.rpcStream('a.b').next()]
      for (const error of await Promise.all(outstanding.map(failure))) {
        expect(error).to.have.property('code', code)
        expect(error.message).to.contain(text)
        if (code === 'EPROTO') {
          expect(error.hint).to.equal(
            `what answers at ${broker.uri} is no broker, or speaks another version of the protocol`,
          )
        }
      }
      expect(await failure(flux.rank())).to.have.property('code', code)
    })
  }

  it('writes what was sent before it closes, and fails what was not answered with ECANCELED', async () => {
    await using broker = await BrokerDouble.start({ latency: () => 2000 })
    const flux = await Flux.open(broker.uri)
    const asked = failure(flux.rank())
    const sent = flux.send('state-machine.sd-notify', { status: 'done' })
    await flux.close()
    await sent
    expect(await asked).to.include({ code: 'ECANCELED' })
    expect(await asked)
      .to.have.property('message')
      .that.matches(/: this handle was closed$/)
    while (broker.connections > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(broker.requests.map(({ topic }) => topic)).to.deep.equal(['attr.get', 'state-machine.sd-notify'])
  })

  it('sends the userid and rolemask of the environment', async () => {
    await using broker = await BrokerDouble.start()
    const guest = { FLUX_URI: broker.uri, FLUX_HANDLE_USERID: '42', FLUX_HANDLE_ROLEMASK: '0x2' }
    await using flux = await Flux.open(undefined, { env: guest })
    await flux.rank()
    expect(broker.requests[0]).to.include({ userid: 42, rolemask: 2 })
    const bad = Flux.open(broker.uri, { env: { FLUX_HANDLE_USERID: 'me' } })
    expect(await failure(bad)).to.include({
      code: 'EINVAL',
      message: 'FLUX_HANDLE_USERID=me: not a number of 32 bits',
    })
  })

  it('says which attribute the broker does not have', async () => {
    await using broker = await BrokerDouble.start()
    await using flux = await Flux.open(broker.uri)
    expect(await failure(flux.attrGet('no-such'))).to.include({
      code: 'ENOENT',
      message: 'attr.get: the broker has no attribute no-such',
    })
  })

  it('opens the instances around the one of the environment', async () => {
    await using top = await BrokerDouble.start()
    await using middle = await BrokerDouble.start({ attributes: { 'instance-level': '1', 'parent-uri': top.uri } })
    await using inner = await BrokerDouble.start({ attributes: { 'instance-level': '2', 'parent-uri': middle.uri } })
    const found: Record<string, string> = {}
    for (const path of ['.', '..', '../..', '../../..', '/']) {
      await using flux = await Flux.open(path, { env: { FLUX_URI: inner.uri } })
      found[path] = flux.uri
    }
    expect(found).to.deep.equal({
      '.': inner.uri,
      '..': middle.uri,
      '../..': top.uri,
      '../../..': top.uri,
      '/': top.uri,
    })
  })

  it('says why it cannot connect: refused, closed at once, no socket', async () => {
    await using refusing = await BrokerDouble.start({ handshake: 1 })
    await using closing = await BrokerDouble.start({ handshake: 'close' })
    const refused = await failure(Flux.open(refusing.uri))
    expect(refused).to.include({
      code: 'EPERM',
      message: `${refusing.uri}: the broker refused the connection: Operation not permitted`,
      hint: 'the instance belongs to another user, and does not let guests in',
    })
    expect(await failure(Flux.open(closing.uri))).to.include({
      code: 'ECONNRESET',
      message: `${closing.uri}: the broker closed the connection at once`,
      hint: 'it may be shutting down, or overloaded: try again',
    })
    expect(await failure(Flux.open('local:///nowhere/local', { env }))).to.have.property('code', 'ENOENT')
    for (const count of ['many', '+', '-1']) {
      const counted = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: count }
      expect(await failure(Flux.open('local:///nowhere/local', { env: counted }))).to.include({
        code: 'EINVAL',
        message: `FLUX_LOCAL_CONNECTOR_RETRY_COUNT=${count}: not a number of retries`,
      })
    }
  })

  it('gives up a broker that says nothing when its signal is aborted', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    const opening = failure(Flux.open(broker.uri, { signal: AbortSignal.timeout(20) }))
    expect(await opening).to.have.property('code', 'ETIMEDOUT')
  })
})
