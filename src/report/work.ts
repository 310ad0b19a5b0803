/** What the machine did: the figures of its jobs. */
import {
  figuresJson,
  HeldByRank,
  JOB_RESULTS,
  type Job,
  type JobFigures,
  JobUsage,
  jobRuntime,
  jobStatus,
  jobs,
  PeriodUsage,
  type Sample,
  type UsageTable,
} from '../inspect/index.ts'
import { formatJobid, type Snapshot } from '../kvs/index.ts'
import { FailedNames } from './failed-names.ts'
import type { Faults } from './faults.ts'
import type { Names } from './names.ts'
import type { UserNames } from './options.ts'
import type { ReportFigures, ReportGroup, ReportHistogram, ReportJob, ReportPeriod, ReportWork } from './report-data.ts'

/** About so many periods make a picture that can be read. */
const MOST_PERIODS = 200

/** Rows of a table of users, queues and so on; the rest is joined. */
const MOST_ROWS = 20

/** The longest jobs that are listed. */
const LONGEST_JOBS = 10

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400]

/** Bounds of the histograms, in seconds: the usual words for durations, in about equal steps of their logarithm. */
const BOUNDS = [
  0,
  1,
  3,
  10,
  30,
  MINUTE,
  3 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  4 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  364 * DAY,
  // All that is longer: no time of a job is later than the year 2100, unless its record is damaged.
  36_400 * DAY,
]

/** What {@link gatherWork} needs besides the snapshot. */
export interface WorkOptions {
  /** When the snapshot was taken; undefined when nothing tells it. */
  now: number | undefined
  /** Nodes of the instance. */
  nodeCount: number | null
  /** When the records of the instance begin. */
  since: number | undefined
  users: UserNames | undefined
  names: Names
  faults: Faults
  signal: AbortSignal | undefined
}

/** The work, and for how long each rank was held. */
export interface GatheredWork {
  readonly work: ReportWork
  readonly heldByRank: HeldByRank
}

/** Gather the figures of all jobs, in one pass over them. @throws {TreeError} the root or `job` is damaged */
export async function gatherWork(snapshot: Snapshot, options: WorkOptions): Promise<GatheredWork> {
  const { users, names, faults, now, signal } = options
  const nameOf = (userid: number) => users?.nameOf(userid) ?? String(userid)
  const heldByRank = new HeldByRank()
  const periods = new PeriodUsage(MOST_PERIODS, { utc: true })
  const groups = [['user'], ['queue'], ['bank'], ['size'], ['status']] as const
  const usage = new JobUsage(groups, { now, utc: true, userName: nameOf, sums: [heldByRank, periods] })
  const failed = new FailedNames()
  const longest = new Longest()
  for await (const batch of jobs(snapshot, { onFault: faults.onFault, signal })) {
    users?.learn(batch.map(({ userid }) => userid))
    usage.addJobs(batch)
    for (const job of batch) {
      failed.add(job)
      longest.add(job)
      for (const { record, kind, message } of job.problems)
        faults.add(`${formatJobid(job.id)}: ${message}`, `${record}: ${kind}`)
    }
  }
  const [byUser, byQueue, byBank, bySize, byStatus] = usage.tables() as [
    UsageTable,
    UsageTable,
    UsageTable,
    UsageTable,
    UsageTable,
  ]
  const statuses = byStatus.rows.map(({ keys: [status = null], figures }) => ({ status, count: figures.jobCount }))
  const isResult = (status: string | null) => (JOB_RESULTS as readonly (string | null)[]).includes(status)
  const { total } = usage
  const work: ReportWork = {
    total: figuresOf(total),
    ...periodsOf(periods, options),
    states: statuses
      .filter(({ status }) => !isResult(status))
      .map(({ status, count }) => ({ state: status ?? 'UNKNOWN', count })),
    results: statuses
      .filter(({ status }) => isResult(status))
      .map(({ status, count }) => ({ result: status as string, count })),
    wait: histogram(total.wait),
    runtime: histogram(total.runtime),
    users: rowsOf(byUser, (name) => names.user(name)),
    queues: rowsOf(byQueue, (name) => names.group(name)),
    banks: rowsOf(byBank, (name) => names.group(name)),
    sizes: rowsOf(bySize, (name) => name, bySize.rows.length),
    longest: longest.jobs.map((job) => jobRow(job, nameOf, names)),
    mostFailed: failed.most().map(({ name, ...counts }) => ({ name: names.job(name), ...counts })),
  }
  usage.release()
  return { work, heldByRank }
}

/** The work of an instance without jobs. */
export function noWork(): GatheredWork {
  const usage = new JobUsage([])
  const { wait, runtime } = usage.total
  return {
    work: {
      total: figuresOf(usage.total),
      unit: 'day',
      periods: [],
      states: [],
      results: [],
      wait: histogram(wait),
      runtime: histogram(runtime),
      users: [],
      queues: [],
      banks: [],
      sizes: [],
      longest: [],
      mostFailed: [],
    },
    heldByRank: new HeldByRank(),
  }
}

/** The figures as `jobs stats --json` prints them. */
function figuresOf(figures: JobFigures): ReportFigures {
  return figuresJson(figures) as unknown as ReportFigures
}

function periodsOf(usage: PeriodUsage, { now, since, nodeCount }: WorkOptions): Pick<ReportWork, 'unit' | 'periods'> {
  const { unit, rows } = usage.periods()
  // Jobs that ran before tell that the records had begun before.
  const [first] = rows
  const begin = since === undefined || first === undefined || since >= first.end ? undefined : since
  const periods = rows.map((row): ReportPeriod => {
    const { start, end, jobCount, failedCount, canceledCount, timeoutCount, nodeSeconds } = row
    // Only the time that the records cover can have been used.
    const from = begin === undefined ? start : Math.max(start, begin)
    const to = now === undefined ? end : Math.max(Math.min(end, now), start)
    const seconds = (nodeCount ?? 0) * (to - from)
    return {
      start,
      end,
      completed: jobCount - failedCount - canceledCount - timeoutCount,
      failed: failedCount,
      canceled: canceledCount,
      timeout: timeoutCount,
      nodeHours: Math.round((nodeSeconds / HOUR) * 1e6) / 1e6,
      utilisation: seconds > 0 ? Math.round(Math.min(1, nodeSeconds / seconds) * 1e4) / 1e4 : null,
    }
  })
  return { unit, periods }
}

function histogram(sample: Sample): ReportHistogram {
  const counts = sample.countsBetween([...BOUNDS.slice(0, -1), Number.POSITIVE_INFINITY])
  const bins = counts.map((count, i) => ({ from: BOUNDS[i] as number, to: BOUNDS[i + 1] as number, count }))
  const first = bins.findIndex(({ count }) => count > 0)
  const last = bins.findLastIndex(({ count }) => count > 0)
  const seconds = (part: number) => {
    const value = sample.quantile(part)
    return value === undefined ? null : Math.round(value * 1000) / 1000
  }
  return { bins: first < 0 ? [] : bins.slice(first, last + 1), median: seconds(0.5), p95: seconds(0.95) }
}

/** The first rows of a table, and a row that joins the rest. */
function rowsOf({ rows }: UsageTable, named: (name: string) => string, most = MOST_ROWS): ReportGroup[] {
  const all = rows.map(({ keys: [name = null], figures }) => ({ name, folded: 0, ...figuresOf(figures) }))
  const listed = all.length <= most + 1 ? all : all.slice(0, most)
  const shown = listed.map((row) => ({ ...row, name: row.name === null ? null : named(row.name) }))
  return listed.length === all.length ? shown : [...shown, joined(all.slice(listed.length))]
}

/** Medians of several groups together cannot be told from those of each. */
function joined(rows: readonly ReportFigures[]): ReportGroup {
  const sum = (of: (row: ReportFigures) => number) => rows.reduce((total, row) => total + of(row), 0)
  const hours = (of: (row: ReportFigures) => number) => Math.round(sum(of) * 1e6) / 1e6
  return {
    name: null,
    folded: rows.length,
    jobCount: sum(({ jobCount }) => jobCount),
    failedCount: sum(({ failedCount }) => failedCount),
    canceledCount: sum(({ canceledCount }) => canceledCount),
    timeoutCount: sum(({ timeoutCount }) => timeoutCount),
    nodeHours: hours(({ nodeHours }) => nodeHours),
    coreHours: hours(({ coreHours }) => coreHours),
    gpuHours: hours(({ gpuHours }) => gpuHours),
    wait: { median: null, p95: null },
    runtime: { median: null, p95: null, sum: Math.round(sum(({ runtime }) => runtime.sum ?? 0) * 1000) / 1000 },
  }
}

/** Keeps the jobs that ran longest. */
class Longest {
  readonly jobs: Job[] = []

  add(job: Job): void {
    const runtime = jobRuntime(job) ?? 0
    const last = this.jobs.at(LONGEST_JOBS - 1)
    if (runtime <= 0 || (last !== undefined && runtime <= (jobRuntime(last) ?? 0))) return
    const at = this.jobs.findIndex((other) => (jobRuntime(other) ?? 0) < runtime)
    this.jobs.splice(at < 0 ? this.jobs.length : at, 0, job)
    this.jobs.length = Math.min(this.jobs.length, LONGEST_JOBS)
  }
}

function jobRow(job: Job, nameOf: (userid: number) => string, names: Names): ReportJob {
  const { id, name, userid, queue, nnodes, t_run } = job
  return {
    id: formatJobid(id),
    name: name === undefined ? null : names.job(name),
    user: userid === undefined ? null : names.user(nameOf(userid)),
    queue: queue === undefined ? null : names.group(queue),
    nnodes: nnodes ?? null,
    start: t_run ?? null,
    runtime: Math.round((jobRuntime(job) ?? 0) * 1000) / 1000,
    status: jobStatus(job),
  }
}
