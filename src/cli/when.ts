import { Flags } from '@oclif/core'
import type { TimeStyle } from '../errors/index.ts'
import { durationMs } from './duration.ts'
import { UsageError } from './usage-error.ts'

/** The flag of commands that show times. */
export const utcFlag = {
  utc: Flags.boolean({ summary: 'show times in UTC instead of local time', helpGroup: 'OUTPUT' }),
}

/**
 * How a command writes times. On a terminal a local time has the form that `--since` takes. In a pipe it has its zone
 * too, because it may be read on another machine.
 */
export function timeStyle({ utc }: { utc: boolean }): TimeStyle {
  return { utc, offset: process.stdout.isTTY !== true }
}

/**
 * Parse a point in time. It takes the forms that `flux jobs --since` takes:
 *
 * - `-2h`, `-90`: a duration (RFC 23) before now; `+2h` after now; `3 hours ago`, `a week ago`
 * - `now`, `today`, `yesterday`, `tomorrow`, `Monday`, `last Monday`, `last week`, `last month`, `last year`
 * - `2026-11-24`, `2026/11/24`, `11/24/2026`, `11/24`, `Nov 24`, `24 November 2026`
 * - any such day with a time after or before it, or a time alone: `18:30`, `18:30:15`, `6pm`, `noon`, `midnight`
 *
 * and also ISO 8601 (`2026-11-24T18:30+01:00`), seconds since 1970 with or without an `@`, and `2h` for `-2h`.
 *
 * A day begins at midnight, and a day without a year or week is the last one that has begun: this is about the past.
 * (Flux takes the current time of day for some of them, and the next such day.)
 *
 * @param flag - name of the flag, for the error
 * @param nowSeconds - the current time, in seconds since 1970
 * @param utc - times without a zone, and days, are UTC instead of local
 * @returns seconds since 1970
 * @throws {UsageError} the text is not a time
 */
export function parseWhen(text: string, flag: string, nowSeconds: number, utc = false): number {
  const seconds = secondsOf(text.trim().toLowerCase().replace(/\s+/g, ' '), nowSeconds, utc)
  if (seconds !== undefined && Number.isFinite(seconds)) return seconds
  throw new UsageError(
    `--${flag} ${text}: not a time`,
    'it looks like 2026-11-24, "2026-11-24 18:30", "Nov 24 6pm", -2h, "3 hours ago", yesterday, "last Monday" or now',
  )
}

function secondsOf(text: string, now: number, utc: boolean): number | undefined {
  if (text === 'now') return now
  const [, sign, duration] = /^([+-])(.*)$/.exec(text) ?? []
  if (duration !== undefined) return now + ((sign === '-' ? -1 : 1) * (durationMs(duration) ?? Number.NaN)) / 1000
  if (/^@?\d+(?:\.\d+)?$/.test(text)) return Number(text.replace('@', ''))
  if (/^\d/.test(text) && durationMs(text) !== undefined) return now - (durationMs(text) as number) / 1000
  const [, date, time, zone] =
    /^(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(z|[+-]\d\d:?\d\d)$/.exec(text) ?? []
  if (date !== undefined) return Date.parse(`${date}T${time}${zone?.toUpperCase()}`) / 1000
  const calendar = new Calendar(now, utc)
  return text.endsWith(' ago') ? calendar.ago(text.slice(0, -' ago'.length)) : calendar.momentOf(text)
}

type Day = readonly [year: number, month: number, day: number]
type Time = readonly [hours: number, minutes: number, seconds: number]

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const FULL_NAME = {
  month: /^(?:january|february|march|april|may|june|july|august|sept|september|october|november|december)$/,
  weekday: /^(?:sunday|monday|tuesday|tues|wednesday|thursday|thurs|friday|saturday)$/,
}
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** A duration of whole days or less, in seconds; or of months. */
const UNITS: readonly [names: RegExp, unit: { seconds: number } | { months: number }][] = [
  [/^(?:s|secs?|seconds?)$/, { seconds: 1 }],
  [/^(?:m|mins?|minutes?)$/, { seconds: 60 }],
  [/^(?:h|hrs?|hours?)$/, { seconds: 3600 }],
  [/^(?:d|days?)$/, { seconds: 86_400 }],
  [/^(?:w|wks?|weeks?)$/, { seconds: 7 * 86_400 }],
  [/^(?:months?)$/, { months: 1 }],
  [/^(?:y|yrs?|years?)$/, { months: 12 }],
]

const TIME = /(?:\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m)?|\d{1,2} ?[ap]m|noon|midnight)/
const LAST_TIME = new RegExp(`^(?:(.*?)(?:[ t]|,? at ))?(${TIME.source})$`)
const FIRST_TIME = new RegExp(`^(${TIME.source}) (?:on )?(.*)$`)

/** Finds days and times by their names, seen from now. */
class Calendar {
  readonly #now: number
  readonly #utc: boolean
  readonly #today: Day

  constructor(now: number, utc: boolean) {
    this.#now = now
    this.#utc = utc
    this.#today = this.#dayOf(now)
  }

  /** `monday 6pm`, `18:30`, `6pm nov 24`. */
  momentOf(text: string): number | undefined {
    const whole = this.#namedDay(text)
    if (whole !== undefined) return this.#at(whole, [0, 0, 0])
    const [, before, last] = LAST_TIME.exec(text) ?? []
    const [, first, after] = FIRST_TIME.exec(text) ?? []
    const [dayText, timeText] = last === undefined ? [after, first] : [before, last]
    const time = timeText === undefined ? undefined : timeOf(timeText)
    const day = dayText === undefined ? this.#today : this.#namedDay(dayText)
    return time && day && this.#at(day, time)
  }

  /** `3 hours`, `1 day 2 hours`, `a week`. */
  ago(text: string): number | undefined {
    const parts = text
      .replace(/(\d)([a-z])/g, '$1 $2')
      .replace(/([a-z])(\d)/g, '$1 $2')
      .replace(/,| and /g, ' ')
      .split(/ +/)
    let seconds = 0
    let months = 0
    for (let i = 0; i < parts.length; i += 2) {
      const [count, name] = [numberOf(parts[i] as string), parts[i + 1] ?? '']
      const unit = UNITS.find(([names]) => names.test(name))?.[1]
      if (count === undefined || unit === undefined) return undefined
      if ('seconds' in unit) seconds += count * unit.seconds
      else if (Number.isInteger(count)) months += count * unit.months
      else return undefined
    }
    if (months === 0) return this.#now - seconds
    // The same day of an earlier month, or the last day of that month.
    const [year, month, day] = this.#today
    const first = this.#at([year, month - months, 1], [0, 0, 0]) as number
    const [thatYear, thatMonth] = this.#dayOf(first)
    const length = new Date(Date.UTC(thatYear, thatMonth + 1, 0)).getUTCDate()
    const midnight = this.#at([thatYear, thatMonth, Math.min(day, length)], [0, 0, 0]) as number
    return midnight + (this.#now - (this.#at(this.#today, [0, 0, 0]) as number)) - seconds
  }

  #namedDay(text: string): Day | undefined {
    const today = this.#today
    const shifted = (days: number): Day => {
      const [year, month, day] = today
      return this.#dayOf(this.#at([year, month, day + days], [12, 0, 0]) as number)
    }
    if (text === 'today') return today
    if (text === 'yesterday') return shifted(-1)
    if (text === 'tomorrow') return shifted(1)
    if (text === 'last week') return shifted(-7)
    if (text === 'last month') return this.#dayOf(this.#at([today[0], today[1] - 1, 1], [12, 0, 0]) as number)
    if (text === 'last year') return [today[0] - 1, 0, 1]
    const [, last, name = ''] = /^(last )?([a-z]+)$/.exec(text) ?? []
    const weekday = indexOf(WEEKDAYS, FULL_NAME.weekday, name)
    if (weekday >= 0) {
      const back = (new Date(Date.UTC(...today)).getUTCDay() - weekday + 7) % 7
      return shifted(last !== undefined && back === 0 ? -7 : -back)
    }
    return this.#date(
      text
        .replaceAll(',', ' ')
        .replace(/ +/g, ' ')
        .replace(/\b(\d{1,2})(?:st|nd|rd|th)\b/, '$1'),
    )
  }

  #date(text: string): Day | undefined {
    const [, y, m, d] = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(text) ?? []
    if (y !== undefined) return valid(Number(y), Number(m) - 1, Number(d))
    const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})(?:\/(\d{4}|\d\d))?$/.exec(text) ?? []
    if (month !== undefined) return this.#inYear(year, Number(month) - 1, Number(day))
    const words = text.split(' ')
    if (words.length > 2 && indexOf(WEEKDAYS, FULL_NAME.weekday, words[0] as string) >= 0) words.shift()
    const [first = '', second = '', third] = words
    const name = /^\d/.test(first) ? second : first
    const number = name === first ? second : first
    const index = indexOf(MONTHS, FULL_NAME.month, name)
    if (index < 0 || !/^\d{1,2}$/.test(number) || words.length > 3) return undefined
    return third !== undefined && !/^\d{4}$/.test(third) ? undefined : this.#inYear(third, index, Number(number))
  }

  /** A day of a year; without one, of the last year in which it has begun. */
  #inYear(year: string | undefined, month: number, day: number): Day | undefined {
    if (year !== undefined) return valid(Number(year) + (year.length === 2 ? 2000 : 0), month, day)
    const [thisYear, thisMonth, thisDay] = this.#today
    const isLater = month > thisMonth || (month === thisMonth && day > thisDay)
    return valid(thisYear - (isLater ? 1 : 0), month, day)
  }

  #dayOf(seconds: number): Day {
    const date = new Date(seconds * 1000)
    return this.#utc
      ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
      : [date.getFullYear(), date.getMonth(), date.getDate()]
  }

  #at(day: Day, [hours, minutes, seconds]: Time): number | undefined {
    const ms = this.#utc ? Date.UTC(...day, hours, minutes) : new Date(...day, hours, minutes).getTime()
    return ms / 1000 + seconds
  }
}

function timeOf(text: string): Time | undefined {
  if (text === 'noon') return [12, 0, 0]
  if (text === 'midnight') return [0, 0, 0]
  const [, hour, minutes = '0', seconds = '0', half] = /^(\d+)(?::(\d+)(?::([\d.]+))?)? ?([ap]m)?$/.exec(text) ?? []
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'pm' ? 12 : 0)
  if (hours > 23 || (half !== undefined && (Number(hour) < 1 || Number(hour) > 12))) return undefined
  return Number(minutes) > 59 || Number(seconds) >= 60 ? undefined : [hours, Number(minutes), Number(seconds)]
}

/** @returns undefined when there is no such day */
function valid(year: number, month: number, day: number): Day | undefined {
  const date = new Date(Date.UTC(year, month, day))
  return date.getUTCMonth() === month && date.getUTCDate() === day ? [year, month, day] : undefined
}

/** The index of a name that is given in full, or by its first three letters; -1 when it is none. */
function indexOf(names: readonly string[], full: RegExp, text: string): number {
  return full.test(text) || text.length === 3 ? names.indexOf(text.slice(0, 3)) : -1
}

function numberOf(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (text === 'a' || text === 'an') return 1
  const index = NUMBERS.indexOf(text)
  return index < 0 ? undefined : index
}
