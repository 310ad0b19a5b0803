import { expect } from 'chai'
import { BrokerWriter } from '../../../src/content/index.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { BrokerDouble, type BrokerDoubleOptions } from '../../support/broker-double.ts'

async function withWriter(
  options: BrokerDoubleOptions,
  use: (writer: BrokerWriter, broker: BrokerDouble) => Promise<void>,
): Promise<void> {
  await using broker = await BrokerDouble.start({ content: new Map(), ...options })
  await using writer = await BrokerWriter.open(broker.uri, { env: {}, maxreqs: 10 })
  await use(writer, broker)
}

const some = (count: number, from = 0) => Array.from({ length: count }, (_, i) => Buffer.from(`blob ${from + i}`))

describe('content/broker/broker-writer', () => {
  it('says what to load where there is no backing store, or no KVS', async () => {
    const refusal = { errnum: 38 }
    const errors = { 'content.checkpoint-put': refusal, 'kvs.commit': refusal }
    await withWriter({ errors }, async (writer) => {
      const { blobrefs, stored } = writer.storeBatch(some(1))
      await stored
      const rootref = blobrefs[0] as string
      const checkpoint = { rootref, sequence: 0, timestamp: 1 }
      expect(await writer.commit(checkpoint).catch((error) => error)).to.include({
        code: 'ENOSYS',
        message: 'error updating checkpoint: Function not implemented',
        hint: 'load a backing store such as content-sqlite first',
      })
      expect(await writer.commitKey('a', rootref).catch((error) => error)).to.include({
        code: 'ENOSYS',
        message: 'error updating a: Function not implemented',
        hint: 'the kvs module is not loaded: --checkpoint restores without it',
      })
    })
  })

  it('sends what waits in the order of the digests', async () => {
    await withWriter({ latency: () => 1 }, async (writer, broker) => {
      const batches = [0, 100, 200].map((from) => writer.storeBatch(some(100, from)))
      await Promise.all(batches.map(({ stored }) => stored))
      const blobrefs = new Map(
        batches.flatMap((batch, n) => batch.blobrefs.map((blobref, i) => [`blob ${100 * n + i}`, blobref])),
      )
      const sent = broker
        .requestsOf('content-backing.store')
        .map(({ payload }) => blobrefs.get(Buffer.from(payload).toString()))
      expect(sent).to.deep.equal([...blobrefs.values()].sort())
      expect(broker.maxInFlight).to.equal(10)
    })
  })

  it('sends a blob once that comes again', async () => {
    await withWriter({}, async (writer, broker) => {
      for (let turn = 0; turn < 3; turn++) await writer.storeBatch(some(5)).stored
      expect(broker.requestsOf('content-backing.store')).to.have.length(5)
    })
  })

  it('has room until much is on its way, and again when some of that is stored', async () => {
    await withWriter({ latency: () => 1 }, async (writer) => {
      let isFull = false
      const large = Array.from({ length: 20 }, (_, i) => Buffer.alloc(1 << 20, i))
      await writer.storeBatch(some(1)).room
      const { room, stored } = writer.storeBatch(large)
      isFull = true
      room.then(() => {
        isFull = false
      })
      await new Promise(setImmediate)
      expect(isFull).to.equal(true)
      await room
      await stored
      await writer.storeBatch(some(1, 1)).room
    })
  })

  it('says what refused a blob, to all that wait and all that come after, and commits nothing', async () => {
    const full = { errnum: 28, text: 'No space left on device' }
    const errors = { 'content-backing.store': full, 'content.store': full }
    await withWriter({ errors, latency: () => 1 }, async (writer, broker) => {
      const batches = [0, 1].map((n) => writer.storeBatch([Buffer.alloc(10 << 20, n), ...some(5, n)]))
      // Nobody is left waiting for room.
      await Promise.all(batches.map(({ room }) => room))
      const outcomes = await Promise.allSettled([
        ...batches.map(({ stored }) => stored),
        writer.storeBatch(some(1, 9)).stored,
        writer.commit({ rootref: `sha1-${'0'.repeat(40)}`, sequence: 0, timestamp: 1 }),
      ])
      for (const outcome of outcomes) {
        expect(outcome.status === 'rejected' && outcome.reason.message).to.equal(
          'error storing blob: No space left on device',
        )
      }
      expect(broker.requestsOf('content.checkpoint-put')).to.be.empty
    })
  })

  it('refuses a digest that is not that of what it gave', async () => {
    await withWriter({ answers: { 'content-backing.store': { not: 'a digest' } } }, async (writer, broker) => {
      const { blobrefs, stored } = writer.storeBatch(some(1))
      const error: unknown = await stored.catch((error) => error)
      expect(error).to.be.instanceOf(FluxError).with.property('code', 'EPROTO')
      expect((error as FluxError).message).to.match(
        new RegExp(`^${broker.uri}: stored ${blobrefs[0]} under the digest [0-9a-f]+$`),
      )
    })
  })
})
