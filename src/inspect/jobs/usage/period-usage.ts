/**
 * What jobs used, by hours, days, weeks or months, whichever gives a picture of limited size. The figures of a period are
 * those of `JobUsage` for it, without percentiles.
 */
import type { Job } from '../job.ts'
import { Calendar, type PeriodUnit } from './calendar.ts'
import { isTime } from './held.ts'
import type { HeldSum } from './job-usage.ts'

/** The figures of a period. Jobs count in the period in which they ended. */
export interface PeriodFigures {
  /** Seconds since 1970. */
  readonly start: number
  readonly end: number
  jobCount: number
  failedCount: number
  canceledCount: number
  timeoutCount: number
  /** Seconds for which nodes were held in this period. */
  nodeSeconds: number
}

/** The result of {@link PeriodUsage.periods}. */
export interface Periods {
  readonly unit: PeriodUnit
  /** From the first to the last with anything in it, without gaps. */
  readonly rows: readonly PeriodFigures[]
}

const DAY = 86_400
/** The shortest length of each unit, in seconds. */
const LENGTHS: readonly (readonly [unit: PeriodUnit, seconds: number])[] = [
  ['hour', 3600],
  ['day', DAY],
  ['week', 7 * DAY],
  ['month', 28 * DAY],
]

/** Gathers figures by hour as long as there are few hours, then by day. Longer units are made of days. */
export class PeriodUsage implements HeldSum {
  readonly #most: number
  readonly #utc: boolean
  #unit: 'hour' | 'day' = 'hour'
  #calendar: Calendar
  #rows = new Map<number, PeriodFigures>()
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  /**
   * @param most - choose a unit of which there are at most so many periods, if there is one
   * @param options - `utc`: periods are those of UTC instead of local time
   */
  constructor(most: number, { utc = false }: { utc?: boolean } = {}) {
    this.#most = most
    this.#utc = utc
    this.#calendar = new Calendar('hour', utc)
  }

  add(job: Job, held: { from: number; to: number } | undefined): void {
    const { state, t_inactive, result } = job
    if (state === 'INACTIVE' && isTime(t_inactive)) {
      this.#cover(t_inactive, t_inactive)
      const row = this.#rowAt(t_inactive)
      row.jobCount++
      if (result === 'FAILED') row.failedCount++
      else if (result === 'CANCELED') row.canceledCount++
      else if (result === 'TIMEOUT') row.timeoutCount++
    }
    if (held === undefined || allocatedNodesOf(job) === 0) return
    this.#cover(held.from, held.to)
    for (let { from } = held; from < held.to; ) {
      const row = this.#rowAt(from)
      const to = Math.min(row.end, held.to)
      row.nodeSeconds += allocatedNodesOf(job) * (to - from)
      from = to
    }
  }

  /** The periods, in the longest unit that is needed. */
  periods(): Periods {
    const span = this.#last - this.#first
    const fits = LENGTHS.find(([, seconds]) => span / seconds <= this.#most)
    const unit = fits === undefined ? 'month' : this.#unit === 'day' && fits[0] === 'hour' ? 'day' : fits[0]
    if (this.#rows.size === 0) return { unit: 'day', rows: [] }
    const calendar = new Calendar(unit, this.#utc)
    const rows = joined(this.#rows.values(), calendar)
    const all: PeriodFigures[] = []
    for (let at = this.#first; at <= this.#last; ) {
      const { start, end } = calendar.at(at)
      // What was held up to the begin of a period holds nothing in it.
      if (start < this.#last || rows.has(start)) all.push(rows.get(start) ?? emptyRow(start, end))
      at = end
    }
    return { unit, rows: all }
  }

  #cover(from: number, to: number): void {
    if (from < this.#first) this.#first = from
    if (to > this.#last) this.#last = to
    if (this.#unit === 'day' || (this.#last - this.#first) / 3600 <= this.#most) return
    this.#unit = 'day'
    this.#calendar = new Calendar('day', this.#utc)
    this.#rows = joined(this.#rows.values(), this.#calendar)
  }

  #rowAt(seconds: number): PeriodFigures {
    const { start, end } = this.#calendar.at(seconds)
    return rowOf(this.#rows, start, end)
  }
}

function allocatedNodesOf({ allocation, nnodes = 0 }: Job): number {
  return allocation === undefined ? 0 : nnodes
}

function joined(rows: Iterable<PeriodFigures>, calendar: Calendar): Map<number, PeriodFigures> {
  const all = new Map<number, PeriodFigures>()
  for (const row of rows) {
    const { start, end } = calendar.at(row.start)
    const sum = rowOf(all, start, end)
    sum.jobCount += row.jobCount
    sum.failedCount += row.failedCount
    sum.canceledCount += row.canceledCount
    sum.timeoutCount += row.timeoutCount
    sum.nodeSeconds += row.nodeSeconds
  }
  return all
}

function rowOf(rows: Map<number, PeriodFigures>, start: number, end: number): PeriodFigures {
  let row = rows.get(start)
  if (row === undefined) rows.set(start, (row = emptyRow(start, end)))
  return row
}

function emptyRow(start: number, end: number): PeriodFigures {
  return { start, end, jobCount: 0, failedCount: 0, canceledCount: 0, timeoutCount: 0, nodeSeconds: 0 }
}
