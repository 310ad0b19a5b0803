/**
 * Hours, days, weeks and months, by the local calendar or by UTC. A local day has 23 or 25 hours when the clocks
 * change.
 */
import { timeText } from '../../../errors/index.ts'

/** The periods into which time can be divided. */
export const PERIOD_UNITS = ['hour', 'day', 'week', 'month'] as const
/** One of {@link PERIOD_UNITS}. */
export type PeriodUnit = (typeof PERIOD_UNITS)[number]

/** A stretch of time, from `start` until before `end`, in seconds since 1970. */
export interface Period {
  readonly start: number
  readonly end: number
  /**
   * `2026-11-24T18:00`, `2026-11-24`, the Monday of a week, or `2026-11`. An hour that comes twice has its offset from
   * UTC.
   */
  readonly label: string
}

const HOUR = 3600

/** Finds the period of a time. */
export class Calendar {
  readonly #unit: PeriodUnit
  readonly #utc: boolean
  /** The last two that were found: the times of a job, and of one job after the other, are mostly close. */
  #recent: Period | undefined
  #before: Period | undefined

  constructor(unit: PeriodUnit, utc = false) {
    this.#unit = unit
    this.#utc = utc
  }

  /** @param seconds - since 1970, within the range of `Date` */
  at(seconds: number): Period {
    const recent = this.#recent
    const before = this.#before
    if (recent && recent.start <= seconds && seconds < recent.end) return recent
    const found =
      before && before.start <= seconds && seconds < before.end
        ? before
        : this.#unit === 'hour'
          ? this.#hour(seconds)
          : this.#days(seconds)
    this.#before = recent
    this.#recent = found
    return found
  }

  #hour(seconds: number): Period {
    const offset = this.#utc ? 0 : offsetAt(seconds)
    const start = Math.floor((seconds + offset) / HOUR) * HOUR - offset
    const text = timeText(start, { utc: this.#utc })
    const isTwice = !this.#utc && [start - HOUR, start + HOUR].some((other) => timeText(other) === text)
    const label = isTwice ? timeText(start, { offset: true }).replace(':00:00', ':00') : text.replace(':00:00', ':00')
    return { start, end: start + HOUR, label }
  }

  #days(seconds: number): Period {
    const date = new Date(seconds * 1000)
    const [year, month, day, weekday] = this.#utc
      ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCDay()]
      : [date.getFullYear(), date.getMonth(), date.getDate(), date.getDay()]
    if (this.#unit === 'month') {
      return this.#between([year, month, 1], [year, month + 1, 1], `${year}-${twoDigits(month + 1)}`)
    }
    const first = this.#unit === 'day' ? day : day - ((weekday + 6) % 7)
    const label = new Date(Date.UTC(year, month, first)).toISOString().slice(0, 'YYYY-MM-DD'.length)
    return this.#between([year, month, first], [year, month, first + (this.#unit === 'day' ? 1 : 7)], label)
  }

  #between(from: [number, number, number], to: [number, number, number], label: string): Period {
    return { start: this.#midnight(...from), end: this.#midnight(...to), label }
  }

  /** The begin of a day. Where the clocks change at midnight, the day begins later. */
  #midnight(year: number, month: number, day: number): number {
    return (this.#utc ? Date.UTC(year, month, day) : new Date(year, month, day).getTime()) / 1000
  }
}

/** Seconds that local time is ahead of UTC. */
function offsetAt(seconds: number): number {
  return -new Date(seconds * 1000).getTimezoneOffset() * 60
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
