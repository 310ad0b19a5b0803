import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, cleanEnv, type Finished, fluxTs, run } from '../support/processes.ts'
import { withoutProgress } from '../support/terminal.ts'
import { Blobs, dir, raw, val, writeSqlite } from '../support/trees.ts'

const JOBS = fixture('jobs', 'content.sqlite')
const CHECKPOINTS = fixture('checkpoints', 'content.sqlite')
const DAMAGED = fixture('damaged-dangling', 'content.sqlite')

function lines({ stdout }: Finished): string[][] {
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}

/** What a command prints on a terminal of 120 columns. */
function onTerminal(...args: string[]): string {
  const command = `stty cols 120; "${process.execPath}" "${CLI}" ${args.join(' ')}`
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { env: cleanEnv({ TERM: 'xterm' }) })
  return withoutProgress(stdout.toString()).replaceAll('\r', '')
}

describe('flux-ts diff', () => {
  it('compares checkpoints of one store, exit 1 when they differ and 0 when not', () => {
    const result = fluxTs(['diff', '--store', CHECKPOINTS, '@4', '@3'])
    expect(result).to.include({ status: 1, stderr: '' })
    expect(lines(result)).to.deep.equal([
      ['changed', '1', '1', 'gen'],
      ['removed', '1', '-', 'only.first'],
      ['added', '-', '1', 'only.second'],
    ])
    expect(fluxTs(['diff', `${CHECKPOINTS}@2`, `store:${CHECKPOINTS}@2`])).to.include({ status: 0, stderr: '' })
  })

  it('finds each checkpoint in its dump', () => {
    for (const n of [0, 2, 4]) {
      const same = fluxTs(['diff', `${CHECKPOINTS}@${n}`, fixture('checkpoints', `dump-${n}.tar`)])
      expect(same).to.include({ status: 0, stderr: '' })
    }
    expect(fluxTs(['diff', '-q', CHECKPOINTS, fixture('checkpoints', 'dump-1.tar')])).to.include({
      status: 1,
      stderr: '',
    })
  })

  it('compares roots by their blobrefs, and prints JSON', () => {
    const [newest, , older] = expected('checkpoints').checkpoints.map(({ rootref }) => rootref)
    const { status, stdout } = fluxTs(['diff', '--json', '--store', CHECKPOINTS, older as string, newest as string])
    expect(status).to.equal(1)
    const { changes, ...rest } = JSON.parse(stdout.toString())
    expect(rest).to.deep.include({ rootrefA: older, rootrefB: newest, complete: true })
    expect(changes).to.have.length(rest.addedCount + rest.removedCount + rest.changedCount)
  })

  it('shows totals by directory, and what has changed in values', () => {
    const stat = lines(fluxTs(['diff', '--stat', '--store', CHECKPOINTS, '@4', '@3']))
    expect(stat).to.deep.equal([
      ['0', '0', '1', '0', 'gen'],
      ['1', '1', '0', '0', 'only'],
      ['1', '1', '1', '0', 'total'],
    ])
    const { stdout } = fluxTs(['diff', '--content', '--store', CHECKPOINTS, '@4', '@3'])
    expect(stdout.toString()).to.include('--- a/gen\n+++ b/gen\n@@ -1,1 +1,1 @@\n-1\n').and.include('--- /dev/null\n')
  })

  it('says in JSON what --stat and --content say', async () => {
    const json = async (flag: string) => {
      const args = ['diff', flag, '--json', '--store', CHECKPOINTS, '@4', '@3']
      const { status, stdout } = await runInProcess(args)
      expect(status).to.equal(1)
      return JSON.parse(stdout.toString())
    }
    const { below, ...totals } = await json('--stat')
    expect(below).to.deep.equal([
      { key: 'gen', addedCount: 0, removedCount: 0, changedCount: 1, byteDelta: 0 },
      { key: 'only', addedCount: 1, removedCount: 1, changedCount: 0, byteDelta: 0 },
    ])
    expect(totals).to.include({ addedCount: 1, removedCount: 1, changedCount: 1, byteDelta: 0, complete: true })
    expect(totals).not.to.have.property('changes')
    const { changes } = await json('--content')
    expect(changes.map(({ key }: { key: string }) => key)).to.deep.equal(['gen', 'only.first', 'only.second'])
    expect(changes[0]).to.include({
      change: 'changed',
      diff: '--- a/gen\n+++ b/gen\n@@ -1,1 +1,1 @@\n-1\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n',
    })
    expect(changes[1].diff).to.include('+++ /dev/null\n')
  })

  it('exits with 2 when something went wrong, and when not all could be compared', () => {
    const failures: [args: string[], message: RegExp][] = [
      [
        ['nosuch', CHECKPOINTS],
        /^flux-ts diff: cannot open nosuch: No such file or directory; give the path of a store or an archive/,
      ],
      [[`${CHECKPOINTS}@9`, CHECKPOINTS], /no checkpoint 9: there are checkpoints 0 to 4/],
      [[`${CHECKPOINTS}@sha1-12`, CHECKPOINTS], /sha1-12 is not a blobref/],
      [[CHECKPOINTS], /missing B/],
      [[DAMAGED, CHECKPOINTS], /bad.dir: could not load content/],
    ]
    for (const [args, message] of failures) {
      const { status, stderr } = fluxTs(['diff', ...args])
      expect(stderr).to.match(message)
      expect(status, stderr).to.equal(2)
    }
    const { status, stdout } = fluxTs(['diff', '--json', 'nosuch', CHECKPOINTS])
    expect(status).to.equal(2)
    expect(JSON.parse(stdout.toString()).error).to.include({ code: 'ENOENT', exit: 2 })
  })

  it('recognises what a path holds: a store, an archive, or a store that is damaged', async () => {
    const dir = scratch()
    const [statedir, unpacked, odd] = ['state', 'unpacked', 'odd'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ]
    for (const path of [statedir, unpacked, odd]) mkdirSync(path)
    copyFileSync(CHECKPOINTS, join(statedir, 'content.sqlite'))
    run('tar', ['xf', fixture('checkpoints', 'dump-0.tar'), '-C', unpacked])
    writeFileSync(join(odd, 'content.sqlite'), 'not a database')
    const status = async (...args: string[]) => (await runInProcess(['diff', ...args])).status
    copyFileSync(fixture('checkpoints', 'dump-0.tar'), join(dir, 'nameless'))
    for (const other of [unpacked, join(dir, 'nameless'), CHECKPOINTS, `archive:${unpacked}`]) {
      expect(await status(statedir, other), other).to.equal(0)
    }
    const damaged = await runInProcess(['diff', odd, statedir])
    expect(damaged.stderr).to.include('not a Flux content store: its content.sqlite is not an SQLite database')
    expect(damaged.status).to.equal(2)
    // Only on request is it a directory like any other.
    expect(await status(`archive:${odd}`, statedir)).to.equal(1)
  })

  it('keeps control characters of values off a terminal', () => {
    const screen = onTerminal('diff', '--store', CHECKPOINTS, '@4', '@3')
    expect(screen).to.match(/^CHANGE +BEFORE +AFTER +KEY\nchanged +1 +1 +gen\n/)
  })
})

describe('flux-ts du', () => {
  it('adds up directories, the total last, for people and for programs', () => {
    const result = fluxTs(['du', '--store', JOBS])
    expect(result).to.include({ status: 0, stderr: '' })
    expect(lines(result).map((line) => line.at(-1))).to.deep.equal(['admin', 'checkpoint', 'job', 'resource', '.'])
    const screen = onTerminal('du', '--store', JOBS)
    expect(screen)
      .to.match(/^ *SIZE +ONCE +KEYS +KEY\n/)
      .and.match(/246 kB +235 kB +280 +█{20} +job\n/)
  })

  it('goes deeper, sorts, and stops after the first', () => {
    const result = lines(fluxTs(['du', '--store', JOBS, '-d', '3', '-n', '2', '--sort', 'count', '.job.']))
    expect(result.map((line) => line.at(-1))).to.deep.equal(['job.0000', 'job.0000.0002', 'job'])
    expect(
      JSON.parse(fluxTs(['du', '--json', '-d', '0', '--store', JOBS]).stdout.toString()).directories[0],
    ).to.include({
      key: '.',
      keyCount: expected('jobs').entries.length,
    })
  })

  it('fails for what is no directory, and says what could not be counted', () => {
    expect(fluxTs(['du', '--store', JOBS, 'resource.R'])).to.include({
      status: 1,
      stderr: 'flux-ts du: resource.R: Not a directory\n',
    })
    const damaged = fluxTs(['du', '--store', DAMAGED])
    expect(damaged.status).to.equal(1)
    expect(damaged.stderr).to.match(/^flux-ts du: bad\.half: missing blobref 1: .*\n.*\n.*\n$/)
    expect(lines(damaged)).to.have.length(4)
  })
})

describe('flux-ts jobs', () => {
  it('lists the jobs of a store and of its dump alike', () => {
    const [store, dump] = [
      ['--store', JOBS],
      ['--archive', fixture('jobs', 'dump.tgz')],
    ].map((source) => fluxTs(['jobs', ...source]))
    expect(store).to.include({ status: 0, stderr: '' })
    expect(dump?.stdout.toString()).to.equal(store?.stdout.toString())
    expect(lines(store as Finished)).to.have.length(41)
    expect(lines(store as Finished).slice(0, 2)).to.deep.equal([
      ['       JOBID USER     NAME       ST NTASKS NNODES     TIME INFO'],
      ['    ƒ2CCFUrT root     sleep      CD      1      1   0.243s fluke0'],
    ])
  })

  it('prints what flux jobs --json printed', () => {
    const { stdout, status } = fluxTs(['jobs', '--json', '--store', JOBS])
    expect(status).to.equal(0)
    const said = JSON.parse(readFileSync(fixture('jobs', 'jobs.json'), 'utf8'))
    const byId = (a: { id: number }, b: { id: number }) => b.id - a.id
    expect(JSON.parse(stdout.toString())).to.deep.equal({ jobs: said.jobs.toSorted(byId) })
  })

  it('selects by id in any form, user, result and time, and writes ids as asked', () => {
    const ids = (...args: string[]) =>
      lines(fluxTs(['jobs', '--store', JOBS, '-no', '{id}', ...args])).map(([id]) => id)
    expect(ids('f2CCFUrT', '42412802048', '--id-format', 'dec')).to.deep.equal(['45415923712', '42412802048'])
    expect(ids('-u', 'root', '--result', 'failed', '--id-format', 'kvs')).to.deep.equal(['job.0000.0009.e000.0000'])
    expect(ids('-u', '12345')).to.deep.equal([])
    expect(ids('--state', 'active')).to.deep.equal([])
    expect(ids('--since', '2026-11-23T18:25:11.3Z')).to.deep.equal(['ƒ2CCFUrT'])
    expect(ids('--before', '2026-11-23T18:25:11Z')).to.have.length(39)
  })

  it('takes and shows local time, or UTC', () => {
    const jobs = (...args: string[]) => {
      const env = cleanEnv({ TZ: 'Asia/Kolkata' })
      return fluxTs(['jobs', '--store', JOBS, '-no', '{id} {t_submit!D} {t_submit!d:%R}', ...args], {
        env,
      }).stdout.toString()
    }
    for (const since of ['2026-11-23T23:55:11.3', '2026-11-23T18:25:11.3Z']) {
      expect(jobs('--since', since), since).to.equal('ƒ2CCFUrT 2026-11-23T23:55:11 23:55\n')
    }
    expect(jobs('--utc', '--since', '2026-11-23T18:25:11.3')).to.equal('ƒ2CCFUrT 2026-11-23T18:25:11 18:25\n')
  })

  it('cuts lines at the width of a terminal, and colours them', () => {
    const shown = onTerminal('jobs', '--store', `"${JOBS}"`, 'f2CCFUrT', '-o', "'{name:>115} {nodelist}'")
    expect(shown.split('\n').slice(0, 2)).to.deep.equal([
      `${'NAME'.padStart(115)} NOD+`,
      `\x1b[01;32m${'sleep'.padStart(115)} flu+`,
    ])
  })

  it('refuses what is wrong, and fails for a job that is not there', () => {
    for (const args of [
      ['xyz'],
      ['--since', 'soon'],
      ['--state', 'dead'],
      ['-u', 'nobody-of-this-name'],
      ['-o', '{nam}'],
    ]) {
      expect(fluxTs(['jobs', '--store', JOBS, ...args]).status, args.join(' ')).to.equal(2)
    }
    expect(fluxTs(['jobs', '--store', JOBS, '12'])).to.include({ status: 1 })
    expect(fluxTs(['jobs', '--store', fixture('basic', 'content.sqlite')])).to.include({ status: 0, stderr: '' })
  })

  it('says so on stderr when records are damaged, with exit 1', () => {
    const store = copyOf('jobs', 'content.sqlite')
    const sql =
      'delete from objects where rowid in (select rowid from objects where cast(object as text) like \'%"name":"submit"%\' limit 1)'
    run('python3', ['-c', `import sqlite3\nc=sqlite3.connect('${store}')\nc.execute('''${sql}''')\nc.commit()`])
    const { status, stderr, stdout } = fluxTs(['jobs', '--store', store])
    expect(stderr).to.match(/^flux-ts jobs: ƒ\w+: eventlog: missing blobref 0: .*\n$/)
    expect(status).to.equal(1)
    expect(stdout.toString().trimEnd().split('\n')).to.have.length(41)
  })

  it('calls the state of a job unknown when its eventlog is lost, and finds it by that', async () => {
    const blobs = new Blobs()
    const lost = dir({ eventlog: raw('valref', [`sha1-${'1'.repeat(40)}`]), jobspec: val('{}') })
    const jobs = dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': lost }) }) }) })
    const store = join(scratch(), 'content.sqlite')
    writeSqlite(store, blobs, [blobs.tree({ job: jobs })])
    const states = async (state: string) => {
      const args = ['jobs', '--store', store, '-no', '{state}', '--state', state]
      const { stdout, status } = await runInProcess(args)
      return { status, states: stdout.toString().split('\n').slice(0, -1) }
    }
    expect(await states('unknown')).to.deep.equal({ status: 1, states: ['UNKNOWN'] })
    for (const state of ['active', 'inactive', 'new', 'pending,running']) {
      expect(await states(state), state).to.deep.equal({ status: 0, states: [] })
    }
  })

  it('ends quietly when nobody reads on', () => {
    const script = `"${process.execPath}" "${CLI}" jobs --store "${JOBS}" | head -n 1`
    const { stdout, stderr } = spawnSync('sh', ['-c', script], { env: cleanEnv() })
    expect(stdout.toString()).to.match(/^ +JOBID USER/)
    expect(stderr.toString()).to.equal('')
  })
})

describe('flux-ts job get', () => {
  it('shows all records of a job, decoded', () => {
    const { status, stdout } = fluxTs(['job', 'get', '--store', JOBS, 'f239Rs6P'])
    expect(status).to.equal(0)
    const text = stdout.toString()
    for (const name of ['J', 'R', 'eventlog', 'guest.exec.eventlog', 'guest.input', 'guest.output', 'jobspec']) {
      expect(text).to.include(`== ${name}\n`)
    }
    expect(text)
      .to.match(/^2026-11-2[34]T\d\d:\d\d:10\.801[+-]\d\d:\d\d submit userid=0 urgency=16/m)
      .and.include('stdout: grüße, wörld 日本語\n')
  })

  it('prints one as it is stored, and what tasks wrote', () => {
    const get = (...args: string[]) => fluxTs(['job', 'get', '--store', JOBS, 'f239Rs6P', ...args])
    const path = 'job/0000/0009/3100/0000/eventlog'
    expect(get('-r', 'eventlog').stdout).to.deep.equal(run('tar', ['xOf', fixture('jobs', 'dump.tgz'), path]))
    expect(get('--record', 'stdout').stdout.toString()).to.equal('grüße, wörld 日本語\n')
    expect(get('--record', 'stderr').stdout.toString()).to.equal('')
    const { records, jobid } = JSON.parse(get('--json').stdout.toString())
    expect(jobid).to.equal('ƒ239Rs6P')
    expect(records.eventlog[0]).to.deep.include({ name: 'submit' })
    expect(records.R.execution.nodelist).to.deep.equal(['fluke0'])
  })

  it('begins with a summary of the job, in local time or UTC', () => {
    const summaryOf = (...args: string[]) =>
      fluxTs(['job', 'get', '--store', JOBS, 'f239Rs6P', ...args])
        .stdout.toString()
        .split('\n\n')[0] as string
    const lines = summaryOf('--utc').split('\n')
    expect(lines[0]).to.equal('job:        ƒ239Rs6P (39476789248)')
    expect(lines).to.include('nodes:      fluke0').and.include('size:       1 node, 1 task, 1 core')
    expect(lines).to.include('user:       root')
    expect(lines.join('\n'))
      .to.match(/^started: +2026-11-23T\d\d:\d\d:10Z, after waiting 0\.\d s$/m)
      .and.match(/^ended: +2026-11-23T\d\d:\d\d:1\dZ, after running 0\.\d s$/m)
    expect(lines.at(-1)).to.equal('COMPLETED:  exit code 0')
    expect(summaryOf()).to.match(/^submitted: +2026-11-2[34]T\d\d:\d\d:10[+-]\d\d:\d\d$/m)
  })

  it('puts ranks in front of output, and of nothing else', () => {
    const get = (...args: string[]) => fluxTs(['job', 'get', '--store', JOBS, 'f239Rs6P', ...args])
    expect(get('-l', '--record', 'stdout').stdout.toString()).to.equal('0: grüße, wörld 日本語\n')
    expect(get('--label').stdout.toString()).to.include('\nstdout: 0: grüße, wörld 日本語\n')
    expect(get('--label', '--record', 'R')).to.deep.include({ status: 2, stdout: Buffer.alloc(0) })
  })

  it('fails for a job or a record that is not there', () => {
    const missing = fluxTs(['job', 'get', '--store', JOBS, '12'])
    expect(missing).to.include({
      status: 1,
      stderr: 'flux-ts job get: ƒD (job.0000.0000.0000.000c): no such job in the snapshot\n',
    })
    expect(fluxTs(['job', 'get', '--store', JOBS, 'f239Rs6P', '-r', 'nosuch'])).to.include({ status: 1 })
    expect(fluxTs(['job', 'get', '--store', JOBS, '--json', 'f239Rs6P', '-r', 'nosuch'])).to.include({ status: 1 })
    expect(fluxTs(['job', 'get', '--store', JOBS, 'xyz'])).to.include({ status: 2 })
  })
})

describe('flux-ts archive info', () => {
  it('says what an archive is and what root it would give', () => {
    const { status, stdout, stderr } = fluxTs(['archive', 'info', fixture('jobs', 'dump.tgz')])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout.toString())
      .to.include('format:      tar, gzip\n')
      .and.match(/restores to: sha1-0f6fabfd/)
    const utc = fluxTs(['archive', 'info', '--utc', fixture('jobs', 'dump.tgz')]).stdout.toString()
    expect(utc)
      .to.match(/^newest: +2026-11-23T\d\d:\d\d:\d\dZ$/m)
      .and.match(/^value size: +\d+ kB$/m)
    const json = fluxTs(['archive', 'info', '--json', '--hash', 'sha256', fixture('basic', 'dump.tar')])
    expect(JSON.parse(json.stdout.toString()).newest).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(JSON.parse(json.stdout.toString())).to.include({ format: 'tar', hash: 'sha256', warningCount: 0 })
  })

  it('fails with what is wrong for a damaged one', () => {
    const file = copyOf('jobs', 'dump.tgz')
    truncateSync(file, 5000)
    expect(fluxTs(['archive', 'info', file])).to.include({
      status: 1,
      stderr: `flux-ts archive info: ${file}: truncated: the compressed data ends too early\n`,
    })
  })
})
