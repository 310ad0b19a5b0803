/** Figures of a report as people read them. The page in the browser and the part of it that needs no script share these. */
import { byteText, durationText, grouped, timeText } from '../errors/index.ts'
import type { ReportDelta, ReportWork } from './report-data.ts'

/** What stands for a figure that is not known. */
export const UNKNOWN = '–'

/** A count; a fraction is rounded. */
export function count(number: number | null): string {
  return number === null ? UNKNOWN : grouped(Math.round(number))
}

/** A size. @param bytes - negative for what has gone */
export function size(bytes: number | null): string {
  if (bytes === null) return UNKNOWN
  return bytes < 0 ? `−${byteText(-bytes)}` : byteText(bytes)
}

/** Hours, with a decimal when there are few. */
export function hours(number: number | null): string {
  if (number === null) return UNKNOWN
  const rounded = Math.abs(number) < 99.95 ? Math.round(number * 10) / 10 : Math.round(number)
  const [whole = '0', part] = String(Math.abs(rounded)).split('.')
  if (number > 0 && rounded === 0) return '< 0.1 h'
  return `${rounded < 0 ? '−' : ''}${grouped(Number(whole))}${part === undefined ? '' : `.${part}`} h`
}

/** A share of 1 as percent: `12%`, `0.4%`, `< 0.1%`. */
export function percent(part: number | null): string {
  if (part === null || !Number.isFinite(part)) return UNKNOWN
  const hundredth = part * 100
  if (hundredth > 0 && hundredth < 0.1) return '< 0.1%'
  // 99.7% is not all.
  if (hundredth < 9.95 || (hundredth >= 99.05 && hundredth < 100)) {
    return `${String(Math.min(99.9, Math.round(hundredth * 10) / 10)).replace(/\.0$/, '')}%`
  }
  return `${Math.round(hundredth)}%`
}

/** How many of the jobs that have ended failed, as a part of 1; null if none has ended. */
export function failedPart({ total, results }: ReportWork): number | null {
  const ended = results.reduce((sum, { count }) => sum + count, 0)
  return ended === 0 ? null : total.failedCount / ended
}

/** A limit of size, in binary units where it is a whole number of them: `100 MiB`. */
export function limit(bytes: number): string {
  const mebibytes = bytes / 2 ** 20
  return Number.isInteger(mebibytes) && mebibytes > 0 ? `${grouped(mebibytes)} MiB` : size(bytes)
}

/** A duration: `40 ms`, `4.2 s`, `40 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return UNKNOWN
  if (seconds < 0) return `−${duration(-seconds)}`
  if (seconds > 0 && seconds < 0.95) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 2 * 86_400) return durationText(Math.round(seconds)).replace(/ 0 \w+$/, '')
  const whole = Math.round(seconds / 3600)
  return `${grouped(Math.floor(whole / 24))} d ${whole % 24} h`.replace(/ 0 h$/, '')
}

/** A duration in the fewest characters, for axes: `30 s`, `5 min`, `1 h`, `2 d`. */
export function shortDuration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ] as const
  for (const [length, unit] of units) {
    if (seconds >= length) return `${grouped(Math.round((seconds / length) * 10) / 10)} ${unit}`
  }
  return seconds >= 1 || seconds === 0 ? `${Math.round(seconds * 10) / 10} s` : `${Math.round(seconds * 1000)} ms`
}

/** A time in UTC, to the second: `2026-11-24 18:30:00 UTC`. @param seconds - since 1970 */
export function utcTime(seconds: number | null): string {
  return seconds === null ? UNKNOWN : timeText(seconds, { utc: true }).replace('T', ' ').replace(/Z$/, ' UTC')
}

/** A day in UTC: `2026-11-24`. */
export function utcDay(seconds: number): string {
  return timeText(seconds, { utc: true }).slice(0, '2026-11-24'.length)
}

/** The name of a period, as in "in PERIOD": `the week of 2026-11-23`, `November 2026`. @param start - seconds since 1970 */
export function periodName(unit: ReportWork['unit'], start: number): string {
  const text = timeText(start, { utc: true })
  if (unit === 'hour') return `the hour of ${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
  if (unit === 'week') return `the week of ${text.slice(0, 10)}`
  return unit === 'day' ? text.slice(0, 10) : text.slice(0, 7)
}

/** When something was, in a period: `in the week of 2026-11-23`, `on 2026-11-24`. */
export function withinPeriod(unit: ReportWork['unit'], start: number): string {
  return `${unit === 'day' ? 'on' : 'in'} ${periodName(unit, start)}`
}

/** The value of a row that compares two snapshots. */
export function deltaValue(unit: ReportDelta['unit'], value: number | string | null): string {
  if (value === null) return UNKNOWN
  if (typeof value === 'string') return value
  switch (unit) {
    case 'bytes':
      return size(value)
    case 'hours':
      return hours(value)
    case 'seconds':
      return duration(value)
    case 'time':
      return utcTime(value)
    case 'ratio':
      return percent(value)
    default:
      return value < 0 ? `−${count(-value)}` : count(value)
  }
}

/**
 * What has changed in a row that compares two snapshots: `+12`, `−3.4 MB`, `no change`, and `slightly more` where it is less
 * than the smallest figure shown; empty for texts.
 */
export function deltaChange({ unit, before, after }: ReportDelta): string {
  if (before === after) return 'no change'
  if (typeof before !== 'number' || typeof after !== 'number') return ''
  const change = after - before
  const amount = Math.abs(change)
  const text =
    unit === 'ratio'
      ? `${Math.round(amount * 1000) / 10} points`
      : deltaValue(unit === 'time' ? 'seconds' : unit, amount)
  if (text.startsWith('<') || !/[1-9]/.test(text)) return change > 0 ? 'slightly more' : 'slightly less'
  return `${change > 0 ? '+' : '−'}${text}`
}
