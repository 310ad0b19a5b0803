/** The disk is full, a limit on sizes or a quota is reached, or the disk fails, while an archive or another file is made. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { canMount, type FaultCase, faultMatrix, type Scene } from '../support/fault-case.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { fixture } from '../support/fixtures.ts'
import { fluxTs } from '../support/processes.ts'

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

if (canMount) {
  faultMatrix('dump to a disk that is full', full)
  faultMatrix('output to a disk that is full', otherFull)
}
faultMatrix('dump beyond a limit on sizes', tooLarge)
faultMatrix('dump to a disk that fails', failing)
