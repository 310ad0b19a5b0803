import { expect } from 'chai'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture } from '../support/fixtures.ts'
import { fluxTsAside } from '../support/processes.ts'

/** The same questions, asked of a live instance that holds what the store of the fixture holds. */
describe('a live instance and its store', () => {
  const store = fixture('jobs', 'content.sqlite')
  const { rootref, checkpoints } = expected('jobs')
  let broker: BrokerDouble

  before(async () => {
    broker = await BrokerDouble.start({
      content: store,
      namespaces: { primary: { rootref } },
      checkpoints: checkpoints.map((checkpoint) => ({ version: 1, ...checkpoint })),
    })
  })
  after(() => broker.close())

  for (const args of [
    ['jobs'],
    ['jobs', '--json', '--result', 'failed'],
    ['job', 'get', 'f239Rs6P'],
    ['job', 'get', '-r', 'stdout', 'f239Rs6P'],
    ['du', '-d', '2'],
  ]) {
    it(`answer ${args.join(' ')} alike`, async () => {
      const offline = await fluxTsAside([...args, '--store', store])
      const live = await fluxTsAside(args, { FLUX_URI: broker.uri })
      expect(offline.status).to.equal(0)
      expect(live).to.deep.equal(offline)
    })
  }

  it('are the same to diff, by URI, by checkpoint, and by root', async () => {
    const quiet = async (...args: string[]) => (await fluxTsAside(['diff', ...args], { FLUX_URI: broker.uri })).status
    expect(await quiet(broker.uri, store)).to.equal(0)
    expect(await quiet(`${broker.uri}@0`, `store:${store}@0`)).to.equal(0)
    expect(await quiet(rootref, '@0')).to.equal(0)
    expect(await quiet(broker.uri, fixture('basic', 'content.sqlite'))).to.equal(1)
    expect(await quiet('local:///nosuch', store)).to.equal(2)
  })
})
