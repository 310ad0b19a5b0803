/** Keys for the shell, as the scripts ask for them. */
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { sourceOf } from '../../../src/cli/completion/answer.ts'
import { BrokerDouble } from '../../support/broker-double.ts'
import { copyOf, expected, fixture, scratch } from '../../support/fixtures.ts'
import { fluxTsAside } from '../../support/processes.ts'
import { Blobs, val, writeSqlite } from '../../support/trees.ts'

const STORE = ['--store', fixture('jobs', 'content.sqlite')]

async function keys(words: string[], env: Record<string, string> = {}): Promise<string[]> {
  const result = await fluxTsAside(['__complete', ...words], { FLUX_TS_COMPLETION_MS: '30000', ...env })
  expect({ status: result.status, stderr: result.stderr }).to.deep.equal({ status: 0, stderr: '' })
  return result.stdout.toString().split('\n').slice(0, -1)
}

describe('completion of keys', () => {
  it('lists one level, directories with a dot at their end', async () => {
    expect(await keys(['kvs', 'get', ...STORE, 'r'])).to.deep.equal(['resource.'])
    expect(await keys(['kvs', 'get', ...STORE, 'resource.'])).to.deep.equal(['resource.R', 'resource.eventlog'])
    expect(await keys(['kvs', 'get', ...STORE, ''])).to.deep.equal(['admin.', 'checkpoint.', 'job.', 'resource.'])
  })

  it('leaves out keys that a shell would run or expand when they are on its command line', async () => {
    const names = [
      'plain',
      'p-1_2,3:4@5%6+7=8',
      'p$(touch x)',
      'p`touch x`',
      'p;x',
      'p|x',
      'p>x',
      'p{1,2}',
      "p'",
      'p*',
      'p!x',
      'p\\x',
    ]
    const blobs = new Blobs()
    const store = join(scratch(), 'content.sqlite')
    writeSqlite(store, blobs, [blobs.tree(Object.fromEntries(names.map((name) => [name, val('')])))])
    expect(await keys(['kvs', 'get', '--store', store, 'p'])).to.have.members(names.slice(0, 2))
  })

  it('reads an archive', async () => {
    const archive = ['--archive', fixture('jobs', 'dump.tgz')]
    expect(await keys(['kvs', 'get', ...archive, 'resource.e'])).to.deep.equal(['resource.eventlog'])
  })

  it('asks a live instance, and its backing store for a checkpoint', async () => {
    await using broker = await BrokerDouble.start({
      content: fixture('jobs', 'content.sqlite'),
      namespaces: { primary: { rootref: expected('jobs').rootref } },
    })
    const env = { FLUX_URI: broker.uri }
    expect(await keys(['kvs', 'get', 'resource.'], env)).to.deep.equal(['resource.R', 'resource.eventlog'])
    expect(broker.requestsOf('content.load')).to.deep.equal([])
    expect(await keys(['kvs', 'get', '--uri', broker.uri, '--checkpoint', 'reso'])).to.deep.equal(['resource.'])
  })

  it('reads what is left of a damaged archive with --salvage, as the command would', async () => {
    const archive = copyOf('jobs', 'dump.tgz')
    truncateSync(archive, 5000)
    expect(await keys(['kvs', 'get', '--archive', archive, ''])).to.deep.equal([])
    expect(await keys(['kvs', 'get', '--salvage', '--archive', archive, 'j'])).to.deep.equal(['job.'])
  })

  it('has no answer, and no complaint, when there is nothing to ask', async () => {
    expect(await keys(['kvs', 'get', '--store', '/nonexistent', ''])).to.deep.equal([])
    expect(await keys(['kvs', 'get', ...STORE, 'no.such.'])).to.deep.equal([])
    expect(await keys(['kvs', 'get', 'a'], { FLUX_URI: 'local:///nonexistent' })).to.deep.equal([])
  })

  it('answers however long the process took to start', async () => {
    // As long as the answer itself may take on an idle machine, and more.
    const slow = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)'
    const options = `${process.env.NODE_OPTIONS ?? ''} --import=data:text/javascript,${encodeURIComponent(slow)}`
    const env = { NODE_OPTIONS: options, FLUX_TS_COMPLETION_MS: '' }
    expect(await keys(['kvs', 'get', ...STORE, 'r'], env)).to.deep.equal(['resource.'])
  })

  it('gives up when it is late', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    expect(await keys(['kvs', 'get', 'a'], { FLUX_URI: broker.uri, FLUX_TS_COMPLETION_MS: '300' })).to.deep.equal([])
  })

  it('takes the source from the words before, as shells give them', () => {
    expect(sourceOf(['kvs', 'get', '--store=a b', '--checkpoint'])).to.deep.equal({
      '--store': 'a b',
      '--checkpoint': '',
    })
    expect(sourceOf(['kvs', 'get', '--store', '=', 'a\\ b', '-N', '"c"'])).to.deep.equal({
      '--store': 'a b',
      '-N': 'c',
    })
    expect(sourceOf(['kvs', 'get', '--store'])).to.deep.equal({})
    expect(sourceOf(['--archive', 'x', '--salvage'])).to.deep.equal({ '--archive': 'x', '--salvage': '' })
  })
})
