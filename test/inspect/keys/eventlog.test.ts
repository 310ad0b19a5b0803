import { expect } from 'chai'
import { BrokerStore } from '../../../src/content/index.ts'
import { eventsUntil } from '../../../src/inspect/index.ts'
import { ServiceReader } from '../../../src/kvs/index.ts'
import { BrokerDouble } from '../../support/broker-double.ts'
import { Blobs, val } from '../../support/trees.ts'

describe('inspect: eventlog', () => {
  it('says on one line, without control characters, which event did not come in time', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ log: val('{"timestamp":1,"name":"submit"}\n') })
    const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice('sha1-'.length), blob]))
    await using broker = await BrokerDouble.start({ content, namespaces: { primary: { rootref } } })
    await using store = await BrokerStore.open(broker.uri, { env: {} })
    const reader = new ServiceReader(store.instance.kvs)
    let error: unknown
    try {
      for await (const _ of eventsUntil(reader, 'log', 'a\n\x1b[2Jb', { timeoutMs: 1 }));
    } catch (thrown) {
      error = thrown
    }
    expect(error).to.include({ code: 'ETIMEDOUT', message: "wait-event timeout on event 'a\\n\\x1b[2Jb'" })
  })
})
