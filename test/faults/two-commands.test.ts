/** Two commands on one store, or to one name, at the same time: each does its work, or says in one line why it cannot. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultPoint, heldAt } from '../support/fault-points.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { cleanEnv, fluxTs } from '../support/processes.ts'

interface Place {
  readonly dir: string
  readonly store: string
}

/** One line of one command, held at a point while the other one runs. */
interface Race {
  /** Where the first command is held. */
  readonly at: FaultPoint
  readonly first: (place: Place) => string[]
  readonly second: (place: Place) => string[]
  /** The line of the one that fails. Undefined: it does its work. */
  readonly firstFails?: RegExp
  readonly secondFails?: RegExp
  readonly check?: (place: Place) => void
  /** What is in the directory in the end. */
  readonly leaves: readonly string[]
}

const ARCHIVE = fixture('basic', 'dump.tar')
const dumpTo =
  (name: string, ...options: string[]) =>
  ({ dir, store }: Place) => ['dump', '-q', ...options, '--store', store, join(dir, name)]
const compactTo =
  (name: string) =>
  ({ dir, store }: Place) => ['content', 'compact', '-q', '--store', store, join(dir, name)]
const restoreInto = ({ store }: Place) => ['restore', '-q', '--store', store, ARCHIVE]
const restoreTo = ({ dir }: Place) => ['restore', '-q', '--store', join(dir, 'new.sqlite'), ARCHIVE]
const exportTo =
  (name: string, ...options: string[]) =>
  ({ dir, store }: Place) => ['jobs', 'export', '--quiet', ...options, '--store', store, join(dir, name)]
const rescueTo = ({ dir, store }: Place) => ['rescue', '-q', '--store', store, '--out', join(dir, 'new')]
const reportTo = ({ dir, store }: Place) => ['report', '--store', store, join(dir, 'x.html')]

const OPENED: FaultPoint = { call: 'openSync', on: /\.part$/ }
const NAMING: FaultPoint = { call: 'renameSync', on: /\.part$/ }
const LINKING: FaultPoint = { call: 'linkSync', on: /\.part$/ }
/** Where a history in Parquet is under way. */
const NAMING_DAYS: FaultPoint = { call: 'renameSync', on: /\.parquet$/ }
const COMMITTING: FaultPoint = { call: 'exec', on: /^COMMIT/ }

/** An archive has all of a fixture. */
function has(name: string, of: string) {
  return ({ dir }: Place) =>
    void expect(
      fluxTs(['archive', 'verify', join(dir, name), '--root', expected(of).rootref, '--store', fixture(of)]),
    ).to.include({ status: 0, stderr: '' })
}
const isSound = (name: string) => (place: Place) =>
  void expect(fluxTs(['fsck', '-q', '--all', '--store', join(place.dir, name)])).to.include({ status: 0, stderr: '' })

const isSoundStore = ({ store }: Place) =>
  void expect(fluxTs(['fsck', '-q', '--all', '--store', store])).to.include({ status: 0, stderr: '' })

const RACES: Record<string, Race> = {
  'a dump, while the store is compacted': {
    at: OPENED,
    first: dumpTo('x.tar'),
    second: compactTo('new.sqlite'),
    leaves: ['new.sqlite', 'x.tar'],
    check: (place) => [has('x.tar', 'jobs'), isSound('new.sqlite')].map((check) => check(place)),
  },
  'a compaction, while the store is dumped': {
    at: COMMITTING,
    first: compactTo('new.sqlite'),
    second: dumpTo('x.tar'),
    leaves: ['new.sqlite', 'x.tar'],
    check: (place) => [has('x.tar', 'jobs'), isSound('new.sqlite')].map((check) => check(place)),
  },
  'a restore into a store, which keeps others from reading it': {
    at: COMMITTING,
    first: restoreInto,
    second: dumpTo('x.tar'),
    secondFails: /^flux-ts dump: .*content\.sqlite: held by process \d+ .*; stop .*\n$/,
    leaves: [],
    check: isSoundStore,
  },
  'a dump, while its store is restored into': {
    at: OPENED,
    first: dumpTo('x.tar'),
    second: restoreInto,
    leaves: ['x.tar'],
    check: has('x.tar', 'jobs'),
  },
  'two restores into one store': {
    at: COMMITTING,
    first: restoreInto,
    second: restoreInto,
    secondFails: /^flux-ts restore: .*content\.sqlite: held by process \d+ .*; stop .*\n$/,
    leaves: [],
    check: isSoundStore,
  },
  'two restores to one new store': {
    at: LINKING,
    first: restoreTo,
    second: restoreTo,
    firstFails: /^flux-ts restore: cannot write .*new\.sqlite: File exists; .+\n$/,
    leaves: ['new.sqlite'],
    check: isSound('new.sqlite'),
  },
  'two compactions to one name': {
    at: LINKING,
    first: compactTo('new.sqlite'),
    second: compactTo('new.sqlite'),
    firstFails: /^flux-ts content compact: cannot write .*new\.sqlite: File exists; .+\n$/,
    leaves: ['new.sqlite'],
    check: isSound('new.sqlite'),
  },
  ...Object.fromEntries(
    ['sqlite', 'parquet'].map((format) => [
      `two exports that would both make the history in ${format}`,
      {
        at: format === 'sqlite' ? LINKING : NAMING_DAYS,
        first: exportTo(`x.${format}`, '--append'),
        second: exportTo(`x.${format}`, '--append'),
        leaves: [`x.${format}`],
        ...(format === 'sqlite'
          ? { firstFails: /^flux-ts jobs export: cannot write .*x\.sqlite: File exists; .+\n$/ }
          : { secondFails: /^flux-ts jobs export: .*held by another process.*\n$/ }),
        check: (place: Place) =>
          // All jobs are in it: none is added.
          expect(fluxTs([...exportTo(`x.${format}`, '--append', '--json')(place)]).stdout.toString()).to.match(
            /"addedCount": 0,\s+"completedCount": 0/,
          ),
      },
    ]),
  ),
  'two rescues to one name': {
    at: COMMITTING,
    first: rescueTo,
    second: rescueTo,
    secondFails: /^flux-ts rescue: .+; .+\n$/,
    leaves: ['new'],
    check: isSound('new'),
  },
  'two reports to one name': {
    at: { call: 'fsync', on: /\.part$/ },
    first: reportTo,
    second: reportTo,
    leaves: ['x.html'],
    check: ({ dir }) => expect(readFileSync(join(dir, 'x.html'), 'utf8')).to.match(/<\/html>\s*$/),
  },
  ...Object.fromEntries(
    (
      [
        ['before either has a name', NAMING],
        ['when the archive of the first has its name', { ...NAMING, after: true }, 'somebody else replaced.*; .+'],
        [
          'before the checksum of the first has its name',
          { ...NAMING, nth: 2 },
          'another archive took its name meanwhile; give each its own name',
        ],
        ['when both of the first have their names', { ...NAMING, nth: 2, after: true }, 'somebody else replaced.*; .+'],
      ] satisfies [string, FaultPoint, string?][]
    ).map(([when, at, error]) => [
      `two dumps with checksums to one name, ${when}`,
      {
        at,
        first: dumpTo('x.tar', '--checksum'),
        second: dumpTo('x.tar', '--checksum'),
        ...(error === undefined ? {} : { firstFails: new RegExp(`^flux-ts dump: .*: ${error}\\n$`) }),
        // The first one took away the checksum that would not fit, which had replaced that of the second.
        leaves: at.nth && !at.after ? ['x.tar'] : ['x.tar', 'x.tar.sha256'],
        check: ({ dir }: Place) => {
          if (existsSync(join(dir, 'x.tar.sha256')))
            execFileSync('sha256sum', ['--quiet', '-c', 'x.tar.sha256'], { cwd: dir })
          has('x.tar', 'jobs')({ dir, store: '' })
        },
      },
    ]),
  ),
}

describe('two commands at once', () => {
  for (const [name, race] of Object.entries(RACES)) {
    it(name, async () => {
      const base = scratch()
      const place = { dir: join(base, 'out'), store: join(base, 'store') }
      mkdirSync(place.dir)
      mkdirSync(place.store)
      cpSync(fixture('jobs', 'content.sqlite'), join(place.store, 'content.sqlite'))
      // So that equal stores give two archives that differ.
      const held = await heldAt(race.at, race.first(place), { SOURCE_DATE_EPOCH: '1' })
      const second = fluxTs(race.second(place), { env: cleanEnv({ SOURCE_DATE_EPOCH: '2' }) })
      held.release()
      const first = await held.ended
      for (const [{ status, stderr }, line] of [
        [first, race.firstFails],
        [second, race.secondFails],
      ] as const) {
        expect(stderr, stderr).to.match(line ?? /^$/)
        expect(stderr.split('\n').length).to.be.below(3)
        expect(status).to.equal(line ? 1 : 0)
      }
      expect(readdirSync(place.dir).sort()).to.deep.equal(race.leaves)
      race.check?.(place)
    })
  }

  it('a report, while somebody reads the older one', () => {
    const base = scratch()
    const path = join(base, 'x.html')
    const args = reportTo({ dir: base, store: fixture('jobs') })
    expect(fluxTs(args).status).to.equal(0)
    const before = readFileSync(path)
    const fd = openSync(path, 'r')
    expect(fluxTs(args).status).to.equal(0)
    const read = Buffer.alloc(before.length)
    expect(readSync(fd, read)).to.equal(before.length)
    expect(read.equals(before)).to.equal(true)
  })

  it('two first looks at one archive, which both keep what they read', async () => {
    const base = scratch()
    const env = { XDG_CACHE_HOME: join(base, 'cache'), TMPDIR: join(base, 'tmp') }
    for (const dir of Object.values(env)) mkdirSync(dir, { mode: 0o700 })
    const archive = join(base, 'x.iso')
    // Smaller ones are read anew each time.
    expect(fluxTs(['dump', '-q', '--store', fixture('jobs'), archive]).status).to.equal(0)
    expect(statSync(archive).size).to.be.above(1 << 20)
    const args = ['jobs', '-a', '--archive', archive]
    const held = await heldAt({ call: 'renameSync' }, args, env)
    let text = ''
    held.child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    const second = fluxTs(args, { env: cleanEnv(env) })
    held.release()
    expect(await held.ended).to.include({ status: 0, stderr: '' })
    expect(second).to.include({ status: 0, stderr: '' })
    const third = fluxTs(args, { env: cleanEnv(env) })
    expect(text).to.equal(second.stdout.toString()).and.to.equal(third.stdout.toString()).and.not.to.equal('')
    expect(readdirSync(env.TMPDIR)).to.deep.equal([])
    expect(
      readdirSync(env.XDG_CACHE_HOME, { recursive: true }).filter((name) => /part$/.test(String(name))),
    ).to.deep.equal([])
  })
})
