import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, settings } from '@oclif/core'
import { expect } from 'chai'
import { Complaints } from '../../src/cli/index.ts'
import { sourcePackageJson } from '../../tools/source-package-json.js'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { run } from '../support/processes.ts'
import { Blobs, dir, raw, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const LOST = `sha1-${'1'.repeat(40)}`

/** Keys, each with something of its own that is wrong. */
function keys(count: number, tree: (i: number) => Tree): Record<string, Tree> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [i.toString(16).padStart(4, '0'), tree(i)]))
}

function storeOf(entries: Record<string, Tree>): string {
  const blobs = new Blobs()
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [blobs.tree(entries)])
  return path
}

describe('complaints', () => {
  it('are told ten times for each kind, then counted; all of them on request', () => {
    const told = (tellsAll: boolean) => {
      const lines: string[] = []
      const complaints = new Complaints((line) => lines.push(line))
      complaints.tellsAll = tellsAll
      for (let i = 0; i < 1500; i++) complaints.add(`a${i}`, 'missing')
      for (let i = 0; i < 10; i++) complaints.add(`b${i}`, 'altered')
      complaints.end()
      complaints.end()
      return lines
    }
    const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}`)
    expect(told(false)).to.deep.equal([
      ...numbered('a', 10),
      ...numbered('b', 10),
      'and 1,490 more like this (missing); -v shows all',
    ])
    expect(told(true)).to.deep.equal([...numbered('a', 1500), ...numbered('b', 10)])
  })

  const damaged = () => storeOf({ d: dir(keys(25, () => raw('valref', [LOST]))), whole: val('1') })
  const jobs = () =>
    storeOf({
      job: dir({ '0000': dir({ '0000': dir({ '0000': dir(keys(25, () => dir({ jobspec: val('{}') }))) }) }) }),
    })
  const records = () =>
    storeOf({
      job: dir({
        '0000': dir({ '0000': dir({ '0000': dir({ '0001': dir(keys(25, () => raw('valref', [LOST]))) }) }) }),
      }),
    })

  const CASES: [args: string[], store: () => string, status: number][] = [
    [['jobs'], jobs, 1],
    [['job', 'get', '1'], records, 1],
    [['du', '--no-verify'], damaged, 1],
    [['dump', '--quiet', '--ignore-failed-read', 'OUTFILE'], damaged, 0],
  ]
  for (const [args, store, status] of CASES) {
    it(`of ${args.join(' ')} are held back, not with -v`, async () => {
      const path = store()
      const run = (...more: string[]) => {
        const words = args.filter((arg) => !more.includes('-v') || arg !== '--quiet')
        const named = words.map((arg) => (arg === 'OUTFILE' ? join(scratch(), 'x.tar') : arg))
        return runInProcess([...named, ...more, '--store', path])
      }
      const some = await run()
      expect(some.status).to.equal(status)
      const lines = some.stderr.trimEnd().split('\n')
      expect(lines).to.have.length(11)
      expect(lines[10]).to.match(/: and 15 more like this \(.*\); -v shows all$/)
      const all = (await run('-v')).stderr
      expect(all).not.to.include('more like this')
      expect(all.split('\n').filter((line) => / missing|could not/.test(line))).to.have.length(25)
    })
  }

  it('of an archive are held back, and counted', async () => {
    const dir = scratch()
    const twice =
      'import io,sys,tarfile\nt=tarfile.open(sys.argv[1],"w")\n' +
      'for i in range(40):\n  n=tarfile.TarInfo("k%d"%(i//2)); n.size=1; t.addfile(n,io.BytesIO(b"x"))\nt.close()'
    const path = join(dir, 'twice.tar')
    run('python3', ['-c', twice, path])
    const { stdout, stderr } = await runInProcess(['archive', 'info', path])
    expect(stderr.trimEnd().split('\n')).to.have.length(11)
    expect(stderr).to.include('flux-ts archive info: and 10 more like this (duplicate); -v shows all\n')
    expect(stdout.toString()).to.match(/^warnings: +20$/m)
    expect((await runInProcess(['archive', 'info', '-v', path])).stderr.trimEnd().split('\n')).to.have.length(20)
    for (const args of [
      ['kvs', 'ls', '--archive', path],
      ['diff', path, path],
      ['restore', '--dry-run', path],
    ]) {
      const { stderr } = await runInProcess(args)
      expect(stderr.match(/appears twice/g), args.join(' ')).to.have.length(10)
      expect(stderr).to.include(' more like this (duplicate); -v shows all\n')
    }
  })

  it('of a job whose tasks wrote into files of their own are held back', async () => {
    const event = (i: number) => ({
      timestamp: 1,
      name: 'redirect',
      context: { stream: 'stdout', rank: `${i}`, path: `/out${i}` },
    })
    const output = Array.from({ length: 25 }, (_, i) => `${JSON.stringify(event(i))}\n`).join('')
    const job = dir({ eventlog: val(''), guest: dir({ output: val(output) }) })
    const store = storeOf({ job: dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': job }) }) }) }) })
    const get = async (...more: string[]) =>
      (await runInProcess(['job', 'get', '--store', store, '1', '--record', 'stdout', ...more])).stderr
        .trimEnd()
        .split('\n')
    const some = await get()
    expect(some).to.have.length(11)
    expect(some.slice(-2)).to.deep.equal([
      'flux-ts job get: stdout of the tasks went to /out9',
      'flux-ts job get: and 15 more like this (redirected); -v shows all',
    ])
    expect(await get('-v')).to.have.length(25)
  })

  it('can be told in full by every command that reads a store, an archive or an instance', async () => {
    settings.enableAutoTranspile = false
    const { commands } = await Config.load({ root, pjson: sourcePackageJson(root), ignoreManifest: true })
    const reading = commands.filter(
      ({ pluginName, flags, args }) =>
        pluginName === 'flux-ts' &&
        ['store', 'archive', 'uri', 'salvage'].some((name) => name in flags || name in args),
    )
    expect(reading.map(({ id }) => id)).to.include.members([
      'dump',
      'jobs',
      'job:get',
      'content:validate',
      'archive:info',
    ])
    const without = reading.filter(({ flags }) => flags.verbose?.char !== 'v' || flags.verbose.type !== 'boolean')
    expect(without.map(({ id }) => id)).to.deep.equal([])
  })

  it('end in a count also when the command fails', async () => {
    const store = storeOf({ a: dir(keys(12, () => val(''))), z: valref('x') })
    const { status, stderr } = await runInProcess([
      'kvs',
      'ls',
      '--store',
      store,
      ...Array.from({ length: 12 }, (_, i) => `no${i}`),
    ])
    expect(status).to.equal(1)
    expect(stderr).to.include('flux-ts kvs ls: and 2 more like this (No such file or directory); -v shows all\n')
  })
})
