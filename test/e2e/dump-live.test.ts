/** The built CLI on a live instance that something goes wrong with. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { BrokerDouble, type BrokerDoubleOptions } from '../support/broker-double.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { fluxTsAside, startFluxTs } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'

const INSTANCE: BrokerDoubleOptions = {
  content: fixture('jobs', 'content.sqlite'),
  namespaces: { primary: { rootref: expected('jobs').rootref, rootseq: 9 } },
}

/** Dump what a double serves. @returns what the CLI said, and what is in the directory of its archive afterwards */
async function dump(options: BrokerDoubleOptions, args: string[] = [], env: Record<string, string> = {}) {
  await using broker = await BrokerDouble.start({ ...INSTANCE, ...options })
  const dir = scratch()
  const result = await fluxTsAside(['dump', '-q', ...args, join(dir, 'x.tgz')], { FLUX_URI: broker.uri, ...env })
  const stderr = result.stderr.replaceAll(broker.uri, 'URI')
  return { status: result.status, stdout: result.stdout.toString(), stderr, left: readdirSync(dir), broker }
}

describe('flux-ts dump of a live instance', () => {
  it('writes what is in it', async () => {
    await using broker = await BrokerDouble.start(INSTANCE)
    const file = join(scratch(), 'x.tar')
    const { status, stdout } = await fluxTsAside(['dump', '--json', file], { FLUX_URI: broker.uri })
    const { entries, rootref } = expected('jobs')
    expect(status).to.equal(0)
    expect(JSON.parse(stdout.toString())).to.include({
      rootref,
      sequence: 9,
      namespace: 'primary',
      keyCount: entries.length,
    })
    expect(readTar(file).map(({ name }) => name)).to.have.members(entries.map(({ path }) => path))
  })

  for (const [what, code] of [
    ['the backing store is unloaded', 'ENOSYS'],
    ['the way to rank 0 is lost', 'EHOSTUNREACH'],
    ['the connection is lost', 'ECONNRESET'],
  ] as const) {
    it(`fails with --ignore-failed-read too when ${what} in mid-dump, and leaves the older archive`, async () => {
      const unloaded: string[] = []
      const errors: NonNullable<BrokerDoubleOptions['errors']> = {}
      const latency = () => {
        if (broker.requestsOf('content-backing.load').length !== 100) return 0
        if (code === 'ENOSYS') unloaded.push('content-backing')
        else if (code === 'ECONNRESET') broker.dropAll()
        else errors['content-backing.load'] = errors['content.load'] = { errnum: 113 }
        return 0
      }
      await using broker = await BrokerDouble.start({ ...INSTANCE, unloaded, errors, latency })
      const outfile = join(scratch(), 'x.tar')
      writeFileSync(outfile, 'the older one')
      const args = ['dump', '-q', '--json', '--maxreqs', '8', '--ignore-failed-read', '--uri', broker.uri, outfile]
      const { status, stdout, stderr } = await runInProcess(args)
      expect(JSON.parse(stdout.toString()).error).to.include({ code, exit: 1 })
      expect(stderr).not.to.contain('missing blobref')
      expect(status).to.equal(1)
      expect(readFileSync(outfile, 'utf8')).to.equal('the older one')
    })
  }

  it('says so when there is no backing store for --checkpoint', async () => {
    const { status, stderr, left } = await dump({ unloaded: ['content-backing'] }, ['--checkpoint'])
    expect(stderr).to.match(
      /^flux-ts dump: error fetching checkpoints: checkpoint get unavailable, no backing store; .+\n$/,
    )
    expect({ status, left }).to.deep.equal({ status: 1, left: [] })
  })

  it('says what to give when there is no instance at all', async () => {
    const dir = scratch()
    const env = { FLUX_URI: `local://${dir}/none`, FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }
    const { status, stderr } = await fluxTsAside(['dump', join(dir, 'x.tar')], env)
    expect(status).to.equal(1)
    expect(stderr).to.match(/^flux-ts dump: local:.*: broker socket .*\/none was not found; .+\n$/)
    expect(readdirSync(dir)).to.deep.equal([])
  })

  for (const args of [
    ['--store', fixture('basic'), '--uri', 'local:///x'],
    ['--store', fixture('basic'), '--maxreqs', '5'],
    ['--store', fixture('basic'), '--no-cache'],
    ['--store', fixture('basic'), '--sd-notify'],
    ['--store', fixture('basic'), '--namespace', 'x'],
    ['--checkpoint', '--namespace', 'x'],
    ['--maxreqs', '0'],
    ['--maxreqs', 'many'],
  ]) {
    it(`calls ${args.join(' ').replace(fixture('basic'), 'PATH')} wrong usage`, async () => {
      const { status, stderr } = await fluxTsAside(['dump', ...args, join(scratch(), 'x.tar')])
      expect(status).to.equal(2)
      expect(stderr).to.match(/--(store|namespace|maxreqs)|Expected an integer/)
    })
  }

  it('tells the instance how far it is with --sd-notify, and nothing without', async () => {
    const { broker } = await dump({}, ['--sd-notify'])
    const statuses = broker.requestsOf('state-machine.sd-notify').map(({ payload }) => Buffer.from(payload).toString())
    const { length } = expected('jobs').entries
    expect(statuses.at(-1)).to.equal(`{"status":"flux-dump(1) has archived ${length} keys"}\0`)
    expect((await dump({})).broker.requestsOf('state-machine.sd-notify')).to.deep.equal([])
  })

  it('runs as the shutdown script of an instance calls it', async () => {
    // The helper adds --quiet.
    const args = ['--sd-notify', '--ignore-failed-read', '--no-cache', '--maxreqs=128', '--checkpoint']
    const { status, stderr, left } = await dump({}, args)
    expect({ status, stderr, left }).to.deep.equal({ status: 0, stderr: '', left: ['x.tgz'] })
  })

  it('speaks as whoever FLUX_HANDLE_USERID and FLUX_HANDLE_ROLEMASK say', async () => {
    const { broker } = await dump({}, [], { FLUX_HANDLE_USERID: '1234', FLUX_HANDLE_ROLEMASK: '0x2' })
    for (const request of broker.requests) expect(request).to.include({ userid: 1234, rolemask: 2 })
  })

  it('stops when it is interrupted, exits with 130 and leaves nothing behind', async () => {
    await using broker = await BrokerDouble.start({ ...INSTANCE, latency: () => 50 })
    const dir = scratch()
    const older = join(dir, 'x.tar')
    writeFileSync(older, 'older')
    const { child, ended } = startFluxTs(['dump', '--maxreqs', '1', older], { FLUX_URI: broker.uri })
    while (broker.requestsOf('content-backing.load').length < 5) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGINT')
    const { status, stderr } = await ended
    expect({ status, stderr }).to.deep.equal({ status: 130, stderr: 'flux-ts dump: interrupted by SIGINT\n' })
    expect(readdirSync(dir)).to.deep.equal(['x.tar'])
  })

  for (const [after, topic] of ['attr.get', 'attr.get', 'kvs.getroot', 'content-backing.load'].entries()) {
    it(`stops when it is interrupted while the instance does not answer request ${after + 1}, ${topic}`, async () => {
      await using broker = await BrokerDouble.start({ ...INSTANCE, fault: { after: after + 1, kind: 'silence' } })
      const { child, ended } = startFluxTs(['dump', join(scratch(), 'x.tar')], { FLUX_URI: broker.uri })
      while (broker.requests.length <= after) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(broker.requests[after]).to.include({ topic })
      child.kill('SIGTERM')
      const { status, stderr } = await ended
      expect({ status, stderr: stderr.split('\n').at(-2) }).to.deep.equal({
        status: 130,
        stderr: 'flux-ts dump: interrupted by SIGTERM',
      })
    })
  }

  it('stops when it is interrupted while it waits to be let in', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    const { child, ended } = startFluxTs(['dump', join(scratch(), 'x.tar')], { FLUX_URI: broker.uri })
    while (broker.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGTERM')
    expect((await ended).status).to.equal(130)
  })
})
