/** The table of jobs that `flux jobs` prints. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FormatContext } from '../../../../src/inspect/jobs/format/context.ts'
import { FIELD_NAMES } from '../../../../src/inspect/jobs/format/fields.ts'
import { type CompileOptions, compileFormat, compileSortKeys } from '../../../../src/inspect/jobs/format/job-format.ts'
import { JobRows, type RowOptions } from '../../../../src/inspect/jobs/format/job-rows.ts'
import type { Job } from '../../../../src/inspect/jobs/job.ts'
import { jobOf } from '../../../../src/inspect/jobs/job-of.ts'
import { parseJobid } from '../../../../src/kvs/index.ts'
import { fixture, scratch } from '../../../support/fixtures.ts'
import { runInProcess } from '../../../support/in-process.ts'
import { run } from '../../../support/processes.ts'

const CONTEXT: FormatContext = { utc: true, now: 2000, nameOf: (userid) => `user${userid}` }

function job(id: bigint, members: Partial<Job> = {}): Job {
  return { id, state: 'INACTIVE', result: 'COMPLETED', dependencies: [], problems: [], ...members }
}

/** The header and the rows. */
function table(format: string, jobs: readonly Job[], options: CompileOptions & RowOptions = {}): string[] {
  const rows = new JobRows(compileFormat(format, CONTEXT, options), options)
  for (const job of jobs) rows.add(job)
  return [rows.header(), ...[...rows.rows()].map(({ text }) => text)]
}

describe('inspect/jobs/format', () => {
  // Recorded by test/conformance/jobs-format.test.ts.
  const printed = JSON.parse(readFileSync(fixture('jobs-format', 'printed.json'), 'utf8')) as {
    args: string[]
    stdout: string
  }[]
  for (const { args, stdout } of printed) {
    it(`prints what flux jobs ${args.join(' ')} printed`, async () => {
      const archive = fixture('jobs-format', 'dump.tgz')
      const ours = await runInProcess(['jobs', '--archive', archive, ...args], { TZ: 'UTC' })
      expect({ ...ours, stdout: ours.stdout.toString() }).to.deep.equal({ status: 0, stdout, stderr: '' })
    })
  }

  it('writes a time that no calendar has as its seconds', () => {
    const jobs = [job(1n, { state: 'DEPEND', dependencies: ['begin-time=1e300'], t_submit: 1e308, t_run: -1e15 })]
    const format = '{contextual_info} {dependencies} {t_submit!D} {t_run!d:%b%d} {t_submit!d::>8+} {t_submit!r}'
    expect(table(format, jobs).slice(1)).to.deep.equal([
      'depends:begin-time=1e300 begin-time=1e300 1e+308 -1000000000000000 1e+308 1e+308',
    ])
  })

  it('lists those that wait by priority, then those that run, then those that have ended, then the unknown', () => {
    const jobs = [
      job(9n, { state: 'UNKNOWN' }),
      job(8n, { t_inactive: 10 }),
      job(7n, { state: 'DEPEND' }),
      job(6n, { state: 'RUN', t_run: 5 }),
      job(5n, { t_inactive: 20 }),
      job(4n, { t_inactive: 10 }),
      job(3n, { state: 'CLEANUP', t_run: 6 }),
      job(2n, { state: 'SCHED', priority: 16 }),
      job(1n, { state: 'SCHED', priority: 16 }),
    ]
    expect(table('{id.dec}', jobs).slice(1)).to.deep.equal(['1', '2', '7', '3', '6', '5', '8', '4', '9'])
    expect(table('{id.dec}', jobs.toReversed()).slice(1)).to.deep.equal(['1', '2', '7', '3', '6', '5', '8', '4', '9'])
    const ids = [4n, 9n, 2n, 1n, 3n, 5n, 6n, 7n, 8n]
    expect(table('{id.dec}', jobs, { ids }).slice(1)).to.deep.equal(ids.map(String))
  })

  it('sorts nothing before numbers, numbers before texts, and texts by their characters', () => {
    const names = ['b', '10', undefined, '9', '\u{1f600}', '\uff5e', '-', '1e1', 'a']
    const jobs = names.map((name, i) => job(BigInt(names.length - i), { name }))
    const sorted = ['', '-', '9', '10', '1e1', 'a', 'b', '\uff5e', '\u{1f600}']
    const rows = table('sort:name {id.dec}:{name}', jobs).slice(1)
    expect(rows.map((row) => row.replace(/^\d+:/, ''))).to.deep.equal(sorted)
    // Equal ones keep their order also when the order is reversed.
    const reversed = table('{name}', jobs, {
      sortKeys: compileSortKeys([{ field: 'name', isReversed: true }], CONTEXT),
    }).slice(1)
    expect(reversed).to.deep.equal(['\u{1f600}', '\uff5e', 'b', 'a', '10', '1e1', '9', '-'])
  })

  it('removes a column without values, with the text before it, and widens one to its longest value', () => {
    const jobs = [job(2n, { name: 'a' }), job(1n, { name: 'long name' })]
    expect(table('{id.dec} queue ?:{queue:<8} +:{name:>3.3}|', jobs)).to.deep.equal([
      'JOBID      NAME|',
      '2         a|',
      '1 long name|',
    ])
    expect(table('{id.dec} ?+:{queue} ?:{bank}', [job(1n, { queue: 'q', bank: '' })])).to.deep.equal([
      'JOBID QUEUE',
      '1 q    ',
    ])
    expect(table('?+:{queue:<1}|{id.dec}', [job(1n, { queue: 'q' })], { noHeader: true })[1]).to.equal('q|1')
  })

  it('widens a column of times', () => {
    expect(table('+:{t_submit!d:%H:%M::>3}|', [job(2n, { t_submit: 3600 }), job(1n)])[1]).to.equal('   01:00|')
  })

  it('leaves out lines that are blank', () => {
    expect(table('{name} {queue}', [job(2n), job(1n, { name: 'x' })])).to.deep.equal(['NAME QUEUE', 'x '])
  })

  it('keeps the lines of thousands of jobs, in any language', () => {
    const jobs = Array.from({ length: 5000 }, (_, i) => job(BigInt(5000 - i), { name: `名前 ${'é'.repeat(i % 300)}` }))
    const rows = table('{id.dec} ?:{queue} {name}|{cwd}', jobs).slice(1)
    expect(rows).to.deep.equal(jobs.map(({ id, name }) => `${id} ${name}|`))
  })

  it('writes the job of a damaged record with what is left of it', () => {
    const lost = job(1n, { state: 'UNKNOWN' })
    delete lost.result
    const format =
      '{state} {status_abbrev} {status} {username:h} {t_submit:h} {name:h} {contextual_time!F:h} {inactive_reason:h}'
    expect(table(format, [lost])[1]).to.equal('UNKNOWN ? UNKNOWN - - - - -')
  })

  it('keeps each job on one line, whatever its name is', () => {
    const name = 'a\nb\x1b[2J\u202e'
    const note = 'x\ty'
    const broken = job(1n, {
      name,
      exception: { severity: 0, type: 'cancel', note },
      annotations: { user: { n: 'a\r' } },
    })
    const format = '{name}|{exception.note}|{user.n}|{user}|{name:.3+}'
    expect(table(format, [broken])[1]).to.equal('a\\nb\\x1b[2J\\u202e|x\\ty|a\\r|{"n": "a\\r"}|a\\+')
  })

  it('says which records tell its fields', () => {
    const records = (format: string) => compileFormat(format, CONTEXT).records.toSorted()
    expect(records('{}text')).to.deep.equal(['eventlog'])
    expect(records('{id} {t_submit!D} {annotations.user.x}')).to.deep.equal(['eventlog'])
    expect(records('{id} ?:{name}')).to.deep.equal(['eventlog', 'jobspec'])
    expect(records('sort:queue {nodelist}')).to.deep.equal(['R', 'eventlog', 'jobspec'])
  })

  it('tells each field from the records that it names', () => {
    const dir = scratch()
    run('tar', ['xzf', fixture('jobs-format', 'dump.tgz'), '-C', dir, 'job'])
    const directories = globSync('job/*/*/*/*', { cwd: dir })
    expect(directories).to.have.length(24)
    for (const directory of directories) {
      const read = (names: readonly string[]) => {
        const found = names.filter((name) => existsSync(join(dir, directory, name)))
        const records = Object.fromEntries(
          found.map((name) => [name, readFileSync(join(dir, directory, name), 'utf8')] as const),
        )
        return jobOf(parseJobid(directory.replaceAll('/', '.')), records)
      }
      for (const field of FIELD_NAMES) {
        const { records } = compileFormat(`{${field}}`, CONTEXT)
        const [few, all] = [read(records), read(['eventlog', 'jobspec', 'R'])].map((job) => table(`{${field}}`, [job]))
        expect(few, `${field} of ${directory}`).to.deep.equal(all)
      }
    }
  })

  it('counts the time of a job that has not ended until the time of the snapshot', () => {
    const running = job(1n, { state: 'RUN', t_run: 1900, expiration: 2060 })
    delete running.result
    expect(table('{runtime!F} {contextual_time!H} {t_remaining!F}', [running])[1]).to.equal('1.667m 0:01:40 1m')
    const estimated = (t_estimate: number) =>
      job(1n, { state: 'SCHED', annotations: { sched: { t_estimate } }, urgency: 16, priority: 16 })
    expect(table('{contextual_info}', [estimated(2030)])[1]).to.equal('eta:30s')
    expect(table('{contextual_info}', [estimated(1999)])[1]).to.equal('eta:now')
  })

  it('prints nothing for a number that a job does not have, whatever its type', () => {
    expect(table('{nnodes:>4d}|{nnodes:04x}|{user.n:+,d}|{nnodes:=4}', [job(1n)])[1]).to.equal('    |0000||    ')
  })

  it('reads indices, and writes braces', () => {
    const annotated = job(1n, { annotations: { user: { list: ['a', { b: 2 }] } } })
    expect(table('{{{user.list[1].b:02}}} {user.list[7]:h} {user.list}', [annotated])[1]).to.equal(
      "{02} - ['a', {'b': 2}]",
    )
  })

  it('says why a job ended by the number of its signal', () => {
    const ended = (code: number) => job(1n, { result: 'FAILED', waitstatus: code << 8 })
    const reasons = [129, 159, 160, 162, 192, 193, 128, 5].map((code) => table('{inactive_reason}', [ended(code)])[1])
    expect(reasons).to.deep.equal([
      'Hangup',
      'Bad system call',
      'None',
      'Real-time signal 0',
      'Real-time signal 30',
      'Signaled 65',
      'Invalid argument to exit',
      'Exit 5',
    ])
  })

  const WRONG: [format: string, message: string, hint?: string][] = [
    ['{id', "{id: no '}' for the '{' at character 1", 'write {{ for a brace that is text'],
    ['id}', "id}: a single '}' at character 3", 'write }} for a brace that is text'],
    ['{nam}', 'nam: no such field'],
    ['{id!x}', '{id!x}: no such conversion', 'there are !d !D !F !H !P, and !s !r !a'],
    ['{id!dd}', "{id!dd}: '!' takes one letter, and then a colon or the end of the field"],
    ['{id[}', "{id[}: a '[' without its ']'"],
    ['{name!F}', '{name!F}: this conversion is for numbers, and name is text'],
    ['{name:d}', "{name}: the type 'd' is for numbers, and this is text"],
    ['{name:=10}', "{name}: the alignment '=' is for numbers, and this is text"],
    ['{name:+10}', "{name}: the sign '+' is for numbers, and this is text"],
    ['{name:,}', "{name}: ',' is for numbers, and this is text"],
    ['{name:10q}', "{name}: the type 'q' is for numbers, and this is text"],
    ['{name:10.x}', '{name:10.x}: not a format specification', 'it looks like >12, <10.10 or 8.3f'],
    ['{name:999999}', '{name:999999}: too wide', 'the largest width is 100000'],
    ['{t_submit!d:%777777777Y}', '%777777777: too wide', 'the largest width is 100000'],
    ['{ntasks:.2}', '{ntasks}: a whole number has no precision', 'add an f'],
    ['{ntasks:z}', "{ntasks}: 'z' is for numbers with a fraction"],
    ['{ntasks:+c}', "{ntasks}: the type 'c' takes no sign, '#' or ','"],
    ['{ntasks:,x}', "{ntasks}: ',' does not go with the type 'x'"],
    ['{ntasks:_n}', "{ntasks}: '_' does not go with the type 'n'"],
    ['{ntasks:q}', "{ntasks}: there is no type 'q' for whole numbers"],
    ['{t_submit:d}', "{t_submit}: there is no type 'd' for numbers with a fraction"],
    ['{t_submit:.300f}', '{t_submit:.300f}: too precise', 'the largest precision of a number is 100'],
    ['{name:>{ntasks}}', '{name:>{ntasks}}: a field inside a field', 'give the width as a number'],
    ['{name:dh}', '{name:ds}: not a format specification', 'it looks like >12, <10.10 or 8.3f'],
    ['sort: {id}', 'sort: {id}: no keys after sort:', 'it looks like sort:-t_submit {id} {name}'],
    ['sort:nam {id}', 'nam: no such field'],
    [
      '{instance.stats}',
      'instance.stats: a snapshot does not hold this field',
      'only the running instance of the job tells it',
    ],
    ['{sched.t_estimate}', 'sched.t_estimate: a snapshot does not hold this field', 'the scheduler keeps it in memory'],
    [
      '{annotations.sched.reason_pending}',
      'annotations.sched.reason_pending: a snapshot does not hold this field',
      'the scheduler keeps it in memory',
    ],
    ['?:{name:d}', "{name}: the type 'd' is for numbers, and this is text"],
  ]
  for (const [format, message, hint] of WRONG) {
    it(`refuses ${format}`, () => {
      expect(() => compileFormat(format, CONTEXT))
        .to.throw()
        .with.include({ code: 'EINVAL', message, hint })
    })
  }
})
