import { expect } from 'chai'
import {
  figuresJson,
  JOB_GROUPS,
  type Job,
  type JobGroup,
  JobUsage,
  type JobUsageOptions,
  jobOf,
} from '../../../../src/inspect/index.ts'
import { inTimeZone } from '../../../support/time-zone.ts'

const T0 = Date.parse('2026-11-24T00:00:00Z') / 1000
const HOUR = 3600

interface Made {
  submit?: number
  alloc?: number
  finish?: number
  free?: number
  /** Hosts with their cores and GPUs. */
  hosts?: Record<string, [cores: number, gpus: number]>
  status?: number
  exception?: string
  userid?: number
  queue?: string
  name?: string
}

let nextId = 1n

function idset(count: number): string {
  return count === 1 ? '0' : `0-${count - 1}`
}

/** A job, built from its records. Times are hours after T0. */
function job(made: Made): Job {
  const { submit = 0, alloc, finish, free = finish, hosts = { a: [4, 0] }, status = 0, userid = 1, exception } = made
  const events: [time: number, name: string, context?: object][] = [
    [submit, 'submit', { userid, urgency: 16, flags: 0, version: 1 }],
    [submit, 'validate'],
    [submit, 'depend'],
    [submit, 'priority', { priority: 16 }],
  ]
  if (alloc !== undefined) events.push([alloc, 'alloc'], [alloc, 'start'])
  const end = finish ?? alloc ?? submit
  if (exception) events.push([end, 'exception', { type: exception, severity: 0, note: '', userid }])
  if (finish !== undefined) events.push([finish, 'finish', { status }])
  if (finish !== undefined && free !== undefined) {
    events.push([finish, 'release', { ranks: 'all', final: true }], [free, 'free'])
  }
  if (exception || finish !== undefined) events.push([free ?? end, 'clean'])
  const names = Object.keys(hosts)
  const R_lite = Object.values(hosts).map(([cores, gpus], rank) => ({
    rank: String(rank),
    children: { core: idset(cores), ...(gpus > 0 ? { gpu: idset(gpus) } : {}) },
  }))
  return jobOf(nextId++, {
    eventlog: events
      .map(([time, name, context]) => `${JSON.stringify({ timestamp: T0 + time * HOUR, name, context })}\n`)
      .join(''),
    jobspec: JSON.stringify({
      resources: [{ type: 'slot', count: 1, with: [{ type: 'core', count: 1 }], label: 'task' }],
      tasks: [{ command: ['app'], slot: 'task', count: { per_slot: 1 } }],
      attributes: { system: { duration: 0, queue: made.queue, job: { name: made.name ?? 'app' } } },
      version: 1,
    }),
    R: alloc === undefined ? undefined : JSON.stringify({ version: 1, execution: { R_lite, nodelist: names } }),
  })
}

function gathered(jobs: readonly Job[], by: readonly JobGroup[], options: JobUsageOptions = {}) {
  const usage = new JobUsage([by], { utc: true, ...options })
  usage.addJobs(jobs)
  const [table] = usage.tables()
  return { total: usage.total, rows: table?.rows ?? [] }
}

/** Jobs and node-hours of each row, by its keys. */
function brief(jobs: readonly Job[], by: readonly JobGroup[], options: JobUsageOptions = {}) {
  return gathered(jobs, by, options).rows.map(({ keys, figures }) => [
    keys.join(' '),
    figures.jobCount,
    Math.round((figures.nodeSeconds / HOUR) * 1e6) / 1e6,
  ])
}

describe('inspect/usage', () => {
  it('counts resources from alloc to free, the wait from submit to alloc, and the run time from RUN to CLEANUP', () => {
    const jobs = [
      // 2 nodes, 12 cores and 3 GPUs for 5 hours, of which the last was an epilog.
      job({ submit: 0, alloc: 1, finish: 5, free: 6, hosts: { a: [8, 2], b: [4, 1] } }),
      job({ submit: 2, alloc: 5, finish: 7, status: 256 }),
      job({ submit: 2, alloc: 4, finish: 7, status: 36_352, exception: 'timeout' }),
      // Canceled before it ran, and still waiting.
      job({ submit: 3, exception: 'cancel' }),
      job({ submit: 3 }),
    ]
    expect(figuresJson(gathered(jobs, []).total)).to.deep.equal({
      jobCount: 5,
      failedCount: 1,
      canceledCount: 1,
      timeoutCount: 1,
      nodeHours: 2 * 5 + 2 + 3,
      coreHours: 12 * 5 + 4 * 2 + 4 * 3,
      gpuHours: 3 * 5,
      wait: { median: 2 * HOUR, p95: 2.9 * HOUR },
      runtime: { median: 3 * HOUR, p95: 3.9 * HOUR, sum: 9 * HOUR },
    })
  })

  it('counts what is still held to the time of the snapshot, or else to the last event', () => {
    const jobs = [job({ alloc: 1 }), job({ submit: 0, alloc: 2, finish: 4 })]
    expect(gathered(jobs, [], { now: T0 + 10 * HOUR }).total.nodeSeconds).to.equal((9 + 2) * HOUR)
    expect(gathered(jobs, []).total.nodeSeconds).to.equal((3 + 2) * HOUR)
    expect(gathered(jobs, []).total.runtime.count).to.equal(1)
  })

  it('counts a job whose free event is lost until it became inactive, and none whose R is lost', () => {
    const { allocation: _, ...lost } = job({ alloc: 1, finish: 2 })
    const cut = job({ alloc: 1, finish: 2, free: 3 })
    delete cut.t_free
    expect(gathered([lost, cut], [], { now: T0 + 100 * HOUR }).total.nodeSeconds).to.equal(2 * HOUR)
  })

  it('divides hours between periods, and counts a job where it ended', () => {
    const jobs = [
      job({ submit: 20, alloc: 22, finish: 50 }),
      job({ submit: 20, alloc: 23, finish: 24, free: 25 }),
      job({ submit: 49, alloc: 50 }),
      job({ submit: 50 }),
    ]
    expect(brief(jobs, ['day'], { now: T0 + 52 * HOUR })).to.deep.equal([
      ['2026-11-24', 0, 3],
      ['2026-11-25', 1, 25],
      ['2026-11-26', 1, 4],
      ['', 2, 0],
    ])
    expect(brief(jobs.slice(1, 2), ['hour'])).to.deep.equal([
      ['2026-11-24T23:00Z', 0, 1],
      ['2026-11-25T00:00Z', 0, 1],
      ['2026-11-25T01:00Z', 1, 0],
    ])
  })

  it('gives the day on which the clocks are set back 25 hours of a node', () => {
    inTimeZone('Europe/Berlin', () => {
      const start = (Date.parse('2026-10-23T22:00:00Z') / 1000 - T0) / HOUR
      const long = job({ submit: start, alloc: start, finish: start + 24 + 25 + 24 })
      expect(brief([long], ['day'], { utc: false })).to.deep.equal([
        ['2026-10-24', 0, 24],
        ['2026-10-25', 0, 25],
        ['2026-10-26', 0, 24],
        ['2026-10-27', 1, 0],
      ])
    })
  })

  it('counts only what was held within a window, and a job that ended after it as not ended', () => {
    const jobs = [job({ submit: 0, alloc: 1, finish: 30 }), job({ submit: 25, alloc: 26, finish: 27 })]
    const window = { from: T0 + 24 * HOUR, to: T0 + 28 * HOUR }
    expect(gathered(jobs, [], { window }).total.nodeSeconds).to.equal((4 + 1) * HOUR)
    expect(brief(jobs, ['day'], { window })).to.deep.equal([
      ['2026-11-25', 1, 5],
      ['', 1, 0],
    ])
  })

  it('gives each node its part, and counts a job on each of its nodes', () => {
    const jobs = [
      job({ alloc: 0, finish: 2, hosts: { a: [8, 0], b: [2, 4] } }),
      job({ alloc: 2, finish: 3, hosts: { b: [1, 0] } }),
      job({ submit: 3 }),
    ]
    const { rows } = gathered(jobs, ['node'])
    const cells = rows.map(({ keys, figures: { jobCount, nodeSeconds, coreSeconds, gpuSeconds } }) => [
      keys[0],
      jobCount,
      ...[nodeSeconds, coreSeconds, gpuSeconds].map((seconds) => seconds / HOUR),
    ])
    expect(cells).to.deep.equal([
      ['b', 2, 3, 5, 8],
      ['a', 1, 2, 16, 0],
      [null, 1, 0, 0, 0],
    ])
  })

  it('counts a job once on a host with several brokers', () => {
    const R = JSON.stringify({
      version: 1,
      execution: { R_lite: [{ rank: '0-3', children: { core: '0-1' } }], nodelist: ['a,a,a,b'] },
    })
    const { allocation, nodelist } = jobOf(1n, {
      R,
      eventlog: '{"timestamp":1,"name":"submit","context":{"version":1}}\n{"timestamp":1,"name":"alloc"}\n',
    })
    const jobs = [{ ...job({ alloc: 0, finish: 1 }), allocation, nodelist }]
    expect(brief(jobs, ['node'])).to.deep.equal([
      ['a', 1, 3],
      ['b', 1, 1],
    ])
    const { nodelist: _, ...nameless } = jobs[0] as Job
    expect(brief([nameless], ['node']).map(([name]) => name)).to.deep.equal(['rank0', 'rank1', 'rank2', 'rank3'])
  })

  it('groups by attributes, with the most node-hours first, sizes from small to large', () => {
    const hosts = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, [1, 0]]))
    const jobs = [1, 2, 3, 4, 5, 8, 9, 16, 17].map((count) =>
      job({ alloc: 0, finish: 1, hosts: hosts(count) as Record<string, [number, number]>, userid: count % 2 }),
    )
    expect(brief(jobs, ['size'])).to.deep.equal([
      ['1', 1, 1],
      ['2', 1, 2],
      ['3-4', 2, 7],
      ['5-8', 2, 13],
      ['9-16', 2, 25],
      ['17-32', 1, 17],
    ])
    const userName = (id: number) => (id === 1 ? 'odd' : 'even')
    expect(brief(jobs, ['user'], { userName })).to.deep.equal([
      ['odd', 5, 35],
      ['even', 4, 30],
    ])
    const ended = [job({ queue: 'q', alloc: 0, finish: 1, status: 256, name: 'x' }), job({ name: 'y' })]
    expect(brief(ended, ['queue', 'result', 'status', 'name'])).to.deep.equal([
      ['q FAILED FAILED x', 1, 1],
      ['  SCHED y', 1, 0],
    ])
  })

  it('has a row for each combination of two groups', () => {
    const jobs = [
      job({ alloc: 20, finish: 26, userid: 1 }),
      job({ alloc: 23, finish: 25, userid: 2 }),
      job({ alloc: 30, finish: 31, userid: 2 }),
    ]
    expect(brief(jobs, ['day', 'user'])).to.deep.equal([
      ['2026-11-24 1', 0, 4],
      ['2026-11-24 2', 0, 1],
      ['2026-11-25 1', 1, 2],
      ['2026-11-25 2', 2, 2],
    ])
    expect(brief(jobs, ['user', 'day']).map(([keys]) => keys)).to.deep.equal([
      '1 2026-11-24',
      '1 2026-11-25',
      '2 2026-11-24',
      '2 2026-11-25',
    ])
  })

  it('takes one period and each group once', () => {
    for (const [by, message] of [
      [['day', 'month'], /one period/],
      [['user', 'user'], /twice/],
    ] as const) {
      expect(() => new JobUsage([by]))
        .to.throw(message)
        .with.property('code', 'EINVAL')
    }
  })

  it('does not fill the memory with the periods of a damaged eventlog', () => {
    const jobs = [
      { ...job({ alloc: 0, finish: 1 }), t_free: 1e18 },
      { ...job({ alloc: 0, finish: 1 }), t_alloc: -1e300 },
      { ...job({ alloc: 0, finish: 1 }), t_inactive: Number.NaN },
    ]
    expect(brief(jobs, ['hour'])).to.deep.equal([
      ['2026-11-24T00:00Z', 0, 1],
      ['2026-11-24T01:00Z', 2, 0],
      ['', 1, 0],
    ])
  })

  it('has the same sums in every grouping, whatever the jobs', () => {
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * below)
    }
    const jobs = Array.from({ length: 400 }, () => {
      const submit = random(2000)
      const alloc = random(10) === 0 ? undefined : submit + random(50)
      const finish = alloc === undefined || random(10) === 0 ? undefined : alloc + random(100)
      const hosts: Made['hosts'] = {}
      for (let i = 0; i <= random(9); i++) hosts[`n${random(20)}`] = [1 + random(8), random(3)]
      const exception = finish === undefined ? undefined : [undefined, 'cancel', 'timeout'][random(3)]
      return job({
        submit,
        userid: random(5),
        hosts,
        status: random(2) * 256,
        ...(alloc === undefined ? {} : { alloc }),
        ...(finish === undefined ? {} : { finish, free: finish + random(3) }),
        ...(exception ? { exception } : {}),
      })
    })
    const groupings: JobGroup[][] = [[], ...JOB_GROUPS.map((group) => [group]), ['day', 'node'], ['user', 'week']]
    const usage = new JobUsage(groupings, { now: T0 + 2200 * HOUR })
    for (let i = 0; i < jobs.length; i += 50) usage.addJobs(jobs.slice(i, i + 50))
    const { total } = usage
    for (const { by, rows } of usage.tables()) {
      const sum = (member: 'jobCount' | 'failedCount' | 'nodeSeconds' | 'coreSeconds' | 'gpuSeconds') =>
        rows.reduce((before, { figures }) => before + figures[member], 0)
      for (const member of ['nodeSeconds', 'coreSeconds', 'gpuSeconds'] as const) {
        expect(total[member]).to.be.above(0)
        expect(sum(member), `${member} by ${by}`).to.be.closeTo(total[member], 1e-3)
      }
      if (by.includes('node')) continue
      expect(sum('jobCount'), `by ${by}`).to.equal(jobs.length)
      expect(sum('failedCount'), `by ${by}`).to.equal(total.failedCount)
    }
  })
})
