import { mock } from 'node:test'
import { expect } from 'chai'
import { Flux } from '../../src/flux/index.ts'
import { type Awaited, SilenceWatch } from '../../src/flux/silence.ts'
import { BrokerDouble } from '../support/broker-double.ts'

async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )
}

/** A watch on a peer of which nothing comes by itself, and a clock. */
function watched(awaited: () => Awaited | undefined, silenceTimeoutMs: number | undefined, silenceNoticeMs?: number) {
  const said: string[] = []
  mock.timers.enable({ apis: ['setInterval'] })
  const watch = new SilenceWatch(
    'it',
    { silenceTimeoutMs, silenceNoticeMs, onSilence: (message) => said.push(message) },
    awaited,
    (seconds, what) => said.push(`gave up ${what} after ${seconds} s`),
  )
  return { watch, said, pass: (seconds: number) => mock.timers.tick(seconds * 1000) }
}

describe('flux/silence', () => {
  afterEach(() => mock.timers.reset())

  it('says once that a peer is silent, and then gives it up', () => {
    const { watch, said, pass } = watched(() => ({ what: 'x.y', rule: 'fails' }), 60_000)
    watch.start()
    pass(9)
    expect(said).to.deep.equal([])
    pass(50)
    expect(said).to.deep.equal(['it: no answer for 10 s; still waiting for x.y'])
    pass(100)
    expect(said.slice(1)).to.deep.equal(['gave up x.y after 60 s'])
  })

  it('gives no notice after 0 or fewer milliseconds, and still gives up', () => {
    for (const noticeMs of [0, -5, Number.NaN]) {
      const { watch, said, pass } = watched(() => ({ what: 'x.y', rule: 'fails' }), 60_000, noticeMs)
      watch.start()
      pass(61)
      expect(said, `${noticeMs}`).to.deep.equal(['gave up x.y after 60 s'])
      mock.timers.reset()
    }
  })

  it('gives up after times that are shorter than a timer can wait', () => {
    const { watch, said, pass } = watched(() => ({ what: 'x.y', rule: 'fails' }), 2, 0.001)
    watch.start()
    pass(0.1)
    expect(said).to.deep.equal(['it: no answer for 0 s; still waiting for x.y', 'gave up x.y after 0 s'])
  })

  it('never gives up one from which anything comes, however slowly', () => {
    const { watch, said, pass } = watched(() => ({ what: 'x.y', rule: 'fails' }), 60_000)
    watch.start()
    for (let i = 0; i < 20; i++) {
      pass(59)
      watch.heard()
    }
    expect(said).to.have.length(20)
    expect(new Set(said)).to.have.property('size', 1)
  })

  it('waits a day for one that sends something each minute, and gives it up a minute after the last', () => {
    const { watch, said, pass } = watched(() => ({ what: 'x.y', rule: 'fails' }), 60_000, Number.NaN)
    watch.start()
    for (let minute = 0; minute < 24 * 60; minute++) {
      watch.heard()
      pass(60)
    }
    expect(said).to.deep.equal([])
    pass(61)
    expect(said).to.deep.equal(['gave up x.y after 60 s'])
  })

  it('lets those wait who wait for something to happen, and begins to count when somebody else asks', () => {
    let awaited: Awaited | undefined = { what: 'a watch', rule: 'allowed' }
    const { watch, said, pass } = watched(() => awaited, 60_000)
    watch.start()
    pass(1000)
    expect(said).to.deep.equal([])
    awaited = { what: 'a flush', rule: 'told' }
    pass(1000)
    expect(said).to.deep.equal(['it: no answer for 10 s; still waiting for a flush'])
    awaited = { what: 'x.y', rule: 'fails' }
    pass(59)
    expect(said).to.have.length(2)
    pass(2)
    expect(said[2]).to.equal('gave up x.y after 60 s')
  })

  it('does nothing while nobody waits', () => {
    let awaited: Awaited | undefined
    const { watch, said, pass } = watched(() => awaited, undefined)
    watch.start()
    pass(100)
    awaited = { what: 'x.y', rule: 'fails' }
    pass(100)
    expect(said).to.deep.equal([])
    watch.start()
    pass(1000)
    expect(said).to.deep.equal(['it: no answer for 10 s; still waiting for x.y'])
    watch.stop()
  })

  it('gives up a broker that lets nobody in', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    const said: string[] = []
    const options = { silenceTimeoutMs: 50, silenceNoticeMs: 20, onSilence: (message: string) => said.push(message) }
    const error = await failure(Flux.open(broker.uri, options))
    expect(error.code).to.equal('ETIMEDOUT')
    expect(error.message).to.match(/^local:\/\/.*: no answer for 0.1 s, waiting for the broker to let us in$/)
    expect(said).to.have.length(1)
    expect(said[0]).to.contain('still waiting for the broker to let us in')
  })

  it('gives up a broker that answers no more, and with it all that waits', async () => {
    await using broker = await BrokerDouble.start({ fault: { after: 2, kind: 'silence' } })
    await using flux = await Flux.open(broker.uri, { silenceTimeoutMs: 50 })
    expect(await flux.rank()).to.equal(0)
    const batch = failure(flux.rpcBatch('content.load', [new Uint8Array(20)]))
    const watch = failure(flux.rpcStream('kvs-watch.lookup', {}, { silence: 'allowed' }).next())
    expect(await batch).to.include({ code: 'ETIMEDOUT' })
    expect((await batch).message).to.contain('waiting for content.load')
    // It was answered before: with a refusal.
    expect(await watch)
      .to.have.property('code')
      .that.is.not.equal('ETIMEDOUT')
    expect(await failure(flux.rank())).to.equal(await batch)
  })

  it('waits for ever for a watch, on the same connection that gives up others', async () => {
    await using broker = await BrokerDouble.start({
      answers: { 'x.watch': { stream: [{ n: 1 }], open: true }, 'x.wait': { stream: [], open: true } },
    })
    const options = { silenceTimeoutMs: 50 }
    await using flux = await Flux.open(broker.uri, options)
    await using other = await Flux.open(broker.uri, options)
    const watch = flux.rpcStream('x.watch', {}, { silence: 'allowed' })
    expect(await watch.next()).to.deep.equal({ done: false, value: { n: 1 } })
    const next = watch.next().catch((error) => error)
    const wait = flux.rpc('x.wait', {}, { silence: 'allowed' }).catch((error) => error)
    // Time enough for another one, that asked the same after it.
    expect(await failure(other.rpc('x.wait'))).to.include({ code: 'ETIMEDOUT' })
    expect(await flux.rank()).to.equal(0)
    await flux.close()
    expect(await next).to.include({ code: 'ECANCELED' })
    expect(await wait).to.include({ code: 'ECANCELED' })
  })

  it('waits for ever when it is not told otherwise', async () => {
    await using broker = await BrokerDouble.start({ answers: { 'x.wait': { stream: [], open: true } } })
    await using flux = await Flux.open(broker.uri)
    await using other = await Flux.open(broker.uri, { silenceTimeoutMs: 50 })
    const wait = flux.rpc('x.wait').catch((error) => error)
    expect(await failure(other.rpc('x.wait'))).to.include({ code: 'ETIMEDOUT' })
    await flux.close()
    expect(await wait).to.include({ code: 'ECANCELED' })
  })
})
