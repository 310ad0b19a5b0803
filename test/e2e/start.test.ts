/** What happens before a command begins: where Node.js keeps compiled code, and what is taken from the user's home. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, type Outcome, runAside } from '../support/processes.ts'

/** A user that no system has. */
const NOBODY_KNOWN = 12345

const isRoot = process.getuid?.() === 0

/** The environment of a person, but for what says where things are kept. */
function bareEnv(extra: Record<string, string>): Record<string, string> {
  const env = cleanEnv()
  for (const name of Object.keys(env)) if (/^(HOME|SHELL|TMPDIR|XDG_|NODE_)/.test(name)) delete env[name]
  return { ...env, ...extra }
}

/** Run the CLI with nothing in its environment but what is said. */
function start(
  env: Record<string, string>,
  args: readonly string[] = ['completion', 'bash'],
  by: readonly string[] = [],
) {
  const [command, ...rest] = [...by, 'env', '-i', ...pairs(bareEnv(env)), process.execPath, CLI, ...args]
  return runAside(command as string, rest)
}

function pairs(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

function expectOutput({ status, stdout, stderr }: Outcome): void {
  expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
  expect(stdout.toString()).to.include('flux-ts')
}

describe('the compile cache', () => {
  let home: string
  let tmp: string
  beforeEach(() => {
    home = scratch()
    tmp = scratch()
  })
  const cached = (dir: string) => existsSync(dir) && readdirSync(dir).some((name) => name.startsWith('v'))

  it('lies in the cache directory of the user, which nobody else can enter, and not in the temporary one', async () => {
    expectOutput(await start({ HOME: home, TMPDIR: tmp }))
    const dir = join(home, '.cache/flux-ts')
    expect(cached(dir)).to.equal(true)
    expect(statSync(dir).mode & 0o777).to.equal(0o700)
    expect(readdirSync(tmp)).to.deep.equal([])
  })

  it('keeps the code of threads too', async () => {
    const args = ['content', 'validate', '--store', fixture('jobs', 'content.sqlite')]
    const { status, stderr } = await start({ HOME: home, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }, args)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/\[compile cache\] .*bundle\/content\/reader-thread\.js/)
  })

  it('lies in XDG_CACHE_HOME where that is set, unless it is relative', async () => {
    const xdg = join(scratch(), 'cache')
    expectOutput(await start({ HOME: home, XDG_CACHE_HOME: xdg }))
    expect(cached(join(xdg, 'flux-ts'))).to.equal(true)
    expect(readdirSync(home)).to.deep.equal([])
    expectOutput(await start({ HOME: home, XDG_CACHE_HOME: 'cache' }))
    expect(cached(join(home, '.cache/flux-ts'))).to.equal(true)
  })

  const makeCache = (mode = 0o700) => {
    const dir = join(home, '.cache/flux-ts')
    mkdirSync(dir, { recursive: true })
    chmodSync(dir, mode)
    return dir
  }
  const unsafe: Record<string, () => string> = {
    'another user owns it': () => {
      const dir = makeCache()
      chownSync(dir, NOBODY_KNOWN, NOBODY_KNOWN)
      return dir
    },
    'its group can write to it': () => makeCache(0o770),
    'everybody can write to it': () => makeCache(0o707),
    'it is a link': () => {
      const target = scratch()
      mkdirSync(join(home, '.cache'))
      symlinkSync(target, join(home, '.cache/flux-ts'))
      return target
    },
    'everybody can write to the directory that it is in': () => {
      const dir = makeCache()
      chmodSync(join(home, '.cache'), 0o777)
      return dir
    },
    'everybody can write to that directory, though it is sticky': () => {
      const dir = makeCache()
      chmodSync(join(home, '.cache'), 0o1777)
      return dir
    },
    'everybody can write to one further up': () => {
      chmodSync(home, 0o777)
      return makeCache()
    },
    'another user owns the home directory, as with sudo': () => {
      chownSync(home, NOBODY_KNOWN, NOBODY_KNOWN)
      return join(home, '.cache/flux-ts')
    },
  }
  for (const [what, prepare] of Object.entries(unsafe)) {
    it(`is not used when ${what}`, async function () {
      if (what.startsWith('another') && !isRoot) this.skip()
      const dir = prepare()
      expectOutput(await start({ HOME: home, TMPDIR: tmp }))
      expect(cached(dir)).to.equal(false)
      expect(readdirSync(tmp)).to.deep.equal([])
    })
  }

  it('makes nothing in the home of another user', async function () {
    if (!isRoot) this.skip()
    chownSync(home, NOBODY_KNOWN, NOBODY_KNOWN)
    expectOutput(await start({ HOME: home }))
    expect(readdirSync(home)).to.deep.equal([])
  })

  it('is not missed where there is no place for it', async () => {
    expectOutput(await start({}))
    expectOutput(await start({ HOME: '' }))
    expectOutput(await start({ HOME: '.' }))
    expectOutput(await start({ HOME: '/proc' }))
    const missing = join(home, 'missing')
    expectOutput(await start({ HOME: missing }))
    expect(existsSync(missing)).to.equal(false)
  })

  it('leaves alone what TMPDIR names, be it missing, or a place where nothing can be made', async () => {
    const missing = join(tmp, 'missing')
    expectOutput(await start({ TMPDIR: missing }))
    expect(existsSync(missing)).to.equal(false)
    expectOutput(await start({ TMPDIR: '/proc' }))
  })

  it('is where NODE_COMPILE_CACHE says, and nowhere with NODE_DISABLE_COMPILE_CACHE', async () => {
    const own = scratch()
    expectOutput(await start({ HOME: home, NODE_COMPILE_CACHE: own }))
    expect(cached(own)).to.equal(true)
    expectOutput(await start({ HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' }))
    expect(readdirSync(home)).to.deep.equal([])
  })
})

describe('a home directory', () => {
  const list = ['kvs', 'ls', '--store', fixture('basic')]
  const expectKeys = ({ status, stdout, stderr }: Outcome) => {
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout.toString()).not.to.equal('')
  }

  for (const home of ['/nonexistent', '/dev/null', '/proc/1/root', '']) {
    it(`is not needed: HOME=${home}`, async () => {
      expectKeys(await start({ HOME: home }, list))
    })
  }

  it('is not needed by a user without an entry in the user database', async function () {
    if (!isRoot) this.skip()
    const by = ['setpriv', '--reuid', String(NOBODY_KNOWN), '--regid', String(NOBODY_KNOWN), '--clear-groups', '--']
    // The project may lie where this user cannot look.
    const [command, ...rest] = [...by, 'test', '-r', CLI]
    if ((await runAside(command as string, rest)).status !== 0) this.skip()
    const env = { FLUX_URI: 'local:///nonexistent' }
    expectOutput(await start({}, ['--version'], by))
    expectKeys(await start({}, list, by))
    expectKeys(await start({ HOME: '/proc/1/root' }, list, by))
    const { status, stdout, stderr } = await start(env, ['__complete', '--store', '~/x', ''], by)
    expect({ status, stderr, stdout: stdout.toString() }).to.deep.equal({ status: 0, stderr: '', stdout: '' })
  })

  for (const variable of ['HOME', 'XDG_DATA_HOME']) {
    it(`has no plugins that are loaded: ${variable}`, async () => {
      const dir = scratch()
      const data = join(dir, variable === 'HOME' ? '.local/share/flux-ts' : 'flux-ts')
      const plugin = join(data, 'node_modules/planted')
      const ran = join(dir, 'ran')
      mkdirSync(plugin, { recursive: true })
      const write = (file: string, value: object) => writeFileSync(file, JSON.stringify(value))
      write(join(data, 'package.json'), {
        dependencies: { planted: '*' },
        oclif: { schema: 1, plugins: [{ name: 'planted', type: 'user' }] },
      })
      const hooks = { init: './init.js' }
      write(join(plugin, 'package.json'), { name: 'planted', version: '1.0.0', type: 'module', oclif: { hooks } })
      const init = `import { writeFileSync } from 'node:fs'\nexport default () => writeFileSync(${JSON.stringify(ran)}, '')\n`
      writeFileSync(join(plugin, 'init.js'), init)
      expectKeys(await start({ [variable]: dir }, list))
      expect(existsSync(ran)).to.equal(false)
    })
  }
})
