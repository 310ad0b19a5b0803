/** The built CLI restoring to a live instance, and nowhere. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { makeTree } from '../support/archives.ts'
import { BrokerDouble, type BrokerDoubleOptions } from '../support/broker-double.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, cleanEnv, fluxTsAside, run, startFluxTs } from '../support/processes.ts'

const ARCHIVE = fixture('jobs', 'dump.tgz')
const RESTORED = JSON.parse(readFileSync(fixture('jobs', 'restored.json'), 'utf8')) as {
  'dump.tgz': { sha1: { rootref: string; stderr: string[]; checkpoint: { timestamp: number } } }
}
const { rootref, stderr: SAID, checkpoint: CHECKPOINT } = RESTORED['dump.tgz'].sha1
const PRIMARY = { primary: { rootref: `sha1-${'1'.repeat(40)}` } }

async function restore(args: string[], options: BrokerDoubleOptions = {}) {
  await using broker = await BrokerDouble.start({ content: new Map(), namespaces: PRIMARY, ...options })
  const { status, stdout, stderr } = await fluxTsAside(['restore', ...args], { FLUX_URI: broker.uri })
  const topics = broker.requests.map(({ topic }) => topic)
  const payload = (topic: string) => Buffer.from(broker.requestsOf(topic).at(-1)?.payload ?? []).toString()
  return { status, stdout: stdout.toString(), stderr, broker, topics, payload }
}

describe('flux-ts restore', () => {
  it('says of a dry run what it would do', async () => {
    const { status, stderr } = await runInProcess(['restore', '--dry-run', ARCHIVE])
    expect(status).to.equal(0)
    const [count, what] = stderr.trimEnd().split('\n').slice(-2)
    expect(count).to.match(/^flux-ts restore: would restore \d+ keys \(\d+ blobs\)$/)
    expect(what).to.equal(`flux-ts restore: would write snapshot ${rootref}`)
    expect(stderr).not.to.include('restored')
  })

  it('stores everything, makes a key of the root, and has the cache flushed', async () => {
    const { status, stderr, topics, payload, broker } = await restore(['--key', 'restored.here', ARCHIVE])
    expect({ status, stderr }).to.deep.equal({
      status: 0,
      stderr: `${SAID[0]?.replace('flux-restore', 'flux-ts restore')}\nflux-ts restore: writing snapshot ${rootref.slice(0, 13)} to KVS key 'restored.here'\n`,
    })
    const dirent = { ver: 1, type: 'dirref', data: [rootref] }
    expect(JSON.parse(payload('kvs.commit').replace('\0', ''))).to.deep.equal({
      namespace: 'primary',
      flags: 0,
      ops: [{ key: 'restored.here', flags: 0, dirent }],
    })
    expect(topics.slice(-2)).to.deep.equal(['kvs.commit', 'content.flush'])
    expect(broker.requestsOf('content.flush')[0]).to.include({ nodeid: 0 })
    expect(broker.maxInFlight).to.be.at.most(256)
  })

  it('writes a checkpoint whose time is a real number, when the KVS is not loaded', async () => {
    const { status, payload, stderr } = await restore(['--checkpoint', ARCHIVE], { unloaded: ['kvs'] })
    expect(status).to.equal(0)
    expect(stderr.split('\n')[1]).to.equal(SAID[1]?.replace('flux-restore', 'flux-ts restore'))
    expect(payload('content.checkpoint-put')).to.equal(
      `{"key":"kvs-primary","value":{"version":1,"rootref":"${rootref}","sequence":0,"timestamp":${CHECKPOINT.timestamp}.0}}\0`,
    )
  })

  it('refuses --checkpoint while the KVS is loaded, before anything is stored', async () => {
    const { status, stderr, topics } = await restore(['--checkpoint', ARCHIVE])
    expect({ status, stderr }).to.deep.equal({
      status: 1,
      stderr: 'flux-ts restore: please unload kvs module before using --checkpoint\n',
    })
    expect(topics.filter((topic) => topic.endsWith('.store'))).to.be.empty
  })

  it('bypasses the cache with --no-cache, and leaves it unflushed', async () => {
    const { status, topics } = await restore(['-q', '--no-cache', '--checkpoint', ARCHIVE], { unloaded: ['kvs'] })
    expect(status).to.equal(0)
    const used = new Set(topics.filter((topic) => topic.startsWith('content')))
    expect([...used]).to.deep.equal(['content-backing.store', 'content-backing.checkpoint-put'])
  })

  for (const maxreqs of [1, 7]) {
    it(`keeps at most ${maxreqs} requests in flight with --maxreqs ${maxreqs}, and gives the same root`, async () => {
      const { status, stdout, broker } = await restore(
        ['--json', '--key', 'x', '--maxreqs', String(maxreqs), ARCHIVE],
        {
          latency: () => (maxreqs === 1 ? 0 : 1),
        },
      )
      expect(status).to.equal(0)
      expect(JSON.parse(stdout)).to.include({ rootref, target: "KVS key 'x'", format: 'tar', filter: 'gzip' })
      expect(broker.maxInFlight).to.equal(maxreqs)
    })
  }

  for (const [what, tried, options] of [
    ['there is no backing store', [1, 9], { unloaded: ['content-backing'] }],
    ['the backing store is not for this user', [1, 9], { errors: { 'content-backing.store': { errnum: 1 } } }],
    ['the broker is not of rank 0', [0, 0], { attributes: { rank: '3' } }],
  ] satisfies [string, [number, number], BrokerDoubleOptions][]) {
    it(`gives the blobs to the cache when ${what}`, async () => {
      const { status, stdout, topics } = await restore(['--json', '--maxreqs', '9', '--key', 'x', ARCHIVE], options)
      expect(status).to.equal(0)
      expect(JSON.parse(stdout)).to.include({ rootref })
      expect(topics.filter((topic) => topic === 'content.store').length).to.be.greaterThan(50)
      expect(topics.filter((topic) => topic === 'content-backing.store').length).to.be.within(...tried)
    })
  }

  it('leaves it to the cache, which has a limit, whether it takes a blob of more than 1 MiB', async () => {
    const tree = scratch()
    const small = Buffer.alloc(1 << 20, 'a')
    const large = Buffer.alloc((1 << 20) + 1, 'a')
    makeTree(tree, { small, large })
    const { status, broker } = await restore(['-q', '--key', 'x', tree])
    expect(status).to.equal(0)
    const sizes = (topic: string) => broker.requestsOf(topic).map(({ payload }) => payload.length)
    expect(sizes('content.store')).to.deep.equal([large.length])
    expect(sizes('content-backing.store')).to.include(small.length)
    const errors = { 'content.store': { errnum: 27, text: 'File too large' } }
    const refused = await restore(['-q', '--key', 'x', tree], { errors })
    expect(refused).to.include({ status: 1, stderr: 'flux-ts restore: error storing blob: File too large\n' })
  })

  it('commits nothing when the store refuses, and says what it said', async () => {
    const errors = { 'content-backing.store': { errnum: 28, text: 'No space left on device' } }
    const { status, stderr, topics } = await restore(['-q', '--key', 'x', ARCHIVE], { errors })
    expect({ status, stderr }).to.deep.equal({
      status: 1,
      stderr: 'flux-ts restore: error storing blob: No space left on device\n',
    })
    expect(topics).not.to.include('kvs.commit')
  })

  it('commits nothing when the connection is lost', async () => {
    const { status, stderr, topics } = await restore(['-q', '--key', 'x', ARCHIVE], {
      fault: { after: 100, kind: 'drop' },
    })
    expect(status).to.equal(1)
    expect(stderr).to.match(/^flux-ts restore: .*\n$/)
    expect(topics).not.to.include('kvs.commit')
  })

  it('stops when it is interrupted while the instance does not answer', async () => {
    const fault = { after: 100, kind: 'silence' } as const
    await using broker = await BrokerDouble.start({ content: new Map(), namespaces: PRIMARY, fault })
    const { child, ended } = startFluxTs(['restore', '-q', '--key', 'x', ARCHIVE], { FLUX_URI: broker.uri })
    while (broker.requests.length < 100) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGTERM')
    const { status, stderr } = await ended
    expect({ status, stderr }).to.deep.equal({ status: 130, stderr: 'flux-ts restore: interrupted by SIGTERM\n' })
    expect(broker.requestsOf('kvs.commit')).to.deep.equal([])
  })

  it('says so when the cache cannot be flushed, but has restored', async () => {
    const errors = { 'content.flush': { errnum: 38 } }
    const { status, stderr } = await restore(['-q', '--key', 'x', ARCHIVE], { errors })
    expect({ status, stderr }).to.deep.equal({
      status: 0,
      stderr: 'flux-ts restore: error flushing content cache: Function not implemented\n',
    })
  })

  it('says what to load when there is no backing store or no KVS', async () => {
    const noStore = await restore(['-q', '--checkpoint', ARCHIVE], { unloaded: ['kvs', 'content-backing'] })
    expect(noStore.stderr).to.match(
      /^flux-ts restore: error updating checkpoint: checkpoint put unavailable, no backing store; .+\n$/,
    )
    const noKvs = await restore(['-q', '--key', 'x', ARCHIVE], { unloaded: ['kvs'] })
    expect(noKvs.stderr).to.match(
      /^flux-ts restore: error updating x: No service matching kvs\.commit is registered; .*--checkpoint.*\n$/,
    )
    expect([noStore.status, noKvs.status]).to.deep.equal([1, 1])
  })

  it('runs as the start script of an instance calls it', async () => {
    const args = ['--sd-notify', '--quiet', '--checkpoint', '--size-limit=100M', ARCHIVE]
    const { status, stderr, payload } = await restore(args, { unloaded: ['kvs'] })
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(payload('state-machine.sd-notify')).to.match(/^\{"status":"flux-restore\(1\) has restored \d+ keys"\}\0$/)
  })

  it('lists what it restores with --verbose, and skips what is too large in the words of the C tool', async () => {
    const { stderr } = await restore(['-v', '--key', 'x', '--size-limit', '0.5k', fixture('basic', 'dump.tar')])
    expect(stderr).to.match(/^[^\n]* size \d+ exceeds 512 limit, skipping$/m)
    expect(stderr).to.match(/^[^\n ]+ -> [^\n]+$/m)
    expect(stderr).not.to.include('restored')
  })

  it('reads from a pipe', () => {
    const script = `cat '${ARCHIVE}' | '${process.execPath}' '${CLI}' restore --dry-run --json - | cat`
    const result = JSON.parse(run('env', ['-i', `PATH=${cleanEnv().PATH}`, 'sh', '-c', script]).toString())
    expect(result).to.include({ rootref, target: 'nowhere' })
  })

  const WRONG: [args: string[], words: RegExp][] = [
    [[ARCHIVE], /Please specify a restore target with --checkpoint or --key/],
    [['--key', '.', ARCHIVE], /error updating \.: Invalid argument/],
    [['--key', 'x', '--size-limit', 'abc', ARCHIVE], /invalid argument for option 'size-limit': abc: Invalid argument/],
    [['--key', 'x', '--maxreqs', '0', ARCHIVE], /maxreqs/],
    [['--key', 'x', '--checkpoint', ARCHIVE], /--checkpoint.*--key|--key.*--checkpoint/s],
    [['--key', 'x', '--store', 'y', ARCHIVE], /--store.*--key|--key.*--store/s],
    [['--key', 'x', '--hash', 'sha1', ARCHIVE], /--hash is for --store and --dry-run/],
    [['--key', 'x'], /missing INFILE/],
  ]
  for (const [args, words] of WRONG) {
    it(`calls ${args.join(' ').replace(ARCHIVE, 'INFILE')} wrong usage`, async () => {
      const { status, stderr } = await restore(args)
      expect(status).to.equal(2)
      expect(stderr).to.match(words)
    })
  }

  it('says what to give when there is no instance at all', async () => {
    const env = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }
    const { status, stderr } = await fluxTsAside(['restore', '--key', 'x', ARCHIVE], env)
    expect(status).to.equal(1)
    expect(stderr).to.match(/name one with --uri or FLUX_URI, or a store on disk to be written with --store PATH\n$/)
  })

  it('says that the archive is not there before it says anything of the target', async () => {
    const { status, stderr } = await fluxTsAside(['restore', '--dry-run', '/nonexistent/x.tar'])
    expect(status).to.equal(1)
    expect(stderr).to.match(/^flux-ts restore: .*\/nonexistent\/x\.tar.*No such file or directory\n$/)
  })
})
