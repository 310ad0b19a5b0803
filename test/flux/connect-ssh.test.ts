import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { FluxError } from '../../src/errors/index.ts'
import { Flux } from '../../src/flux/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { scratch } from '../support/fixtures.ts'
import { signalsOf } from '../support/processes.ts'

/** Stands in for `flux relay`: the last argument is the socket. */
const RELAY = `const s = require('net').connect(process.argv.at(-1)); process.stdin.pipe(s).pipe(process.stdout)`

/** A program in the place of ssh, which records its arguments and then runs `script`. */
function standIn(script: string): { program: string; args: () => string[] } {
  const dir = scratch()
  const program = join(dir, 'ssh')
  const record = join(dir, 'args')
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" > '${record}'\n${script}\n`)
  chmodSync(program, 0o755)
  return { program, args: () => readFileSync(record, 'utf8').split('\n').slice(0, -1) }
}

const relay = () => standIn(`for socket; do :; done\nexec '${process.execPath}' -e "${RELAY}" "$socket"`)

async function failure(uri: string, env: NodeJS.ProcessEnv): Promise<Error> {
  try {
    await using flux = await Flux.open(uri, { env })
    return new Error(`opened ${flux.uri}`)
  } catch (error) {
    return error as Error
  }
}

describe('flux/connect-ssh', () => {
  it('runs flux relay on the far side, with the arguments of the C connector', async () => {
    await using broker = await BrokerDouble.start()
    const { program, args } = relay()
    const path = broker.socketPath
    const env = { FLUX_SSH: program, PATH: '' }
    await using flux = await Flux.open(`ssh://me@host1:2222${path}`, { env })
    expect(await flux.rank()).to.equal(0)
    const bin = join(path, '..', 'bin')
    const far = ['env', `PATH=${bin}:/bin:/usr/bin`, 'flux', 'relay', path]
    expect(args()).to.deep.equal(['-p', '2222', 'me@host1', ...far])
  })

  it('runs FLUX_SSH_RCMD in place of flux, and passes LD_LIBRARY_PATH on', async () => {
    await using broker = await BrokerDouble.start()
    const path = broker.socketPath
    const { program, args } = relay()
    const env = { FLUX_SSH: program, FLUX_SSH_RCMD: '/opt/bin/flux' }
    {
      await using flux = await Flux.open(`ssh://host1${path}`, { env })
      expect(await flux.rank()).to.equal(0)
      expect(args()).to.deep.equal(['host1', '/opt/bin/flux', 'relay', path])
    }
    await using flux = await Flux.open(`ssh://host1${path}`, { env: { ...env, LD_LIBRARY_PATH: '/nowhere' } })
    expect(await flux.size()).to.equal(1)
    expect(args()).to.deep.equal(['host1', 'env', 'LD_LIBRARY_PATH=/nowhere', '/opt/bin/flux', 'relay', path])
  })

  it('gives the far shell a path as one word, whatever is in it', async () => {
    await using broker = await BrokerDouble.start()
    const dir = scratch()
    // As ssh does it: the words of the command are joined, and a shell takes them apart.
    const { program } = standIn('shift; exec sh -c "$*"')
    const far = join(dir, `it's;touch a`, '$(touch b)`touch c`  * "x" &')
    mkdirSync(join(far, 'bin'), { recursive: true })
    symlinkSync(broker.socketPath, join(far, 'local'))
    const flux = join(far, 'bin', 'flux')
    writeFileSync(flux, `#!/bin/sh\nexec '${process.execPath}' -e "${RELAY}" "$2"\n`)
    chmodSync(flux, 0o755)
    const before = process.cwd()
    process.chdir(dir)
    try {
      await using handle = await Flux.open(`ssh://host1${far}/local`, {
        env: { FLUX_SSH: program, PATH: '/usr/bin:/bin' },
      })
      expect(await handle.rank()).to.equal(0)
    } finally {
      process.chdir(before)
    }
    expect(readdirSync(dir)).to.have.length(1)
  })

  it('tells ssh itself where its options end', async () => {
    const { program, args } = standIn('exit 1')
    const path = `${dirname(program)}:/usr/bin:/bin`
    await failure('ssh://me@host1:2222/run/local', { PATH: path, FLUX_SSH_RCMD: 'flux' })
    expect(args()).to.deep.equal(['-p', '2222', '--', 'me@host1', 'flux', 'relay', '/run/local'])
  })

  it('takes no user or host for an option', async () => {
    const { program } = standIn('exit 1')
    const env = { PATH: dirname(program) }
    for (const authority of ['-oProxyCommand=x', '-Fx@host', 'me@-oProxyCommand=x', '-lx:22']) {
      const error = await failure(`ssh://${authority}/run/local`, env)
      expect(error.message).to.match(/neither user nor host can begin with -/)
    }
    expect(readdirSync(dirname(program))).to.deep.equal(['ssh'])
  })

  it('runs no ssh that lies in the current directory', async () => {
    const { program } = standIn('exit 1')
    const here = process.cwd()
    process.chdir(dirname(program))
    try {
      const error = await failure('ssh://host1/run/local', { PATH: ':.:/nonexistent' })
      expect(error).to.have.property('code', 'ENOENT')
      expect(error.message).to.match(/cannot run ssh: it is in no directory of PATH$/)
    } finally {
      process.chdir(here)
    }
    expect(readdirSync(dirname(program))).to.deep.equal(['ssh'])
  })

  it('signals nobody when it is called off before ssh turns out not to start', async () => {
    const signals = await signalsOf(async () => {
      const opening = Flux.open('ssh://host1/x', { env: { FLUX_SSH: '/nonexistent/ssh' }, signal: AbortSignal.abort() })
      expect(await opening.catch((error) => error)).to.include({ code: 'EINTR' })
    })
    expect(signals).to.equal(0)
  })

  it('says in one line that FLUX_SSH names nothing', async () => {
    const error = await failure('ssh://host1/run/flux/local', { FLUX_SSH: '' })
    expect(error).to.be.instanceOf(FluxError)
    expect(error.message).to.match(/^ssh:\/\/host1\/run\/flux\/local: cannot run : [^\n]+$/)
    expect(error).to.have.property('hint', 'FLUX_SSH names the program to use instead of ssh')
  })

  it('says what the far side wrote on stderr', async () => {
    const { program } = standIn('echo "Permission denied (publickey)." >&2; exit 255')
    const error = await failure('ssh://host1/run/flux/local', { FLUX_SSH: program })
    expect(error).to.have.property('code', 'ECONNREFUSED')
    expect(error.message).to.equal('ssh://host1/run/flux/local: no connection: Permission denied (publickey).')
  })

  it('tells a shell that greets on stdout, an ssh that says nothing, and one that is not there', async () => {
    const greeting = await failure('ssh://host1/s', { FLUX_SSH: standIn('echo Welcome').program })
    expect(greeting).to.include({
      code: 'EPROTO',
      message: 'ssh://host1/s: host1 wrote something else before the broker did',
      hint: 'shell start-up files there must not write to stdout when not interactive',
    })
    const silent = await failure('ssh://host1/s', { FLUX_SSH: standIn('exit 1').program })
    expect(silent).to.include({
      code: 'ECONNRESET',
      message: 'ssh://host1/s: ssh ended without a word',
      hint: 'try ssh host1 flux relay by hand',
    })
    const absent = await failure('ssh://host1/s', { FLUX_SSH: join(scratch(), 'none') })
    expect(absent).to.have.property('code', 'ENOENT')
    expect(absent.message).to.contain('cannot run')
  })
})
