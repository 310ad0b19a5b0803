/**
 * Memory that cannot be had. What ends a thread, or fails a call, is one line of error. When V8 ends the process, nothing may
 * have the final name, and the same command, run again, takes away what is left.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultCase, faultMatrix, OLDER, type Scene } from '../support/fault-case.ts'
import { type FaultPoint, NO_ROOM_FOR_THREADS, variablesOf } from '../support/fault-points.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs, has } from '../support/processes.ts'

const STORE = fixture('jobs')
const HEAP_FULL = 'its thread failed: its heap is full; NODE_OPTIONS=--max-old-space-size=MIB gives it more'

/** Commands whose work in a thread lacks memory at a point, and the name of what they make. */
const THREADS: Record<string, [point: FaultPoint, outfile: string, args: (scene: Scene) => string[], error?: string]> =
  {
    'a dump to a directory': [
      { call: 'writeSync', on: /\.part/, lacks: 'heap' },
      'x',
      ({ store, outfile }) => ['dump', '-q', '--store', store, `${outfile}/`],
    ],
    'a dump of content.files': [
      { call: 'openSync', on: /content\.files/, lacks: 'heap' },
      'x.tar',
      ({ outfile }) => ['dump', '-q', '--store', fixture('files'), outfile],
      // It starts later than it is asked to work.
      `(${HEAP_FULL}|cannot start a thread to work on it: Cannot allocate memory; .*)`,
    ],
    'a restore that commits': [
      { call: 'exec', on: /^COMMIT/, lacks: 'heap' },
      'x.sqlite',
      ({ store, outfile }) => ['restore', '-q', '--store', outfile, join(store, 'dump.tgz')],
    ],
    'a restore into the store itself': [
      { call: 'exec', on: /^COMMIT/, lacks: 'heap' },
      'x.sqlite',
      ({ store }) => ['restore', '-q', '--store', store, fixture('jobs', 'dump.tgz')],
    ],
    'a compact copy': [
      { call: 'exec', on: /^COMMIT/, lacks: 'heap' },
      'x.sqlite',
      ({ store, outfile }) => ['content', 'compact', '-q', '--store', store, outfile],
    ],
    'a rescue': [
      { call: 'exec', on: /^COMMIT/, lacks: 'heap' },
      'x',
      ({ store, outfile }) => ['rescue', '-q', '--store', store, '--out', outfile],
    ],
  }

faultMatrix(
  'a thread whose heap is full, in',
  Object.entries(THREADS).map(
    ([name, [at, outfile, args, error = HEAP_FULL]]): FaultCase => ({
      name,
      outfile,
      older: outfile === 'x.tar',
      at,
      args,
      storeChanges: name === 'a restore into the store itself',
      status: 1,
      error: new RegExp(`^flux-ts [a-z ]+: .+: ${error}$`),
      check: ({ store }) => {
        if (name === 'a restore into the store itself')
          expect(fluxTs(['fsck', '-q', '--all', '--store', store]).status).to.equal(0)
      },
    }),
  ),
)

/** Commands that the process does not survive, and the names of the files that they make. */
const PROCESSES: Record<string, [point: FaultPoint, output: string, args: (path: string) => string[]]> = {
  ...Object.fromEntries(
    ['x.tar', 'x.tgz', 'x.zip', 'x.iso', 'x.cpio'].map((name) => [
      `a dump that writes ${name}`,
      [{ call: 'write', on: /\.part$/ }, name, (path: string) => ['dump', '-q', '--store', STORE, path]],
    ]),
  ),
  'a dump that names its archive': [
    { call: 'renameSync', on: /\.part$/ },
    'x.tar',
    (path) => ['dump', '-q', '--store', STORE, path],
  ],
  'a compact copy that is complete': [
    { call: 'linkSync', on: /\.part$/ },
    'x.sqlite',
    (path) => ['content', 'compact', '-q', '--store', STORE, path],
  ],
  ...Object.fromEntries(
    ['csv', 'ndjson', 'parquet', 'sqlite'].map((format) => [
      `an export of jobs to ${format}`,
      [
        { call: 'linkSync', on: /\.part$/ },
        `x.${format}`,
        (path: string) => ['jobs', 'export', '--quiet', '--store', STORE, path],
      ],
    ]),
  ),
  'a report': [{ call: 'write', on: /\.part$/ }, 'x.html', (path) => ['report', '--store', STORE, path]],
}

/** A scene for {@link PROCESSES}, with an older file where one may be replaced. */
function prepared(output: string) {
  const base = scratch()
  const out = join(base, 'out')
  const tmp = join(base, 'tmp')
  for (const dir of [out, tmp]) mkdirSync(dir)
  const path = join(out, output)
  const older = /\.(tar|tgz|zip|iso|cpio)$/.test(output)
  if (older) writeFileSync(path, OLDER)
  return { out, tmp, path, older }
}

/** Run the CLI where it lacks memory at a point. No core file is left. */
function lacking(args: readonly string[], tmp: string, point: FaultPoint, options = '') {
  const variables = variablesOf(point, tmp)
  const env = cleanEnv({ ...variables, TMPDIR: tmp, NODE_OPTIONS: `${variables.NODE_OPTIONS} ${options}` })
  const command = ['--core=0', process.execPath, CLI, ...args]
  return spawnSync('prlimit', command, { env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' })
}

/** Nothing incomplete has the name, and the same command makes a whole file and takes away what is left. */
function leavesNothing(
  { out, tmp, path, older }: ReturnType<typeof prepared>,
  args: readonly string[],
  output: string,
) {
  if (older) expect(readFileSync(path, 'utf8')).to.equal(OLDER)
  else expect(existsSync(path)).to.equal(false)
  expect(readdirSync(tmp)).to.deep.equal([])
  const again = fluxTs(args)
  expect(again.stderr).to.equal('')
  expect(again.status).to.equal(0)
  expect(readdirSync(out)).to.deep.equal([output])
}

if (has('prlimit')) {
  describe('a process whose heap is full, so that V8 ends it, leaves nothing under the name of', () => {
    for (const [name, [point, output, args]] of Object.entries(PROCESSES)) {
      it(name, () => {
        const scene = prepared(output)
        const ended = lacking(args(scene.path), scene.tmp, { ...point, lacks: 'heap' }, '--max-old-space-size=32')
        expect(ended.stderr).to.match(/heap out of memory/)
        expect(ended.signal).to.equal('SIGABRT')
        leavesNothing(scene, args(scene.path), output)
      })
    }
  })

  /** What the process gets at a point is all that it ever gets. Some work can be done with that. */
  const SPACES: Record<string, [point: FaultPoint, output: string, args: (path: string) => string[]]> = {
    'a dump': [{ call: 'openSync', on: /\.part$/ }, 'x.tar', (path) => ['dump', '-q', '--store', STORE, path]],
    'a dump to a zip': [{ call: 'openSync', on: /\.part$/ }, 'x.zip', (path) => ['dump', '-q', '--store', STORE, path]],
    'a dump to a directory': [
      { call: 'mkdirSync', on: /\.part$/ },
      'x',
      (path) => ['dump', '-q', '--store', STORE, `${path}/`],
    ],
    'a restore': [
      { call: 'openSync', on: /\.tgz$/ },
      'x.sqlite',
      (path) => ['restore', '-q', '--store', path, fixture('jobs', 'dump.tgz')],
    ],
    'an export of jobs': [
      { call: 'openSync', on: /\.part$/ },
      'x.csv',
      (path) => ['jobs', 'export', '--quiet', '--store', STORE, path],
    ],
  }
  describe('a process that gets no more address space', () => {
    for (const [name, [point, output, args]] of Object.entries(SPACES)) {
      it(`ends with a line, or leaves nothing under its name: ${name}`, () => {
        const scene = prepared(output)
        const ended = lacking(args(scene.path), scene.tmp, { ...point, lacks: 'space' })
        if (ended.status === 0) return void expect(readdirSync(scene.out)).to.deep.equal([output])
        if (ended.status === 1) expect(ended.stderr).to.match(/^flux-ts [a-z ]+: .*(memory|Resource temporarily).*\n$/)
        else expect(ended.signal).to.be.oneOf(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV'])
        leavesNothing(scene, args(scene.path), output)
      })
    }
  })

  const NO_THREAD =
    'cannot start a thread to work on it: Cannot allocate memory; raise the limit on memory \\(ulimit -v\\)'
  faultMatrix('an address space in which a thread has no room, for', [
    ...(
      [
        ['a dump to a zip', 'x.zip', ({ store, outfile }) => ['dump', '-q', '--store', store, outfile]],
        [
          'a restore',
          'x.sqlite',
          ({ store, outfile }) => ['restore', '-q', '--store', outfile, join(store, 'dump.tgz')],
        ],
        ['a rescue', 'x', ({ store, outfile }) => ['rescue', '-q', '--store', store, '--out', outfile]],
        ['a dump of content.files', 'x.tar', ({ outfile }) => ['dump', '-q', '--store', fixture('files'), outfile]],
      ] satisfies [string, string, (scene: Scene) => string[]][]
    ).map(
      ([name, outfile, args]): FaultCase => ({
        name,
        outfile,
        older: outfile === 'x.zip' || outfile === 'x.tar',
        through: () => ['prlimit', '--core=0'],
        env: () => NO_ROOM_FOR_THREADS,
        args,
        status: 1,
        error: new RegExp(`^flux-ts [a-z]+: .+: ${NO_THREAD}$`),
      }),
    ),
  ])
}
