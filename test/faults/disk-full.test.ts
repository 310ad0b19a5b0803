/** The disk is full, a limit on sizes or a quota is reached, or the disk fails, while an archive or another file is made. */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { canMount, type FaultCase, faultMatrix, type Scene } from '../support/fault-case.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { fixture } from '../support/fixtures.ts'
import { asNobody, canBeNobody } from '../support/held-fault.ts'
import { fluxTs, UNCOUNTED } from '../support/processes.ts'

const PAGE = 4096

const NO_SPACE = 'No space left on device; make room, or write to another file system'
const TOO_LARGE = 'File too large; raise the limit on file sizes \\(ulimit -f\\), or write to another file system'

/** The line of a dump that could not write. */
function cannotWrite(name: string, why: string, command = 'dump'): RegExp {
  return new RegExp(`^flux-ts ${command}: cannot write [^ ]*/out/${name.replaceAll('.', '\\.')}: ${why}$`)
}

/** How many pages a small file system has: an older file takes the first. */
const PAGES: Record<string, readonly number[]> = {
  'x.tar': [2, 20, 80],
  'x.tgz': [2, 4],
  'x.tar.zst': [3],
  'x.tar.xz': [3],
  'x.tar.bz2': [3],
  'x.zip': [2, 20],
  'x.cpio': [20],
  'x.iso': [2, 100],
}

const full: FaultCase[] = Object.entries(PAGES).flatMap(([outfile, sizes]) =>
  sizes.map((pages) => ({
    name: `${outfile} when ${pages - 1} ${pages === 2 ? 'page is' : 'pages are'} free`,
    outfile,
    older: true,
    disk: { bytes: pages * PAGE },
    status: 1,
    error: cannotWrite(outfile, NO_SPACE),
  })),
)

const otherFull: FaultCase[] = [
  {
    name: 'x.tar when no file can be made',
    older: true,
    disk: { files: 1 },
    status: 1,
    error: cannotWrite('x.tar', NO_SPACE),
  },
  {
    name: 'x.tar with a checksum when only one file can be made',
    older: true,
    disk: { files: 2 },
    args: ({ store, outfile }) => ['dump', '-q', '--checksum', '--store', store, outfile],
    status: 1,
    error: cannotWrite('x.tar', NO_SPACE),
  },
  {
    name: 'x.tar when an older one fills it',
    disk: { bytes: 100 * PAGE },
    prepare: ({ outfile }) => {
      writeFileSync(outfile, Buffer.alloc(60 * PAGE))
      return undefined
    },
    status: 1,
    error: cannotWrite('x.tar', NO_SPACE),
  },
  {
    name: 'x/ when its files fit, but not all that is in them',
    outfile: 'x',
    disk: { bytes: 100 * PAGE },
    args: ({ store, outfile }) => ['dump', '-q', '--store', store, `${outfile}/`],
    status: 1,
    error: cannotWrite('x/', NO_SPACE),
  },
  {
    name: 'x/ when only a few files can be made',
    outfile: 'x',
    disk: { files: 20 },
    args: ({ store, outfile }) => ['dump', '-q', '--store', store, `${outfile}/`],
    status: 1,
    error: cannotWrite('x/', NO_SPACE),
  },
  {
    name: 'x/ when no directory can be made',
    outfile: 'x',
    disk: { files: 0 },
    args: ({ store, outfile }) => ['dump', '-q', '--store', store, `${outfile}/`],
    status: 1,
    error: cannotWrite('x/', NO_SPACE),
  },
  ...[2, 30].map((pages) => ({
    name: `a new store of a restore when ${pages} pages are free`,
    outfile: 'state',
    disk: { bytes: pages * PAGE },
    args: ({ outfile }: Scene) => ['restore', '-q', '--store', `${outfile}.sqlite`, fixture('jobs', 'dump.tgz')],
    status: 1,
    error: /^flux-ts restore: .*\/out\/state\.sqlite: .*full.*; make room.*$/,
  })),
  {
    name: 'a compact copy',
    disk: { bytes: 30 * PAGE },
    args: ({ store, out }) => ['content', 'compact', '-q', '--store', store, join(out, 'new.sqlite')],
    status: 1,
    error:
      /^flux-ts content compact: cannot write .*new\.sqlite: it takes .* has only .* free; write to another file system$/,
  },
  {
    name: 'an export of jobs to a database',
    outfile: 'x.sqlite',
    disk: { bytes: 10 * PAGE },
    args: ({ store, outfile }) => ['jobs', 'export', '--quiet', '--store', store, outfile],
    status: 1,
    error: /^flux-ts jobs export: .*x\.sqlite: database or disk is full; make room; nothing was changed$/,
  },
  {
    name: 'the new store of a rescue',
    disk: { bytes: 20 * PAGE },
    args: ({ store, out }) => ['rescue', '-q', '--store', store, '--out', join(out, 'new')],
    status: 1,
    error: /^flux-ts rescue: .*\/out\/new\/content\.sqlite: database or disk is full; make room.*$/,
  },
  {
    name: 'the old store, which a rescue cannot keep beside the new one',
    args: ({ store, out }) => ['rescue', '-q', '--install', '--store', store, '--out', join(out, 'new')],
    at: { call: 'linkSync', on: /store\/content\.sqlite$/, fails: 'ENOSPC' },
    status: 1,
    error:
      /^flux-ts rescue: cannot install the rescued store as .*content\.sqlite: No space left on device; the old store is as it was, and the new one is with the results$/,
    leaves: ['new'],
  },
  {
    name: 'the archive of a rescue, whose new store stays',
    disk: { bytes: 69 * PAGE },
    args: ({ store, out }) => ['rescue', '-q', '--store', store, '--out', join(out, 'new')],
    status: 1,
    error: cannotWrite('new/kvs.tgz', NO_SPACE, 'rescue'),
    leaves: ['new'],
    check: ({ out }) => {
      expect(readdirSync(join(out, 'new'))).to.deep.equal(['content.sqlite'])
      expect(fluxTs(['fsck', '-q', '--store', join(out, 'new')]).status).to.equal(0)
    },
  },
  {
    name: 'a report',
    outfile: 'x.html',
    disk: { bytes: 2 * PAGE },
    args: ({ store, outfile }) => ['report', '--store', store, outfile],
    status: 1,
    error: cannotWrite('x.html', NO_SPACE, 'report'),
  },
  ...['x.csv', 'x.ndjson', 'x.parquet', 'x.sqlite'].map((outfile) => ({
    name: `jobs in ${outfile}`,
    outfile,
    disk: { bytes: PAGE },
    args: ({ store, outfile }: Scene) => ['jobs', 'export', '--quiet', '--store', store, outfile],
    status: 1,
    error: new RegExp(`^flux-ts jobs export: .*${outfile}: .*; .*make room.*$`),
  })),
]

/** A limit on sizes that the process has. */
const tooLarge: FaultCase[] = (
  [
    ['x.tar', 0],
    ['x.tar', 200_000],
    ['x.tgz', 10_000],
    ['x.tar.xz', 10_000],
    ['x.tar.bz2', 10_000],
    ['x.tar.zst', 10_000],
    ['x.zip', 100_000],
    ['x.cpio', 100_000],
    ['x.iso', 1_000_000],
    ['x', 1000],
  ] as const
).map(([outfile, bytes]) => ({
  name: `${outfile} when files may have ${bytes} bytes`,
  outfile,
  older: outfile !== 'x',
  through: () => ['prlimit', `--fsize=${bytes}`],
  env: () => UNCOUNTED,
  args: ({ store, outfile: path }) => ['dump', '-q', '--store', store, outfile === 'x' ? `${path}/` : path],
  status: 1,
  error: cannotWrite(outfile === 'x' ? 'x/' : outfile, TOO_LARGE),
}))

/** Errors that a file system of this machine cannot be made to give: of a quota, and of a disk that fails. */
const failing: FaultCase[] = (
  [
    ['a write', 'a quota is reached', { call: 'write', on: /\.part$/, fails: 'EDQUOT' }],
    ['a write', 'the disk fails', { call: 'write', on: /\.part$/, fails: 'EIO' }],
    ['the flush', 'a quota is reached', { call: 'fsync', on: /\.part$/, fails: 'EDQUOT' }],
    ['the flush', 'the disk fails', { call: 'fsync', on: /\.part$/, fails: 'EIO' }],
    ['the rename', 'the disk is full', { call: 'renameSync', on: /\.part$/, fails: 'ENOSPC' }],
    ['the rename', 'the disk fails', { call: 'renameSync', on: /\.part$/, fails: 'EIO' }],
  ] satisfies [string, string, FaultPoint][]
).map(([what, why, at]) => ({
  name: `x.tar when ${why} at ${what}`,
  older: true,
  at,
  status: 1,
  error: cannotWrite(
    'x.tar',
    '(Disk quota exceeded; make room within the quota|Input/output error; look at the disk|No space left on device; make room), or write to another file system',
  ),
}))

/** Files that other commands make, and that no format of archives is. */
const OTHER_FILES: Record<string, [outfile: string, args: (scene: Scene) => string[]]> = {
  'a new store of a restore': [
    'x.sqlite',
    ({ outfile }) => ['restore', '-q', '--store', outfile, fixture('jobs', 'dump.tgz')],
  ],
  'a compact copy': ['x.sqlite', ({ store, outfile }) => ['content', 'compact', '-q', '--store', store, outfile]],
  'a rescue': ['x', ({ store, outfile }) => ['rescue', '-q', '--store', store, '--out', outfile]],
  'a report': ['x.html', ({ store, outfile }) => ['report', '--store', store, outfile]],
  ...Object.fromEntries(
    ['csv', 'ndjson', 'parquet', 'sqlite'].map((format) => [
      `jobs in ${format}`,
      [`x.${format}`, ({ store, outfile }: Scene) => ['jobs', 'export', '--quiet', '--store', store, outfile]],
    ]),
  ),
}

/** What SQLite calls an error of the disk is told apart by nothing. */
const SQLITE_TOO_LARGE: Record<string, RegExp> = {
  'a compact copy':
    /: disk I\/O error; look at the disk, at its quota and at the limit on file sizes, or write to another file system$/,
  'jobs in sqlite':
    /: disk I\/O error; look at the disk, at its quota and at the limit on file sizes; nothing was changed$/,
}

const otherTooLarge: FaultCase[] = Object.entries(OTHER_FILES).map(([name, [outfile, args]]) => ({
  name: `${name} when files may have 4096 bytes`,
  outfile,
  through: () => ['prlimit', '--fsize=4096'],
  args,
  status: 1,
  error: SQLITE_TOO_LARGE[name] ?? /^flux-ts [a-z ]+: .*(File too large|full|disk I\/O error).*; .+$/,
}))

/** Where a disk fails under other commands. */
const FAILING_AT: [name: string, at: FaultPoint][] = [
  ['a new store of a restore', { call: 'fsyncSync', on: /\.part$/ }],
  ['a compact copy', { call: 'fsyncSync', on: /\.part$/ }],
  ['a report', { call: 'write', on: /\.part$/ }],
  ['a report', { call: 'fsync', on: /\.part$/ }],
  ['a report', { call: 'renameSync', on: /\.part$/ }],
  ...['csv', 'ndjson', 'parquet'].map((format): [string, FaultPoint] => [
    `jobs in ${format}`,
    { call: 'writeSync', on: /\.part$/ },
  ]),
  ...['csv', 'ndjson', 'parquet', 'sqlite'].flatMap((format): [string, FaultPoint][] => [
    [`jobs in ${format}`, { call: 'fsync', on: /\.part$/ }],
  ]),
]
const otherFailing: FaultCase[] = FAILING_AT.map(([name, at], i) => {
  const [outfile, args] = OTHER_FILES[name] as (typeof OTHER_FILES)[string]
  return {
    name: `${name} at ${at.call}`,
    outfile,
    at: { ...at, fails: i % 2 === 0 ? 'EIO' : 'EDQUOT' },
    args,
    status: 1,
    error: /^flux-ts [a-z ]+: .*(Input\/output error|Disk quota exceeded).*$/,
  }
})

/** The formats beside tar, of which all is in the table before. */
const formatsFailing: FaultCase[] = ['x.tgz', 'x.tar.bz2', 'x.tar.xz', 'x.tar.zst', 'x.zip', 'x.cpio', 'x.iso'].flatMap(
  (outfile) =>
    (
      [
        { call: 'write', on: /\.part$/, fails: 'EIO' },
        { call: 'fsync', on: /\.part$/, fails: 'EDQUOT' },
      ] satisfies FaultPoint[]
    ).map((at) => ({
      name: `${outfile} at ${at.call}`,
      outfile,
      older: true,
      at,
      status: 1,
      error: cannotWrite(
        outfile,
        '(Disk quota exceeded; make room within the quota|Input/output error; look at the disk), or write to another file system',
      ),
    })),
)

const directoryFailing: FaultCase[] = (['mkdirSync', 'openSync', 'writeSync', 'renameSync'] as const).map((call) => ({
  name: `x/ at ${call}`,
  outfile: 'x',
  at: { call, on: /\.part/, fails: 'EDQUOT' },
  args: ({ store, outfile }) => ['dump', '-q', '--store', store, `${outfile}/`],
  status: 1,
  error: cannotWrite('x/', 'Disk quota exceeded; make room within the quota, or write to another file system'),
}))

/** True when tmpfs has quotas (Linux 6.6, if built so). They do not hold for root. */
const hasQuota =
  canBeNobody &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'usrquota_block_hardlimit=1m', 'tmpfs', '/mnt']).status ===
    0
const overQuota: FaultCase[] = ['x.tar', 'x.tgz', 'x.zip', 'x.iso'].map((outfile) => ({
  name: outfile,
  outfile,
  disk: { quotaBytes: 2 * PAGE },
  prepare: (scene) => void asNobody(scene),
  through: asNobody,
  status: 1,
  error: cannotWrite(outfile, 'Disk quota exceeded; make room within the quota, or write to another file system'),
}))

if (canMount) {
  faultMatrix('dump to a disk that is full', full)
  faultMatrix('output to a disk that is full', otherFull)
}
faultMatrix('dump beyond a limit on sizes', tooLarge)
faultMatrix('output beyond a limit on sizes', otherTooLarge)
faultMatrix('dump to a disk that fails', [...failing, ...formatsFailing, ...directoryFailing])
faultMatrix('output to a disk that fails', otherFailing)
if (canMount && hasQuota) faultMatrix('dump beyond a quota', overQuota)
