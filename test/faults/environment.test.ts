/** Faults of the environment that a command is started in: variables, directories, standard descriptors, limits. */
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultCase, faultMatrix, OLDER, type Scene } from '../support/fault-case.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { asNobody, CLOCK_SET_BACK, canBeNobody, canUnshare, mounting } from '../support/held-fault.ts'
import { cleanEnv, fluxTs } from '../support/processes.ts'

/** The archive in the fixture `jobs`. */
const archive = ({ store }: Scene) => join(store, 'dump.tgz')
const jobs = (scene: Scene) => ['jobs', '--archive', archive(scene)]
const restore = (scene: Scene) => ['restore', '-q', '--store', scene.outfile, archive(scene)]

const DONE = { status: 0, error: undefined, leaves: ['x.tar'] } as const
const SHOWN = { status: 0, error: undefined } as const
const showsJobs = (_: Scene, { stdout }: { stdout: Buffer }) =>
  expect(stdout.toString()).to.match(/^ +JOBID.*\n.*sleep/)

faultMatrix('dump when its environment is odd', [
  { name: 'there is no HOME', env: () => ({ HOME: undefined }), ...DONE },
  {
    name: 'there is no HOME, no TMPDIR, no PATH',
    env: () => ({ HOME: undefined, TMPDIR: undefined, PATH: undefined }),
    ...DONE,
  },
  { name: 'HOME is gone', env: ({ tmp }) => ({ HOME: join(tmp, 'gone') }), ...DONE },
  { name: 'HOME is a file', env: (scene) => ({ HOME: archive(scene) }), ...DONE },
  { name: 'TMPDIR is gone, and not needed', env: ({ tmp }) => ({ TMPDIR: join(tmp, 'gone') }), ...DONE },
  ...['C', 'xx_YY.odd', '../../etc', 'tr_TR.UTF-8'].map(
    (LC_ALL): FaultCase => ({ name: `LC_ALL and LANG are ${LC_ALL}`, env: () => ({ LC_ALL, LANG: LC_ALL }), ...DONE }),
  ),
  { name: 'TERM is dumb and COLUMNS 0', env: () => ({ TERM: 'dumb', COLUMNS: '0' }), ...DONE },
  {
    name: 'the environment has 1 MB',
    env: () => Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`BIG${i}`, 'x'.repeat(100_000)])),
    ...DONE,
  },
  {
    name: 'the clock is set back meanwhile',
    env: () => CLOCK_SET_BACK,
    ...DONE,
    check: ({ outfile }) => expect(Math.abs(statSync(outfile).mtimeMs - Date.now())).to.be.below(600_000),
  },
  {
    name: 'the clock is set back meanwhile, and all is shown',
    args: ({ store, outfile }) => ['dump', '--json', '--store', store, outfile],
    env: () => CLOCK_SET_BACK,
    ...DONE,
    check: (_, { stdout }) => expect(stdout.toString()).not.to.match(/: -\d/),
  },
])

describe('dump with a SOURCE_DATE_EPOCH that is', () => {
  for (const SOURCE_DATE_EPOCH of ['abc', '-1', '1e400', '99999999999999999999', '1.5']) {
    it(`'${SOURCE_DATE_EPOCH}' says so, and leaves the older archive`, () => {
      const dir = scratch()
      writeFileSync(join(dir, 'x.tar'), OLDER)
      const { status, stderr } = fluxTs(['dump', '--store', fixture('jobs'), join(dir, 'x.tar')], {
        env: cleanEnv({ SOURCE_DATE_EPOCH }),
      })
      expect(stderr.split('\n')[0]).to.match(/^flux-ts dump: SOURCE_DATE_EPOCH=/)
      expect(status).to.equal(2)
      expect(readdirSync(dir)).to.deep.equal(['x.tar'])
      expect(readFileSync(join(dir, 'x.tar'), 'utf8')).to.equal(OLDER)
    })
  }
})

faultMatrix('kvs ls when its environment is odd', [
  ...['0', '-1', 'abc', '99999999999'].map(
    (COLUMNS): FaultCase => ({
      name: `COLUMNS is ${COLUMNS}`,
      args: ({ store }) => ['kvs', 'ls', '--store', store],
      env: () => ({ COLUMNS }),
      ...SHOWN,
      check: (_, { stdout }) => expect(stdout.toString()).to.match(/\bjob\b/),
    }),
  ),
])

/** What a directory for temporary files can be, and what is said of it. */
const TMPDIRS: Record<string, [make: (scene: Scene) => string, error: string]> = {
  gone: [({ tmp }) => join(tmp, 'gone'), 'No such file or directory'],
  'a file': [archive, 'Not a directory'],
}
faultMatrix(
  'jobs of an archive when TMPDIR is',
  Object.entries(TMPDIRS).map(
    ([name, [make, error]]): FaultCase => ({
      name,
      args: jobs,
      env: (scene) => ({ TMPDIR: make(scene) }),
      status: 1,
      error: new RegExp(
        `^flux-ts jobs: cannot make a temporary file in /.*: ${error}; set TMPDIR to another directory$`,
      ),
    }),
  ),
)

faultMatrix('restore and dump to a pipe when TMPDIR is', [
  {
    name: 'gone: restore of a file needs none',
    args: restore,
    outfile: 'x.sqlite',
    env: ({ tmp }) => ({ TMPDIR: join(tmp, 'gone') }),
    ...SHOWN,
    leaves: ['x.sqlite'],
  },
  {
    name: 'gone: an iso to a pipe needs one',
    fixture: 'values',
    args: ({ store }) => ['dump', '-q', '--store', store, '--format', 'iso', '-'],
    env: ({ tmp }) => ({ TMPDIR: join(tmp, 'gone') }),
    status: 1,
    error: /^flux-ts dump: cannot .* in .*gone: No such file or directory; set TMPDIR to another directory$/,
    check: (_, { stdout }) => expect(stdout).to.have.length(0),
  },
])

if (canBeNobody) {
  faultMatrix('a user without rights', [
    {
      name: 'reads an archive where TMPDIR is read-only',
      args: jobs,
      through: (scene) => {
        const through = asNobody(scene)
        chmodSync(scene.tmp, 0o755)
        return through
      },
      prepare: (scene) => {
        asNobody(scene)
        chmodSync(scene.tmp, 0o755)
      },
      status: 1,
      error: /^flux-ts jobs: cannot make a temporary file in .*: Permission denied; set TMPDIR to another directory$/,
    },
    ...['dump', 'jobs', 'fsck', 'du', 'restore'].flatMap((command): FaultCase[] => {
      const args = (scene: Scene) => {
        const at = ['--store', scene.store]
        if (command === 'dump') return ['dump', '-q', ...at, scene.outfile]
        return command === 'restore' ? ['restore', '-q', ...at, archive(scene)] : [command, ...at]
      }
      const common = { args, through: asNobody, older: command === 'dump', status: 1 }
      return [
        {
          ...common,
          name: `has no right to read the store of ${command}`,
          prepare: (scene) => {
            asNobody(scene)
            chmodSync(join(scene.store, 'content.sqlite'), 0)
          },
          error: new RegExp(`^flux-ts ${command}: cannot open store /.*content.sqlite: Permission denied$`),
        },
        {
          ...common,
          name: `has no right to read the write-ahead log of ${command}`,
          prepare: (scene) => {
            asNobody(scene)
            const wal = join(scene.store, 'content.sqlite-wal')
            writeFileSync(wal, Buffer.alloc(4096))
            chmodSync(wal, 0)
          },
          error: new RegExp(
            `^flux-ts ${command}: cannot open /.*content.sqlite-wal, which holds the newest changes: Permission denied$`,
          ),
        },
      ]
    }),
    ...[7, 9].map(
      (processes): FaultCase => ({
        name: `may have ${processes} threads, with which Node.js aborts`,
        older: true,
        prepare: (scene) => void asNobody(scene),
        through: (scene) => ['prlimit', `--nproc=${processes}`, `--core=0`, ...asNobody(scene)],
        status: 'SIGABRT',
        error: undefined,
      }),
    ),
  ])
}

if (canUnshare) {
  const full = 'mount -t tmpfs -o size=8k tmpfs "$dir"'
  const readOnly = 'mount -t tmpfs -o ro tmpfs "$dir"'
  faultMatrix('where TMPDIR is a file system of its own', [
    {
      name: 'jobs of an archive says that it is full',
      args: jobs,
      through: ({ tmp }) => mounting(tmp, full),
      status: 1,
      error:
        /^flux-ts jobs: cannot write the temporary file \/.*: No space left on device; set TMPDIR to another directory$/,
    },
    {
      name: 'jobs of an archive says that it is read-only',
      args: jobs,
      through: ({ tmp }) => mounting(tmp, readOnly),
      status: 1,
      error:
        /^flux-ts jobs: cannot make a temporary file in .*: Read-only file system; set TMPDIR to another directory$/,
    },
    {
      name: 'an iso to a pipe says that it is full',
      fixture: 'values',
      args: ({ store }) => ['dump', '-q', '--store', store, '--format', 'iso', '-'],
      through: ({ tmp }) => mounting(tmp, full),
      status: 1,
      error: /^flux-ts dump: .*: No space left on device.*$/,
    },
  ])
  const bound = 'mount --bind "$dir" "$dir" && mount -o remount,bind,ro "$dir"'
  faultMatrix('a store on a read-only file system', [
    { name: 'is dumped', through: ({ store }) => mounting(store, bound), ...DONE },
    {
      name: 'has its jobs listed',
      args: ({ store }) => ['jobs', '--store', store],
      through: ({ store }) => mounting(store, bound),
      ...SHOWN,
      check: showsJobs,
    },
    {
      name: 'is checked',
      args: ({ store }) => ['fsck', '-q', '--store', store],
      through: ({ store }) => mounting(store, bound),
      ...SHOWN,
    },
    {
      name: 'is not restored to',
      args: ({ store }) => ['restore', '-q', '--store', store, join(store, 'dump.tgz')],
      through: ({ store }) => mounting(store, bound),
      status: 1,
      error: /^flux-ts restore: .*content\.sqlite: .*$/,
    },
  ])
}

const CLOSED = [
  ['closed'],
  ['ignore', 'closed'],
  ['ignore', 'pipe', 'closed'],
  ['closed', 'closed'],
  ['ignore', 'closed', 'closed'],
  ['closed', 'pipe', 'closed'],
  ['closed', 'closed', 'closed'],
] as const
const named = (stdio: readonly string[]) =>
  stdio.flatMap((way, fd) => (way === 'closed' ? [['stdin', 'stdout', 'stderr'][fd]] : [])).join(', ')
faultMatrix(
  'dump to a file when closed are',
  CLOSED.map((stdio): FaultCase => ({ name: named(stdio), stdio, ...DONE })),
)
faultMatrix(
  'dump to standard output when closed are',
  CLOSED.map((stdio): FaultCase => {
    const [, stdout, stderr] = stdio as readonly (string | undefined)[]
    const fails = stdout === 'closed'
    return {
      name: named(stdio),
      args: ({ store }) => ['dump', '-q', '--store', store, '-'],
      stdio,
      status: fails ? 1 : 0,
      error:
        fails && stderr !== 'closed' ? /^flux-ts dump: cannot write standard output: it is closed; .*$/ : undefined,
      check: (_, outcome) => expect(outcome.stdout.length > 0).to.equal(!fails),
    }
  }),
)
faultMatrix('restore from standard input', [
  {
    name: 'says that it is empty when it is closed',
    args: ({ outfile }) => ['restore', '-q', '--store', outfile, '-'],
    outfile: 'x.sqlite',
    stdio: ['closed'],
    status: 1,
    error: /^flux-ts restore: standard input: is empty, and not an archive$/,
  },
])

/** Starts the CLI by its first line, as users do, and not by Node.js. */
const byItself = (limit: string) => ['sh', '-c', `ulimit -c 0; ${limit}; shift; exec "$@"`, 'sh']
const FORMATS = ['x.tar', 'x.tgz', 'x.tar.xz', 'x.tar.bz2', 'x.tar.zst', 'x.zip', 'x.cpio', 'x.iso']

faultMatrix('a command that may open 20 files, too few for Node.js', [
  ...FORMATS.map(
    (outfile): FaultCase => ({
      name: `says so: dump to ${outfile}`,
      outfile,
      older: true,
      through: () => byItself('ulimit -n 20'),
      status: 1,
      error: /^flux-ts: Node\.js needs 30 open files, but the limit is 20; raise it \(ulimit -n\)$/,
    }),
  ),
  ...[jobs, restore].map(
    (args, i): FaultCase => ({
      name: `says so: ${['jobs', 'restore'][i]}`,
      outfile: 'x.sqlite',
      args,
      through: () => byItself('ulimit -n 20'),
      status: 1,
      error: /^flux-ts: Node\.js needs 30 open files, but the limit is 20; raise it \(ulimit -n\)$/,
    }),
  ),
  {
    name: 'fails as well when standard error is closed',
    older: true,
    through: () => byItself('exec 2>&-; ulimit -n 16'),
    error: undefined,
    status: 1,
  },
  { name: 'can do its work with 64', through: () => byItself('ulimit -n 64'), ...DONE },
])

faultMatrix('a command with little memory', [
  ...[200_000, 800_000, 1_200_000].map(
    (kib): FaultCase => ({
      name: `says so when its address space has ${kib} KiB`,
      older: true,
      through: () => byItself(`ulimit -v ${kib}`),
      status: 1,
      error: new RegExp(
        `^flux-ts: Node\\.js needs 1400000 KiB of address space, but the limit is ${kib}; raise it \\(ulimit -v\\)$`,
      ),
    }),
  ),
])

describe('a heap that is too small', () => {
  faultMatrix('which Node.js aborts with', [
    {
      name: 'leaves the older archive',
      older: true,
      through: ({ tmp }) => ['prlimit', '--core=0', 'sh', '-c', 'exec "$@" 2>"$0"', join(tmp, 'said')],
      prepare:
        ({ tmp, out, held }) =>
        () => {
          held.said = readFileSync(join(tmp, 'said'), 'utf8')
          rmSync(join(tmp, 'said'))
          // Nothing can be tidied up by an aborted process: the next one does it.
          for (const name of readdirSync(out)) if (name.endsWith('.part')) rmSync(join(out, name))
        },
      env: () => ({ NODE_OPTIONS: '--max-old-space-size=8' }),
      status: 'SIGABRT',
      error: undefined,
      check: ({ held }) => expect(held.said).to.match(/heap out of memory/),
    },
  ])
})
