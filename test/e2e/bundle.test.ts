/** The bundle, which bin/run.js runs, does what the files do that are not bundled: bin/dev.js runs those, by oclif alone. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DEV = fileURLToPath(new URL('../../bin/dev.js', import.meta.url))
const STORE = ['--store', fileURLToPath(new URL('../../examples/statedir', import.meta.url))]

/** Run a script of bin/ where a relative path of both is the same. */
function outcome(script: string, args: readonly string[]) {
  const env = cleanEnv({ COLUMNS: '80' })
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, cwd: ROOT })
  return { status, stdout: stdout.toString(), stderr: stderr.toString() }
}

describe('the bundle', () => {
  const words: string[][] = [
    [],
    ['help', '--nested-commands'],
    ['help', 'flux'],
    ['kvs', '-h'],
    ['dump', '--help'],
    ['dmup'],
    ['kvs', 'put'],
    ['nothing', '--json'],
    ['--quiet', 'dump'],
    ['dump'],
    ['kvs', 'get', 'nothing', ...STORE, '--json'],
    ['kvs:get', 'resource.R', ...STORE],
    ['flux', 'kvs', 'ls', ...STORE],
    ['completion', 'bash'],
    ['du', '--salvage', ...STORE],
  ]
  for (const args of words) {
    it(`answers as the sources do: flux-ts ${args.filter((word) => word !== STORE[1]).join(' ')}`, () => {
      expect(outcome(CLI, args)).to.deep.equal(outcome(DEV, args))
    })
  }

  it('has each file that a thread runs or loads', () => {
    const places = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' }).flatMap((name) => {
      const text = name.endsWith('.js') ? readFileSync(join(ROOT, 'dist', name), 'utf8') : ''
      return [...text.matchAll(/moduleBeside\('(\.[^']+)'/g)].map(([, beside]) => join(name, '..', `${beside}.js`))
    })
    expect(places).to.include(join('content', 'sqlite', 'pages', 'reader.js'))
    for (const place of places) expect(existsSync(join(ROOT, 'bundle', place)), place).to.equal(true)
  })

  it('names sources in traces, with their lines', () => {
    const { stderr } = fluxTs(['dump', 'kvs.nothing', ...STORE], { env: cleanEnv({ DEBUG: '1' }) })
    expect(stderr).to.match(/^ +at checkOutput \(.*src\/commands\/dump\.ts:\d+:\d+\)$/m)
    expect(stderr).to.match(/^ +at .*src\/cli\/run\.ts:\d+:\d+\)$/m)
  })

  /** The files that a command loads. */
  function loadedBy(args: readonly string[]): { files: string[] } {
    const code = `import { registerHooks } from 'node:module'
const files = []
registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) })
process.on('exit', () => process._rawDebug(JSON.stringify(files)))`
    const hook = `data:text/javascript,${encodeURIComponent(code)}`
    const { status, stderr } = spawnSync(process.execPath, ['--import', hook, CLI, ...args], { env: cleanEnv() })
    expect(status, stderr.toString()).to.equal(0)
    const files: string[] = JSON.parse(stderr.toString().trimEnd().split('\n').at(-1) as string)
    return { files: files.filter((url) => url.startsWith('file:')) }
  }

  it('is few files for a short command, and no other file of the package', () => {
    const { files } = loadedBy(['kvs', 'get', 'resource.R', ...STORE])
    expect(files.length).to.be.lessThan(19)
    for (const file of files) expect(file).to.match(/\/bin\/run\.js$|\/bundle\/.*\.js$/)
  })

  it('does not load listr2 where there is no terminal', () => {
    const { files } = loadedBy(['dump', ...STORE, join(scratch(), 'x.tar')])
    expect(files.filter((file) => /live-tasks|node_modules/.test(file))).to.deep.equal([])
    expect(files.length).to.be.lessThan(25)
  })

  it('does not load oclif to complete a key or a job id', () => {
    for (const [word, most] of [
      ['__complete', 12],
      ['__complete_jobs', 16],
    ] as const) {
      const { files } = loadedBy([word, 'kvs', 'get', ...STORE, ''])
      expect(files.length, word).to.be.lessThan(most)
      for (const file of files) expect(readFileSync(new URL(file), 'utf8'), file).not.to.include('@oclif/core')
    }
  })
})
