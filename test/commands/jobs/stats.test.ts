import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { fixture } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'

const JOBS = fixture('jobs')
const UTC = { TZ: 'UTC' }

/** The lines that `jobs stats` prints into a pipe, as cells. */
async function stats(args: string): Promise<string[][]> {
  const { status, stdout, stderr } = await runInProcess(['jobs', 'stats', ...args.split(' ')], UTC)
  expect(stderr).to.equal('')
  expect(status).to.equal(0)
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
}

interface Listed {
  t_submit: number
  t_run?: number
  t_cleanup?: number
  result?: string
  username: string
}

/** The jobs, as `flux jobs --json` listed them when the fixture was made. */
const LISTED = (JSON.parse(readFileSync(fixture('jobs', 'jobs.json'), 'utf8')) as { jobs: Listed[] }).jobs

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = part * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number]
  return below + (above - below) * (at % 1)
}

describe('jobs stats', () => {
  it('tells the counts, waits and run times that follow from what flux jobs listed', async () => {
    const [[jobs, failed, , , , ...times] = []] = await stats(`--store ${JOBS}`)
    expect([Number(jobs), Number(failed)]).to.deep.equal([
      LISTED.length,
      LISTED.filter(({ result }) => result === 'FAILED').length,
    ])
    const waits = LISTED.flatMap(({ t_submit, t_run }) => (t_run === undefined ? [] : [t_run - t_submit]))
    const runs = LISTED.flatMap(({ t_run, t_cleanup }) => (t_run && t_cleanup ? [t_cleanup - t_run] : []))
    const expected = [
      ...[0.5, 0.95].map((part) => quantile(waits, part)),
      ...[0.5, 0.95].map((part) => quantile(runs, part)),
      runs.reduce((sum, run) => sum + run, 0),
    ]
    for (const [i, time] of times.entries()) expect(Number(time)).to.be.closeTo(expected[i] as number, 1e-5)
  })

  it('has the same node-hours in a store and in its dump, by whatever they are divided', async () => {
    const [total] = await stats(`--store ${JOBS}`)
    const [, , nodeHours] = total as string[]
    expect(Number(nodeHours)).to.be.above(0)
    for (const by of ['day', 'node', 'user', 'size', 'result,hour']) {
      const rows = await stats(`--by ${by} --store ${JOBS}`)
      const columns = by.split(',').length
      const ofRow = (row: readonly string[]) => Number(row[columns + 2])
      expect(ofRow(rows.at(-1) as string[])).to.equal(Number(nodeHours))
      const sum = rows.slice(0, -1).reduce((before, row) => before + ofRow(row), 0)
      expect(sum, by).to.be.closeTo(Number(nodeHours), 1e-5)
    }
  })

  it('selects jobs as jobs does', async () => {
    const failed = LISTED.filter(({ result }) => result === 'FAILED').length
    const [row] = await stats(`--filter failed --store ${JOBS}`)
    expect(row?.slice(0, 2)).to.deep.equal([String(failed), String(failed)])
    expect((await stats(`-c 2 --store ${JOBS}`))[0]?.[0]).to.equal('2')
  })

  it('counts resources only between --since and --before', async () => {
    const { t_run = 0 } = LISTED.find(({ t_run, t_cleanup }) => t_run && t_cleanup) ?? {}
    const [row] = await stats(`--since ${t_run - 86400} --before ${t_run - 3600} --store ${JOBS}`)
    expect(row?.slice(0, 5)).to.deep.equal(['0', '0', '0', '0', '0'])
  })

  it('prints CSV that has titles with units', async () => {
    const { stdout } = await runInProcess(['jobs', 'stats', '--by', 'result,user', '--csv', '--store', JOBS], UTC)
    const [titles = '', ...rows] = stdout.toString().trimEnd().split('\r\n')
    expect(titles).to.equal(
      'result,user,jobs,failed,canceled,timeout,node_hours,core_hours,gpu_hours,wait_median_seconds,wait_p95_seconds,run_median_seconds,run_p95_seconds,run_sum_seconds',
    )
    const counted = rows.map((row) => row.split(',')).map(([result, , jobs]) => [result, Number(jobs)])
    const results = new Set(LISTED.map(({ result }) => result))
    expect(results).to.include('FAILED').and.include('COMPLETED')
    for (const result of results) {
      const count = LISTED.filter((job) => job.result === result).length
      expect(counted).to.deep.include([result ?? '', count])
    }
  })

  it('leaves jobs JOBID a command', async () => {
    const { stdout } = await runInProcess(['jobs', '--store', JOBS, '--json'])
    const [{ jobid }] = (JSON.parse(stdout.toString()) as { jobs: [{ jobid: string }] }).jobs
    const one = await runInProcess(['jobs', jobid, '--store', JOBS, '--json'])
    expect(JSON.parse(one.stdout.toString())).to.include({ jobid })
    expect((await stats(`${jobid} --store ${JOBS}`)).at(-1)?.[0]).to.equal('1')
    expect((await stats(`--store ${JOBS} --by user ${jobid}`)).at(-1)?.[1]).to.equal('1')
    const named = await runInProcess(['jobs', '--store', JOBS, '--json', '--user', 'root', jobid])
    expect(JSON.parse(named.stdout.toString())).to.include({ jobid })
  })

  it('refuses groups that do not go together', async () => {
    for (const [by, message] of [
      ['day,month', 'only one period'],
      ['user,user', 'twice'],
      ['colour', 'colour'],
    ] as const) {
      const { status, stderr } = await runInProcess(['jobs', 'stats', '--by', by, '--store', JOBS])
      expect(status).to.equal(2)
      expect(stderr).to.include(message)
    }
  })
})
