import { expect } from 'chai'
import { HeldByRank, type Job, JobUsage, jobOf, PeriodUsage } from '../../../../src/inspect/index.ts'

const HOUR = 3600
const DAY = 24 * HOUR
/** A Thursday. */
const T0 = Date.parse('2026-01-01T00:00:00Z') / 1000

let nextId = 1n

function job(alloc: number, hours: number, status = 0, ranks = '0-1'): Job {
  const at = T0 + alloc
  const end = at + hours * HOUR
  const events = [
    [at, 'submit', { userid: 1, urgency: 16, flags: 0, version: 1 }],
    [at, 'validate'],
    [at, 'depend'],
    [at, 'priority', { priority: 16 }],
    [at, 'alloc'],
    [at, 'start'],
    [end, 'finish', { status }],
    [end, 'release', { ranks: 'all', final: true }],
    [end, 'free'],
    [end, 'clean'],
  ].map(([timestamp, name, context]) => `${JSON.stringify({ timestamp, name, context })}\n`)
  const R_lite = [{ rank: ranks, children: { core: '0-3' } }]
  const R = JSON.stringify({ version: 1, execution: { R_lite, nodelist: ['n[0-1]'] } })
  return jobOf(nextId++, { eventlog: events.join(''), R }, [], new Set(['eventlog', 'R']))
}

function periodsOf(jobs: readonly Job[], most: number) {
  const periods = new PeriodUsage(most, { utc: true })
  const usage = new JobUsage([['hour'], ['day'], ['week'], ['month']], { utc: true, sums: [periods] })
  usage.addJobs(jobs)
  const tables = usage.tables()
  return { ...periods.periods(), tables }
}

describe('inspect/usage PeriodUsage', () => {
  it('has hours, days, weeks or months, so that there are few', () => {
    for (const [days, most, unit] of [
      [1, 48, 'hour'],
      [3, 48, 'day'],
      [60, 48, 'week'],
      [400, 48, 'month'],
      [4000, 48, 'month'],
    ] as const) {
      expect(periodsOf([job(0, 1), job(days * DAY, 1)], most).unit, `${days} days`).to.equal(unit)
    }
  })

  it('has the figures of JobUsage in each unit, and no gaps', () => {
    const jobs = [job(0, 30), job(5 * DAY, 3, 256), job(5 * DAY + 100, 1), job(40 * DAY, 50), job(45 * DAY - 1, 400)]
    for (const [most, index, seconds] of [
      [10_000, 0, HOUR],
      [100, 1, DAY],
      [12, 2, 7 * DAY],
      [2, 3, undefined],
    ] as const) {
      const { rows, tables } = periodsOf(jobs, most)
      for (const [i, { start, end }] of rows.entries()) {
        if (seconds) expect(end - start).to.equal(seconds)
        if (i > 0) expect(start).to.equal(rows[i - 1]?.end)
      }
      const some = rows.filter(({ jobCount, nodeSeconds }) => jobCount > 0 || nodeSeconds > 0)
      const figures = tables[index]?.rows.map(({ start, figures }) => [
        start,
        figures.jobCount,
        figures.failedCount,
        Math.round(figures.nodeSeconds),
      ])
      expect(some.map((row) => [row.start, row.jobCount, row.failedCount, Math.round(row.nodeSeconds)])).to.deep.equal(
        figures,
      )
    }
  })

  it('has none without jobs', () => {
    expect(periodsOf([], 10).rows).to.deep.equal([])
  })
})

describe('inspect/usage HeldByRank', () => {
  it('adds up for how long each rank was held, and takes no damaged record for a cluster', () => {
    const held = new HeldByRank()
    const usage = new JobUsage([], { utc: true, sums: [held] })
    usage.addJobs([job(0, 2), job(DAY, 3, 0, '1'), job(0, 1, 0, '0-2147483646')])
    expect([0, 1, 2].map((rank) => held.secondsOf(rank) / HOUR)).to.deep.equal([3, 6, 1])
    expect(held.secondsOf(1 << 21)).to.equal(0)
  })
})
