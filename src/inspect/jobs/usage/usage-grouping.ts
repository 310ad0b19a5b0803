/** The figures of jobs in groups. */
import type { Job } from '../job.ts'
import { Calendar, type Period, type PeriodUnit } from './calendar.ts'
import { JobFigures } from './figures.ts'
import {
  type GroupOf,
  groupOf,
  isAttribute,
  type JobGroup,
  nodeShares,
  periodOf,
  type Share,
  wholeShare,
} from './grouping.ts'
import { isTime, type TimeWindow } from './held.ts'
import type { SampleBudget } from './sample.ts'

/** The figures of one group, or of one combination of groups. */
export interface UsageRow {
  /** The groups, in the order in which they were asked for; null for jobs that are in none. */
  readonly keys: readonly (string | null)[]
  /** When the period begins, in seconds since 1970; null for jobs that had not ended, and without periods. */
  readonly start: number | null
  readonly figures: JobFigures
}

export interface UsageGroupingOptions {
  readonly budget: SampleBudget
  readonly window: TimeWindow
  readonly utc: boolean
  readonly userName: (userid: number) => string
}

/** Gathers the figures for one choice of groups. */
export class UsageGrouping {
  readonly by: readonly JobGroup[]
  /** By the label of the period, null without one, and then by the other groups. */
  readonly #rows = new Map<string | null, Map<string, UsageRow>>()
  readonly #options: UsageGroupingOptions
  /** For each of `by`; undefined for periods and nodes. */
  readonly #groups: readonly (GroupOf | undefined)[]
  readonly #hasNodes: boolean
  readonly #unit: PeriodUnit | undefined
  readonly #calendar: Calendar | undefined

  constructor(by: readonly JobGroup[], options: UsageGroupingOptions) {
    this.by = by
    this.#options = options
    this.#groups = by.map((group) => (isAttribute(group) ? groupOf(group, options.userName) : undefined))
    this.#hasNodes = by.includes('node')
    this.#unit = periodOf(by)
    this.#calendar = this.#unit && new Calendar(this.#unit, options.utc)
  }

  /**
   * Add a job.
   *
   * @param held - when it held its resources
   */
  add(job: Job, held: { from: number; to: number } | undefined): void {
    const calendar = this.#calendar
    const keys = this.#groups.map((group) => group?.(job) ?? null)
    const fixedId = idOf(keys)
    const ended = this.#endPeriod(job)
    for (const share of this.#hasNodes ? nodeShares(job) : [wholeShare(job)]) {
      const id = this.#hasNodes ? `${fixedId}\0${share.node ?? ''}` : fixedId
      this.#row(id, keys, share, ended).figures.count(job)
      if (held === undefined) continue
      if (calendar === undefined) {
        this.#row(id, keys, share).figures.addHeld(share, held.to - held.from)
        continue
      }
      for (let { from } = held; from < held.to; ) {
        const period = calendar.at(from)
        const to = Math.min(period.end, held.to)
        this.#row(id, keys, share, period).figures.addHeld(share, to - from)
        from = to
      }
    }
  }

  /** The rows: periods in their order, sizes from small to large, other groups with the most node-hours first. */
  rows(): UsageRow[] {
    const { by } = this
    const sums = by.map((_, level) => this.#nodeSeconds(level))
    return this.#allRows().sort((a, b) => {
      for (let level = 0; level < by.length; level++) {
        const [one = null, other = null] = [a.keys[level], b.keys[level]]
        if (one === other) continue
        if (one === null || other === null) return one === null ? 1 : -1
        if (by[level] === this.#unit) return (a.start as number) - (b.start as number)
        if (by[level] === 'size') return Number.parseInt(one, 10) - Number.parseInt(other, 10)
        const sum = ({ keys }: UsageRow) => sums[level]?.get(idOf(keys.slice(0, level + 1))) ?? 0
        return sum(b) - sum(a) || (one < other ? -1 : 1)
      }
      return 0
    })
  }

  /** Release the memory of all samples at once. */
  release(): void {
    for (const { figures } of this.#allRows()) figures.release()
  }

  /** Node-seconds for each combination of the first groups. */
  #nodeSeconds(level: number): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { keys, figures } of this.#allRows()) {
      const id = idOf(keys.slice(0, level + 1))
      sums.set(id, (sums.get(id) ?? 0) + figures.nodeSeconds)
    }
    return sums
  }

  /** The period in which a job ended; undefined for one that had not ended. */
  #endPeriod({ state, t_inactive }: Job): Period | undefined {
    const { to = Number.POSITIVE_INFINITY } = this.#options.window
    const isEnded = state === 'INACTIVE' && isTime(t_inactive) && t_inactive < to
    return isEnded ? this.#calendar?.at(t_inactive) : undefined
  }

  /** @param id - of what is not a period */
  #row(id: string, fixed: readonly (string | null)[], share: Share, period?: Period): UsageRow {
    let rows = this.#rows.get(period?.label ?? null)
    if (rows === undefined) this.#rows.set(period?.label ?? null, (rows = new Map()))
    const found = rows.get(id)
    if (found) return found
    const keys = this.by.map((group, i) =>
      group === this.#unit ? (period?.label ?? null) : group === 'node' ? share.node : (fixed[i] ?? null),
    )
    const row = { keys, start: period?.start ?? null, figures: new JobFigures(this.#options.budget) }
    rows.set(id, row)
    return row
  }

  #allRows(): UsageRow[] {
    return [...this.#rows.values()].flatMap((rows) => [...rows.values()])
  }
}

/** A text that is the same for the same keys only. */
function idOf(keys: readonly (string | null)[]): string {
  return keys.map((key) => (key === null ? '-' : `+${key}`)).join('\0')
}
