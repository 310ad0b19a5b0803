/**
 * What the jobs of a snapshot used: node-hours, waiting and run times, by period, user, node and so on. The jobs are
 * gone through once, in batches, for any number of groupings. The definitions are in `docs/figures.md`.
 */
import { FluxError } from '../../../errors/index.ts'
import type { Job } from '../job.ts'
import { PERIOD_UNITS } from './calendar.ts'
import { JobFigures } from './figures.ts'
import { type JobGroup, wholeShare } from './grouping.ts'
import { heldInterval, isHolding, lastTime, type TimeWindow } from './held.ts'
import { SampleBudget } from './sample.ts'
import { UsageGrouping, type UsageRow } from './usage-grouping.ts'

/** Options of {@link JobUsage}. */
export interface JobUsageOptions {
  /**
   * When the snapshot was taken, in seconds since 1970: jobs that still held their resources count to it. Default: the
   * last event of all jobs that were added.
   */
  now?: number | undefined
  /** Count held resources only within these times, and jobs that ended after it as not ended. */
  window?: TimeWindow | undefined
  /** Periods are those of UTC instead of local time. */
  utc?: boolean | undefined
  /** Returns the name of a user (default: the number). */
  userName?: ((userid: number) => string) | undefined
  /** Other sums to add each job to. They are complete after {@link JobUsage.tables}. */
  sums?: readonly HeldSum[] | undefined
}

/** Sums that each job is added to, with when it held its resources. */
export interface HeldSum {
  /** Add a job. @param held - when it held its resources; undefined for a job that held nothing */
  add(job: Job, held: { from: number; to: number } | undefined): void
}

/** The figures for one choice of groups. */
export interface UsageTable {
  readonly by: readonly JobGroup[]
  /** Periods in their order, sizes from small to large, other groups with the most node-hours first. */
  readonly rows: readonly UsageRow[]
}

/** Gathers the figures of jobs. */
export class JobUsage {
  /** The figures of all jobs together; complete after {@link tables}. */
  readonly total = new JobFigures(new SampleBudget())
  readonly #groupings: readonly UsageGrouping[]
  readonly #sums: readonly HeldSum[]
  readonly #now: number | undefined
  readonly #window: TimeWindow
  /** Jobs that wait for the time of the snapshot: those that held resources, no more than the cluster can run. */
  #holding: Job[] = []
  #last = 0

  /**
   * @param groupings - what to group by: `[['day', 'user']]` is one table with a row for each user on each day
   * @throws {FluxError} `EINVAL` two periods, or one group twice, in a grouping
   */
  constructor(groupings: readonly (readonly JobGroup[])[], options: JobUsageOptions = {}) {
    const { now, window = {}, utc = false, userName = String, sums = [] } = options
    this.#sums = sums
    this.#now = now
    this.#window = window
    const budget = new SampleBudget()
    this.#groupings = groupings.map((by) => {
      assertGroups(by)
      return new UsageGrouping(by, { budget, window, utc, userName })
    })
  }

  /** Add some jobs, in any order. */
  addJobs(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (this.#now === undefined) this.#last = Math.max(this.#last, lastTime(job))
      if (this.#now === undefined && isHolding(job)) this.#holding.push(job)
      else this.#add(job, this.#now ?? this.#last)
    }
  }

  /** The tables, one for each grouping. */
  tables(): UsageTable[] {
    for (const job of this.#holding) this.#add(job, this.#last)
    this.#holding = []
    return this.#groupings.map((grouping) => ({ by: grouping.by, rows: grouping.rows() }))
  }

  /**
   * Release the memory of all samples at once: up to 64 MB, which a garbage collection may leave for long. No percentile
   * may be asked for from then on.
   */
  release(): void {
    this.total.release()
    for (const grouping of this.#groupings) grouping.release()
  }

  #add(job: Job, now: number): void {
    const held = heldInterval(job, now, this.#window)
    this.total.count(job)
    if (held) this.total.addHeld(wholeShare(job), held.to - held.from)
    for (const grouping of this.#groupings) grouping.add(job, held)
    for (const sum of this.#sums) sum.add(job, held)
  }
}

function assertGroups(by: readonly JobGroup[]): void {
  const periods = by.filter((group) => (PERIOD_UNITS as readonly string[]).includes(group))
  if (periods.length > 1) throw new FluxError('EINVAL', `${periods.join(' and ')}: there can be only one period`)
  const twice = by.find((group, i) => by.indexOf(group) !== i)
  if (twice !== undefined) throw new FluxError('EINVAL', `${twice}: given twice`)
}
