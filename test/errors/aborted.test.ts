/** What is thrown when a signal is aborted: its reason decides, the same everywhere. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createArchive, openArchive } from '../../src/archive/index.ts'
import { openStore } from '../../src/content/index.ts'
import { Dump } from '../../src/dump/index.ts'
import { FluxError, InterruptedError } from '../../src/errors/index.ts'
import { Flux } from '../../src/flux/index.ts'
import { diff, fsck, validate } from '../../src/inspect/index.ts'
import { streamValue, walk } from '../../src/kvs/index.ts'
import { ArchiveStore, Restore } from '../../src/restore/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'

const STORE = fixture('basic', 'content.sqlite')
const ARCHIVE = fixture('basic', 'dump.tar')
const { rootref } = expected('basic')
const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 }
const ids = { uid: 0, gid: 0, startSeconds: 0 }

async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

async function overBroker(work: (flux: Flux) => Promise<unknown>): Promise<void> {
  await using broker = await BrokerDouble.start({ content: STORE })
  await using flux = await Flux.open(broker.uri)
  await work(flux)
}

const WORK: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
  'Flux.open': async (signal) => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    await Flux.open(broker.uri, { signal })
  },
  rpc: (signal) => overBroker((flux) => flux.rpc('attr.get', { name: 'rank' }, { signal })),
  rpcBatch: (signal) => overBroker((flux) => flux.rpcBatch('content.load', [new Uint8Array(20)], { signal })),
  rpcStream: (signal) => overBroker((flux) => all(flux.rpcStream('kvs-watch.lookup', {}, { signal }))),
  walk: async (signal) => {
    await using store = await openStore(STORE)
    await all(walk(store, rootref, { signal }))
  },
  streamValue: async (signal) => {
    await using store = await openStore(STORE)
    await all(streamValue(store, 'a', [rootref], signal))
  },
  fsck: async (signal) => {
    await using store = await openStore(STORE)
    await fsck(store, { signal })
  },
  validate: async (signal) => {
    await using store = await openStore(STORE)
    await validate(store, { signal, onFault: () => {} })
  },
  diff: async (signal) => {
    await using store = await openStore(STORE)
    await using other = await openStore(fixture('jobs', 'content.sqlite'))
    await all(diff({ store, rootref }, { store: other, rootref: expected('jobs').rootref }, { signal }))
  },
  Dump: async (signal) => {
    await using store = await openStore(STORE)
    const dir = scratch()
    try {
      await new Dump({ store, outfile: join(dir, 'x.tar'), ...ids, signal }).run()
    } finally {
      expect(readdirSync(dir)).to.deep.equal([])
    }
  },
  Restore: (signal) => {
    const writer = { hash: 'sha1' as const, storeBatch: () => expect.fail('it stores') }
    return new Restore({
      infile: ARCHIVE,
      writer,
      commit: () => expect.fail('it commits'),
      nowSeconds: 0,
      signal,
    } as unknown as ConstructorParameters<typeof Restore>[0]).run()
  },
  'ArchiveStore.open': (signal) => ArchiveStore.open(ARCHIVE, { signal }),
  openArchive: async (signal) => {
    await using archive = await openArchive(ARCHIVE, { signal })
    await all(archive.batches())
  },
  createArchive: async (signal) => {
    const archive = await createArchive(join(scratch(), 'x.tar.gz'), { attributes, signal })
    await archive.finish().finally(() => archive.abort())
  },
}

describe('errors/aborted', () => {
  for (const [name, work] of Object.entries(WORK)) {
    it(`is decided by the reason of the signal: ${name}`, async () => {
      const failure = async (signal: AbortSignal): Promise<FluxError> =>
        work(signal).then(
          () => expect.fail('it did not fail'),
          (error) => error,
        )
      const own = new FluxError('EBUSY', 'something else is to be done first')
      expect(await failure(AbortSignal.abort(own))).to.equal(own)
      const late = AbortSignal.timeout(0)
      await new Promise((resolve) => late.addEventListener('abort', resolve))
      const timedOut = await failure(late)
      expect(timedOut).to.be.instanceOf(FluxError).and.include({ code: 'ETIMEDOUT', cause: late.reason })
      expect((timedOut as FluxError).message).to.match(/(?:^|: )not done in time$/)
      const cause = new Error('enough')
      const interrupted = await failure(AbortSignal.abort(cause))
      expect(interrupted).to.be.instanceOf(InterruptedError).and.include({ code: 'EINTR', cause })
    })
  }
})
