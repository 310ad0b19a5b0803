/** Job ids for the shell, as the scripts ask for them. */
import { expect } from 'chai'
import { BrokerDouble } from '../../support/broker-double.ts'
import { expected, fixture, scratch } from '../../support/fixtures.ts'
import { fluxTsAside } from '../../support/processes.ts'
import { Blobs, dir, val, writeSqlite } from '../../support/trees.ts'

const STORE = ['--store', fixture('jobs', 'content.sqlite')]

async function ask(word: string, words: string[], env: Record<string, string> = {}): Promise<string[]> {
  const all = { FLUX_TS_COMPLETION_MS: '30000', LC_ALL: 'C.UTF-8', ...env }
  const result = await fluxTsAside([word, 'job', 'get', ...words], all)
  expect({ status: result.status, stderr: result.stderr }).to.deep.equal({ status: 0, stderr: '' })
  return result.stdout.toString().split('\n').slice(0, -1)
}

const jobids = (words: string[], env?: Record<string, string>) => ask('__complete_jobids', words, env)

describe('completion of job ids', () => {
  it('lists those that begin so, the newest first, in the form of the beginning', async () => {
    expect(await jobids([...STORE, 'ƒ2'])).to.deep.equal(['ƒ2CCFUrT', 'ƒ27cshQj', 'ƒ239Rs6P'])
    expect(await jobids([...STORE, 'fQ8'])).to.deep.equal(['fQ8ho36', 'fQ8ho35'])
    expect(await jobids([...STORE, '394'])).to.deep.equal(['39476789248'])
    expect(await jobids([...STORE, '0x93'])).to.deep.equal(['0x931000000'])
    expect(await jobids([...STORE, 'job.0000.0009.3'])).to.deep.equal(['job.0000.0009.3100.0000'])
    expect(await jobids([...STORE, '0000.0009.3'])).to.deep.equal(['0000.0009.3100.0000'])
    expect(await jobids([...STORE, 'nosuch'])).to.deep.equal([])
  })

  it('lists all for an empty word, with f instead of ƒ where the terminal may not take it', async () => {
    const all = await jobids([...STORE, ''])
    expect(all.slice(0, 3)).to.deep.equal(['ƒ2CCFUrT', 'ƒ27cshQj', 'ƒ239Rs6P'])
    expect(all).to.have.lengthOf(40)
    expect((await jobids([...STORE, ''], { LC_ALL: 'C' }))[0]).to.equal('f2CCFUrT')
    expect((await jobids([...STORE, ''], { FLUX_F58_FORCE_ASCII: '1' }))[0]).to.equal('f2CCFUrT')
  })

  it('describes each job by its name and state, if asked', async () => {
    expect(await ask('__complete_jobs', [...STORE, 'ƒ2'])).to.deep.equal([
      'ƒ2CCFUrT\tsleep COMPLETED',
      'ƒ27cshQj\texit3 FAILED',
      'ƒ239Rs6P\tünïcode COMPLETED',
    ])
  })

  it('reads an archive, and asks a live instance', async () => {
    expect(await jobids(['--archive', fixture('jobs', 'dump.tgz'), 'f2C'])).to.deep.equal(['f2CCFUrT'])
    await using broker = await BrokerDouble.start({
      content: fixture('jobs', 'content.sqlite'),
      namespaces: { primary: { rootref: expected('jobs').rootref } },
    })
    expect(await jobids(['f2C'], { FLUX_URI: broker.uri })).to.deep.equal(['f2CCFUrT'])
  })

  it('offers the newest hundred of many, and a job that has no records', async () => {
    const names = Array.from({ length: 250 }, (_, i) => i.toString(16).padStart(4, '0'))
    const jobs = dir(Object.fromEntries(names.map((name) => [name, dir({})])))
    const store = `${scratch()}/content.sqlite`
    const blobs = new Blobs()
    writeSqlite(store, blobs, [
      blobs.tree({ job: dir({ '0000': dir({ '0001': dir({ '0000': jobs }) }) }), x: val('') }),
    ])
    const offered = await jobids(['--store', store, '4294967'])
    expect(offered).to.have.lengthOf(100)
    expect([offered[0], offered[99]]).to.deep.equal(['4294967545', '4294967446'])
    expect(await ask('__complete_jobs', ['--store', store, '42949673'])).to.deep.equal([
      '4294967399\tUNKNOWN',
      ...[...Array(99).keys()].map((i) => `${4294967398 - i}\tUNKNOWN`),
    ])
  })

  it('has no answer, and no complaint, when there is nothing to ask', async () => {
    expect(await jobids(['--store', '/nonexistent', ''])).to.deep.equal([])
    expect(await jobids(['--store', fixture('basic'), ''])).to.deep.equal([])
    expect(await jobids([''], { FLUX_URI: 'local:///nonexistent' })).to.deep.equal([])
  })

  it('gives up when it is late', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    expect(await jobids(['f'], { FLUX_URI: broker.uri, FLUX_TS_COMPLETION_MS: '300' })).to.deep.equal([])
  })
})
