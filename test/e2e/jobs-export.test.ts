/** What is left of an export when the command is killed, and what it prints. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { dayFiles, duckRows, parquetFiles, rows, tables } from '../support/exports.ts'
import { heldAt } from '../support/fault-points.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { MIDNIGHT, writeJobsStore } from '../support/job-trees.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'
import { contents, killed } from '../support/stores.ts'

/** Large enough that SQLite writes to the database before the transaction ends. */
const LARGE = { note: 'x'.repeat(40_000) }
const COUNT = 600

describe('jobs export that is killed', () => {
  let dir: string
  let stores: string
  let early: string
  let late: string
  before(() => {
    stores = mkdtempSync(join(tmpdir(), 'flux-ts-export-'))
    early = join(stores, 'early.sqlite')
    late = join(stores, 'late.sqlite')
    const jobs = Array.from({ length: COUNT }, (_, i) => ({
      id: BigInt(i + 1) << 24n,
      submit: MIDNIGHT + (i % 2) * 86400,
      events: [{ name: 'memo', context: LARGE }],
    }))
    writeJobsStore(
      early,
      jobs.slice(0, COUNT / 2).map((job) => ({ ...job, until: 'run' })),
    )
    writeJobsStore(late, jobs)
  })
  after(() => rmSync(stores, { recursive: true, force: true }))
  beforeEach(() => {
    dir = scratch()
  })
  const appended = (store: string, file: string) => [
    'jobs',
    'export',
    '--append',
    '--with',
    'eventlog',
    '--store',
    store,
    file,
  ]

  it('leaves an old database as it was, though parts of it are written already', async () => {
    const file = join(dir, 'history.sqlite')
    expect(fluxTs(appended(early, file)).status).to.equal(0)
    const [whole, bytes] = [tables(file), readFileSync(file)]
    const held = await heldAt({ call: 'exec', on: /^COMMIT/ }, appended(late, file))
    expect(readFileSync(file).equals(bytes)).to.equal(false)
    await killed(held.child)
    expect(readdirSync(dir)).to.include('history.sqlite-journal')
    // Whoever opens it to write, as the next export does, rolls back.
    expect(fluxTs(appended(early, file)).stderr).to.match(/0 jobs added, 0 completed, 300 unchanged/)
    expect(tables(file)).to.deep.equal(whole)
    expect(rows(file, 'PRAGMA integrity_check')).to.deep.equal([{ integrity_check: 'ok' }])
    expect(fluxTs(appended(late, file)).stderr).to.match(/300 jobs added, 300 completed, 0 unchanged/)
    expect(rows(file, "SELECT count(*) AS n FROM jobs WHERE state = 'INACTIVE'")).to.deep.equal([{ n: COUNT }])
  })

  for (const name of ['new.sqlite', 'new.csv', 'new.ndjson', 'new.parquet']) {
    it(`leaves nothing under the name ${name}, and the next run removes what was written`, async () => {
      const file = join(dir, name)
      const args = ['jobs', 'export', '--store', late, file]
      const held = await heldAt({ call: 'fsyncSync' }, args)
      await killed(held.child)
      expect(existsSync(file)).to.equal(false)
      expect(fluxTs(args).status).to.equal(0)
      expect(readdirSync(dir)).to.deep.equal([name])
      expect(statSync(file).mode & 0o777).to.equal(0o600)
    })
  }

  it('leaves no journal of a new database behind', async () => {
    const file = join(dir, 'new.sqlite')
    const args = ['jobs', 'export', '--store', late, file]
    const held = await heldAt({ call: 'exec', on: /^COMMIT/ }, args)
    await killed(held.child)
    expect(fluxTs(args).status).to.equal(0)
    expect(readdirSync(dir)).to.deep.equal(['new.sqlite'])
  })

  it('leaves the files of a directory as they were, and when it is killed between two of them, each whole', async () => {
    const file = join(dir, 'history.parquet')
    expect(fluxTs(appended(early, file)).status).to.equal(0)
    const before = contents(file)
    const held = await heldAt({ call: 'renameSync', on: /part\/2026-11-2\d\.parquet$/ }, appended(late, file))
    await killed(held.child)
    expect(dayFiles(file).map((name) => [name, readFileSync(join(file, name), 'base64')])).to.deep.equal(
      Object.entries(before)
        .filter(([name]) => !name.startsWith('.'))
        .sort(),
    )
    const between = await heldAt({ call: 'renameSync', on: /part\/2026-11-20\.parquet$/ }, appended(late, file))
    await killed(between.child)
    const sql = `SELECT count(*) AS n, count(DISTINCT id) AS ids FROM ${parquetFiles(file)}`
    expect(await duckRows(sql)).to.deep.equal([{ n: '450', ids: '450' }])
    expect(fluxTs(appended(late, file)).stderr).to.match(/150 jobs added, 150 completed, 300 unchanged/)
    expect(await duckRows(sql)).to.deep.equal([{ n: '600', ids: '600' }])
    expect(dayFiles(file)).to.deep.equal(['2026-11-20.parquet', '2026-11-21.parquet'])
    expect(readdirSync(file).filter((name) => name.endsWith('.part'))).to.deep.equal([])
  })

  it('names the directory when a file in it cannot be written', () => {
    const file = join(dir, 'history.parquet')
    const limited = 'ulimit -f 1 && exec "$@"'
    const args = ['-c', limited, 'sh', process.execPath, CLI, ...appended(late, file)]
    const { status, stderr } = spawnSync('sh', args, { env: cleanEnv() })
    expect(status).to.equal(1)
    expect(stderr.toString()).to.include(`cannot write ${file}: File too large`)
    expect(readdirSync(file)).to.deep.equal(['.lock'])
  })

  it('keeps out a second export to the same place', async () => {
    for (const name of ['history.sqlite', 'history.parquet']) {
      const file = join(dir, name)
      expect(fluxTs(appended(early, file)).status).to.equal(0)
      const held = await heldAt(
        name.endsWith('sqlite') ? { call: 'exec', on: /^COMMIT/ } : { call: 'renameSync', on: /\.parquet$/ },
        appended(late, file),
      )
      const second = fluxTs(appended(early, file))
      expect(second.status).to.equal(1)
      expect(second.stderr).to.match(
        name.endsWith('sqlite')
          ? /: held by another process; perhaps another export writes to it; try again later$/m
          : /: held by another process; another export adds to it; try again later$/m,
      )
      held.release()
      expect((await held.ended).status).to.equal(0)
    }
  })
})

describe('jobs export', () => {
  const STORE = fixture('jobs')

  it('waits for programs that read the database', async () => {
    const file = join(scratch(), 'history.sqlite')
    expect(fluxTs(['jobs', 'export', '--store', STORE, file]).status).to.equal(0)
    const db = new DatabaseSync(file, { readOnly: true })
    const reading = db.prepare('SELECT * FROM jobs').iterate()
    expect(reading.next().done).to.equal(false)
    const store = join(scratch(), 'store.sqlite')
    writeJobsStore(store, [{ id: 1n, submit: MIDNIGHT }])
    const exporting = spawn(process.execPath, [CLI, 'jobs', 'export', '--append', '--store', store, file])
    const ended = once(exporting, 'exit')
    // SQLite lets nobody begin to read while a writer waits for those that read already.
    const probe = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('SELECT count(*) FROM jobs')`
    const isWaiting = async () => (await once(spawn(process.execPath, ['-e', probe, file]), 'exit'))[0] !== 0
    let waits = false
    while (exporting.exitCode === null && !waits) waits = await isWaiting()
    expect(exporting.exitCode).to.equal(null)
    reading.return?.()
    db.close()
    expect((await ended)[0]).to.equal(0)
    expect(rows(file, 'SELECT userid FROM jobs WHERE id = 1')).to.deep.equal([{ userid: 5000 }])
  })

  it('prints how many jobs it has written, and with --json the same as JSON', () => {
    const file = join(scratch(), 'a.db')
    expect(fluxTs(['jobs', 'export', '--store', STORE, file]).stderr).to.equal(
      `flux-ts jobs export: wrote 40 jobs to ${file}\n`,
    )
    const { stdout, stderr } = fluxTs(['jobs', 'export', '--json', '--append', '--store', STORE, file])
    expect(stderr).to.equal('')
    expect(JSON.parse(stdout.toString())).to.deep.equal({ file, addedCount: 0, completedCount: 0, unchangedCount: 40 })
  })

  it('writes text to standard output', () => {
    const json = JSON.parse(fluxTs(['jobs', '--json', '--store', STORE]).stdout.toString()) as { jobs: object[] }
    const { status, stdout, stderr } = fluxTs(['jobs', 'export', '--format', 'ndjson', '--store', STORE, '-'])
    expect(status).to.equal(0)
    expect(stderr).to.match(/wrote \d+ jobs to standard output\n$/)
    const lines = stdout.toString().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal(json.jobs)
  })

  it('takes the argument after the value of an option for the file, or for a job', () => {
    const file = join(scratch(), 'a.csv')
    const lines = () => readFileSync(file, 'utf8').trimEnd().split('\r\n').length - 1
    expect(fluxTs(['jobs', 'export', '--store', STORE, '-u', 'root', '--with', 'R', file]).stderr).to.match(
      /wrote 40 jobs/,
    )
    expect(lines()).to.equal(40)
    const one = fluxTs(['jobs', '-n', '--store', STORE, '--user', 'root', 'f2CCFUrT'])
    expect(one.status).to.equal(0)
    expect(one.stdout.toString().trimEnd().split('\n')).to.have.length(1)
  })

  it('exports the jobs that are selected', () => {
    const file = join(scratch(), 'a.csv')
    expect(fluxTs(['jobs', 'export', '-f', 'failed', '--name', 'exit3', '--store', STORE, file]).status).to.equal(0)
    const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\r\n')
    expect(head?.split(',')).to.include('jobid')
    expect(lines.length).to.be.greaterThan(0)
    for (const line of lines) expect(line).to.include(',exit3,').and.include(',FAILED,')
    const one = fluxTs(['jobs', 'export', '--format', 'csv', '--store', STORE, '-', 'f2CCFUrT']).stdout.toString()
    expect(one.trimEnd().split('\r\n').slice(1)).to.have.length(1)
  })

  for (const [args, message] of [
    [['a.txt'], /a\.txt: unknown format; the name must end in \.sqlite, \.db, \.csv, \.ndjson, \.jsonl, \.parquet/],
    [['--append', 'a.csv'], /jobs cannot be added to csv; jobs can be added to sqlite and parquet/],
    [['--format', 'parquet', '-'], /parquet cannot be written to standard output; name a file$/m],
    [
      ['--cluster', 'a/b', 'a.db'],
      /a\/b: not the name of a cluster; use up to 64 letters, digits, hyphens, dots and underscores$/m,
    ],
  ] as const) {
    it(`refuses ${args.join(' ')}`, () => {
      const cwd = scratch()
      const { status, stderr } = fluxTs(['jobs', 'export', '--store', STORE, ...args], { cwd })
      expect(status).to.equal(2)
      expect(stderr).to.match(message)
      expect(readdirSync(cwd)).to.deep.equal([])
    })
  }

  it('refuses a file where a directory is needed, and the other way round', () => {
    const cwd = scratch()
    mkdirSync(join(cwd, 'dir.sqlite'))
    const run = (...args: string[]) => fluxTs(['jobs', 'export', '--store', STORE, ...args], { cwd })
    expect(run('one.parquet').status).to.equal(0)
    const file = run('--append', 'one.parquet')
    expect(file.status).to.equal(1)
    expect(file.stderr).to.match(/one\.parquet: not a directory; adding to Parquet needs a directory$/m)
    spawnSync('mkfifo', [join(cwd, 'fifo.sqlite')])
    const fifo = run('--append', 'fifo.sqlite')
    expect(fifo.status).to.equal(1)
    expect(fifo.stderr).to.match(/cannot write fifo\.sqlite: not a regular file/)
    symlinkSync('nowhere.sqlite', join(cwd, 'link.sqlite'))
    const link = run('--append', 'link.sqlite')
    expect(link.status).to.equal(1)
    expect(link.stderr).to.match(
      /link\.sqlite: a link to a file that does not exist; remove the link, or make the file with its own name$/m,
    )
    const directory = run('--append', 'dir.sqlite')
    expect(directory.status).to.equal(1)
    expect(directory.stderr).to.match(/cannot write dir\.sqlite: Is a directory/)
  })
})
