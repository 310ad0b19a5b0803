/** OUTFILE is something else than a new file: what stands there already, or what becomes of it while the archive is made. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { canMount, type FaultCase, faultMatrix, OLDER, type Scene } from '../support/fault-case.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { fixture } from '../support/fixtures.ts'
import { fluxTs, has, run } from '../support/processes.ts'

const BEFORE_NAME: FaultPoint = { call: 'renameSync', on: /\.part$/ }
const BEFORE_BYTES: FaultPoint = { call: 'write', on: /\.part$/ }

/** Do something before the command, and undo nothing. */
function first(work: (scene: Scene) => void): NonNullable<FaultCase['prepare']> {
  return (scene) => {
    work(scene)
    return undefined
  }
}

/** Arguments of a dump. @param name - of OUTFILE in its directory, or an absolute path */
function dumpTo(name: string, ...options: string[]): NonNullable<FaultCase['args']> {
  return ({ store, out }) => [
    'dump',
    '-q',
    '--store',
    store,
    ...options,
    resolve(out, name) + (name.endsWith('/') ? '/' : ''),
  ]
}

/** The archive is whole, and that of the store. */
function isWhole(path: (scene: Scene) => string): NonNullable<FaultCase['check']> {
  return (scene) => {
    expect(fluxTs(['archive', 'verify', path(scene), '--store', scene.store]).stderr).to.equal('')
  }
}

const links: FaultCase[] = [
  {
    name: 'a link to a file that is there: the file is replaced, the link stays',
    prepare: first(({ out, outfile }) => {
      writeFileSync(join(out, 'real.tar'), OLDER)
      symlinkSync('real.tar', outfile)
    }),
    status: 0,
    error: undefined,
    leaves: ['real.tar', 'x.tar'],
    check: (scene, outcome) => {
      expect(readlinkSync(scene.outfile)).to.equal('real.tar')
      isWhole(({ out }) => join(out, 'real.tar'))(scene, outcome)
    },
  },
  {
    name: 'a link to a file that is there, when the archive cannot be written: the file is whole',
    prepare: first(({ out, outfile }) => {
      writeFileSync(join(out, 'real.tar'), OLDER)
      symlinkSync('real.tar', outfile)
    }),
    at: { call: 'write', on: /\.part$/, fails: 'ENOSPC' },
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: No space left on device; make room, .*$/,
  },
  {
    name: 'a dangling link: the file is made',
    prepare: first(({ outfile }) => symlinkSync('real.tar', outfile)),
    status: 0,
    error: undefined,
    leaves: ['real.tar'],
    check: isWhole(({ outfile }) => outfile),
  },
  {
    name: 'a link into a directory that is gone',
    prepare: first(({ outfile }) => symlinkSync('gone/real.tar', outfile)),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: No such file or directory; make its directory first$/,
  },
  {
    name: 'a link to a directory',
    prepare: first(({ out, outfile }) => {
      mkdirSync(join(out, 'dir'))
      symlinkSync('dir', outfile)
    }),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: Is a directory; name a file$/,
  },
  {
    name: 'a link to itself',
    prepare: first(({ outfile }) => symlinkSync('x.tar', outfile)),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: Too many levels of symbolic links; .+$/,
  },
  {
    name: 'two links to one another, for a directory',
    outfile: 'x',
    prepare: first(({ out, outfile }) => {
      symlinkSync('y', outfile)
      symlinkSync('x', join(out, 'y'))
    }),
    args: dumpTo('x/'),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\/?: Too many levels of symbolic links; .+$/,
  },
  {
    name: 'a directory',
    prepare: first(({ outfile }) => mkdirSync(outfile)),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: Is a directory; name a file$/,
  },
  {
    name: 'a file, where a directory is to be',
    outfile: 'x',
    older: true,
    args: dumpTo('x/'),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\/: a file of that name is there; name a directory that is not there yet$/,
  },
  {
    name: 'a directory with something in it',
    prepare: first(({ out }) => {
      mkdirSync(join(out, 'x'))
      writeFileSync(join(out, 'x', 'mine'), '')
    }),
    args: dumpTo('x/'),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\/: it is not empty; name a directory that is not there yet$/,
  },
  {
    name: 'below a file',
    older: true,
    args: dumpTo('x.tar/y.tar'),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar\/y\.tar: Not a directory; name a file in a directory$/,
  },
  {
    name: 'in a directory that is not there',
    args: dumpTo('gone/y.zip'),
    status: 1,
    error: /^flux-ts dump: cannot write .*gone\/y\.zip: No such file or directory; make its directory first$/,
  },
  {
    name: 'a directory in a directory that is not there',
    args: dumpTo('gone/y/'),
    status: 1,
    error: /^flux-ts dump: cannot write .*gone\/y\/: No such file or directory; make its directory first$/,
  },
]

/** The line for an OUTFILE that is the store. */
const IS_STORE = /^flux-ts dump: .+: this is the store to be dumped; give the archive another name$/

const stores: FaultCase[] = [
  {
    name: 'the database itself',
    args: ({ store }) => ['dump', '-q', '--store', store, '--format', 'tar', join(store, 'content.sqlite')],
    status: 2,
    error: IS_STORE,
  },
  {
    name: 'the statedir',
    args: ({ store }) => ['dump', '-q', '--store', store, `${store}/`],
    status: 1,
    error: /^flux-ts dump: .+$/,
  },
  {
    name: 'a link to the database',
    prepare: first(({ store, outfile }) => symlinkSync(join(store, 'content.sqlite'), outfile)),
    status: 2,
    error: IS_STORE,
  },
  {
    name: 'a hard link to the database',
    prepare: first(({ store, outfile }) => linkSync(join(store, 'content.sqlite'), outfile)),
    status: 2,
    error: IS_STORE,
  },
  {
    name: 'the write-ahead log of the store',
    prepare: first(({ store }) => writeFileSync(join(store, 'content.sqlite-wal'), '')),
    args: ({ store }) => ['dump', '-q', '--store', store, '--format', 'tar', join(store, 'content.sqlite-wal')],
    status: 2,
    error: IS_STORE,
  },
  {
    name: 'the database, for a compact copy',
    args: ({ store }) => ['content', 'compact', '-q', '--store', store, join(store, 'content.sqlite')],
    status: 1,
    error: /^flux-ts content compact: cannot write .*: File exists; name a new file: a compaction replaces nothing$/,
  },
  {
    name: 'the statedir, for the results of a rescue',
    args: ({ store }) => ['rescue', '-q', '--store', store, '--out', store],
    status: 1,
    error: /^flux-ts rescue: .*: lies in the directory of the store; give --out another place$/,
  },
  {
    name: 'the database, for an export of jobs',
    args: ({ store }) => [
      ...['jobs', 'export', '--quiet', '--append', '--format', 'sqlite', '--store', store],
      join(store, 'content.sqlite'),
    ],
    status: 1,
    error: /^flux-ts jobs export: .*content\.sqlite: .+; .+$/,
  },
]

const devices: FaultCase[] = [
  {
    name: '/dev/null, which stays a device',
    args: dumpTo('/dev/null', '--format', 'tar'),
    status: 0,
    error: undefined,
    check: () => expect(statSync('/dev/null').isCharacterDevice()).to.equal(true),
  },
  ...['tar', 'tgz', 'tar.zst', 'zip', 'cpio', 'iso'].map((format) => ({
    name: `/dev/full, for ${format}`,
    args: dumpTo('/dev/full', '--format', format),
    status: 1,
    error: /^flux-ts dump: cannot write \/dev\/full: No space left on device; make room, .*$/,
  })),
  {
    name: '/dev/null with a checksum',
    args: dumpTo('/dev/null', '--checksum', '--format', 'tar'),
    status: 1,
    error: /^flux-ts dump: \/dev\/null: is no file, .*$/,
  },
]

/** Make a pipe, and a program that reads from it. */
function pipe(script: string): NonNullable<FaultCase['prepare']> {
  return ({ outfile, held, tmp }) => {
    run('mkfifo', [outfile])
    // Outside of TMPDIR, where nothing may be left.
    const reader = spawn('sh', ['-c', script, outfile, join(tmp, '..', 'read')], { stdio: 'ignore' })
    held.reader = new Promise((resolve) => reader.on('close', resolve))
    return () => {
      reader.kill('SIGKILL')
    }
  }
}

const pipes: FaultCase[] = [
  ...['tar', 'zip', 'iso'].map((format) => ({
    name: `a pipe with a reader, for ${format}`,
    prepare: pipe('cat < "$0" > "$1"'),
    args: dumpTo('x.tar', '--format', format),
    during: ({ held }: Scene) => held.reader as Promise<void>,
    status: 0,
    error: undefined,
    check: isWhole(({ tmp }) => join(tmp, '..', 'read')),
  })),
  {
    name: 'a pipe whose reader goes away',
    prepare: pipe('exec head -c 1 < "$0" > "$1"'),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: Broken pipe; look why its reader has ended$/,
  },
  {
    name: 'a pipe that nobody reads, until a signal comes',
    prepare: first(({ outfile }) => void run('mkfifo', [outfile])),
    at: { call: 'openSync', on: /content\.sqlite$/ },
    during: (_, running) => running.kill('SIGTERM'),
    status: 130,
    error: /^flux-ts dump: interrupted by SIGTERM$/,
  },
]

const meanwhile: FaultCase[] = [
  ...['x.tar', 'x.tgz', 'x.zip', 'x.cpio', 'x.iso'].map((outfile) => ({
    name: `the directory of ${outfile} is removed`,
    prepare: first(({ out }) => mkdirSync(join(out, '..', 'dir'))),
    args: dumpTo(`../dir/${outfile}`),
    at: BEFORE_NAME,
    during: ({ out }: Scene) => rmSync(join(out, '..', 'dir'), { recursive: true }),
    status: 1,
    error: /^flux-ts dump: cannot write .*: .+; .+$/,
    check: ({ out }: Scene) => expect(existsSync(join(out, '..', 'dir'))).to.equal(false),
  })),
  {
    name: 'the unfinished file is removed',
    older: true,
    at: BEFORE_NAME,
    during: ({ out }) => void spawnSync('sh', ['-c', 'rm "$0"/.x.tar.*.part', out]),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: .*(No such file|somebody else).*; .+$/,
  },
  {
    name: 'OUTFILE becomes a directory',
    at: BEFORE_BYTES,
    during: ({ outfile }) => mkdirSync(outfile),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\.tar: Is a directory; name a file$/,
    leaves: ['x.tar'],
    check: ({ outfile }) => expect(statSync(outfile).isDirectory()).to.equal(true),
  },
  {
    name: 'OUTFILE becomes a link to the store',
    at: BEFORE_BYTES,
    during: ({ store, outfile }) => symlinkSync(join(store, 'content.sqlite'), outfile),
    status: 0,
    error: undefined,
    leaves: ['x.tar'],
    check: isWhole(({ outfile }) => outfile),
  },
  {
    name: 'the older file is removed',
    older: true,
    at: BEFORE_BYTES,
    during: ({ outfile }) => unlinkSync(outfile),
    status: 0,
    error: undefined,
    leaves: ['x.tar'],
    check: isWhole(({ outfile }) => outfile),
  },
  {
    name: 'another dump to the same name ends first',
    older: true,
    at: BEFORE_NAME,
    during: ({ store, outfile }) => void expect(fluxTs(['dump', '-q', '--store', store, outfile]).status).to.equal(0),
    status: 0,
    error: undefined,
    leaves: ['x.tar'],
    check: isWhole(({ outfile }) => outfile),
  },
  {
    name: 'another dump to the same directory ends first',
    outfile: 'x',
    args: dumpTo('x/'),
    at: BEFORE_NAME,
    during: ({ store, outfile }) =>
      void expect(fluxTs(['dump', '-q', '--store', store, `${outfile}/`]).status).to.equal(0),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\/: it is not empty by now; name a directory that is not there yet$/,
    leaves: ['x'],
  },
  {
    name: 'a file takes the name of the directory',
    outfile: 'x',
    args: dumpTo('x/'),
    at: BEFORE_NAME,
    during: ({ outfile }) => writeFileSync(outfile, OLDER),
    status: 1,
    error: /^flux-ts dump: cannot write .*x\/: .+; name a directory that is not there yet$/,
    leaves: ['x'],
    check: ({ outfile }) => expect(readFileSync(outfile, 'utf8')).to.equal(OLDER),
  },
  {
    name: 'a compact copy, whose name is taken',
    outfile: 'new.sqlite',
    args: ({ store, outfile }) => ['content', 'compact', '-q', '--store', store, outfile],
    at: { call: 'linkSync', on: /\.part$/ },
    during: ({ outfile }) => writeFileSync(outfile, OLDER),
    status: 1,
    error: /^flux-ts content compact: cannot write .*new\.sqlite: File exists; .+$/,
    leaves: ['new.sqlite'],
    check: ({ outfile }) => expect(readFileSync(outfile, 'utf8')).to.equal(OLDER),
  },
  {
    name: 'a new store of a restore, whose name is taken',
    outfile: 'new.sqlite',
    args: ({ outfile }) => ['restore', '-q', '--store', outfile, fixture('jobs', 'dump.tgz')],
    at: { call: 'linkSync', on: /\.part$/ },
    during: ({ outfile }) => writeFileSync(outfile, OLDER),
    status: 1,
    error: /^flux-ts restore: cannot write .*new\.sqlite: File exists; .+$/,
    leaves: ['new.sqlite'],
    check: ({ outfile }) => expect(readFileSync(outfile, 'utf8')).to.equal(OLDER),
  },
  {
    name: 'an export of jobs, whose name is taken',
    outfile: 'x.csv',
    args: ({ store, outfile }) => ['jobs', 'export', '--quiet', '--store', store, outfile],
    at: { call: 'linkSync', on: /\.part$/ },
    during: ({ outfile }) => writeFileSync(outfile, OLDER),
    status: 1,
    error: /^flux-ts jobs export: cannot write .*x\.csv: File exists; choose another name$/,
    leaves: ['x.csv'],
    check: ({ outfile }) => expect(readFileSync(outfile, 'utf8')).to.equal(OLDER),
  },
]

/** The line when the file system of OUTFILE is read-only. */
const READ_ONLY =
  /: cannot (write|use) .*: Read-only file system; (write to another file system|give --out another place)$/

/** Commands that make something in a directory where nothing can be made. */
const OUTPUTS: Record<string, (scene: Scene) => string[]> = {
  ...Object.fromEntries(
    ['x.tar', 'x.tgz', 'x.zip', 'x.cpio', 'x.iso', 'x/'].map((name) => [
      name,
      ({ store, out }: Scene) => ['dump', '-q', '--store', store, `${out}/${name}`],
    ]),
  ),
  'a new store of a restore': ({ out }) => [
    'restore',
    '-q',
    '--store',
    join(out, 'new.sqlite'),
    fixture('jobs', 'dump.tgz'),
  ],
  'the results of a rescue': ({ store, out }) => ['rescue', '-q', '--store', store, '--out', join(out, 'new')],
  'a compact copy': ({ store, out }) => ['content', 'compact', '-q', '--store', store, join(out, 'new.sqlite')],
  ...Object.fromEntries(
    ['csv', 'parquet', 'sqlite'].map((format) => [
      `jobs in ${format}`,
      ({ store, out }: Scene) => ['jobs', 'export', '--quiet', '--store', store, join(out, `x.${format}`)],
    ]),
  ),
}

const readOnly: FaultCase[] = Object.entries(OUTPUTS).map(([name, args]) => ({
  name,
  older: name === 'x.tar',
  disk: { bytes: 16 << 20, readOnly: true },
  args,
  status: 1,
  error: READ_ONLY,
}))

/** Another user, who may read the store but not write to the directory of OUTFILE. */
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const canBeNobody =
  process.geteuid?.() === 0 &&
  has('setpriv') &&
  spawnSync('setpriv', [
    ...AS_NOBODY.slice(1),
    process.execPath,
    join(import.meta.dirname, '../../bin/run.js'),
    '--version',
  ]).status === 0

const denied: FaultCase[] = ['x.tar', 'x.zip', 'x/', 'a new store of a restore', 'a compact copy', 'jobs in csv'].map(
  (name) => ({
    name,
    older: name === 'x.tar',
    prepare: first(({ out, store, tmp }) => {
      chmodSync(join(out, '..'), 0o755)
      chmodSync(tmp, 0o1777)
      // What the fixture's files forbid others is not the matter here.
      cpSync(store, `${store}2`, { recursive: true })
      rmSync(store, { recursive: true })
      renameSync(`${store}2`, store)
      run('chmod', ['-R', 'a+rX', store])
    }),
    through: () => AS_NOBODY,
    args: OUTPUTS[name] as (scene: Scene) => string[],
    status: 1,
    error: /: cannot write .*: Permission denied; look at the permissions of its directory$/,
  }),
)

faultMatrix('dump to a link, a directory or nowhere', links)
faultMatrix('output to the store itself', stores)
faultMatrix('dump to a device', devices)
faultMatrix('dump to a pipe', pipes)
faultMatrix('output to what is replaced meanwhile', meanwhile)
if (canMount) faultMatrix('output to a file system that is read-only', readOnly)
if (canBeNobody) faultMatrix('output to a directory of somebody else', denied)
