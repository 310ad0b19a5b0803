/** Numbers of a report as people read them. */
import { byteText, grouped, timeText } from '../../errors/index.ts'
import type { ReportDelta } from '../report-data.ts'

/** `2026-11-24 18:30 UTC`; a hyphen when it is not known. */
export function momentText(seconds: number | null): string {
  return seconds === null
    ? '-'
    : timeText(seconds, { utc: true })
        .replace('T', ' ')
        .replace(/:\d\dZ$/, ' UTC')
}

/** `2026-11-24` */
export function dayText(seconds: number): string {
  return timeText(seconds, { utc: true }).slice(0, 'YYYY-MM-DD'.length)
}

/** `0.004`, `0.4`, `12.3`, `1,234` */
export function hoursText(hours: number): string {
  if (hours > 0 && hours < 0.095) return String(Number(hours.toPrecision(1)))
  return hours < 99.95 ? hours.toFixed(1) : grouped(Math.round(hours))
}

/** `0.3 s`, `4.2 min`, `1.5 h`, `2.3 d`; a hyphen when it is not known. */
export function secondsText(seconds: number | null): string {
  if (seconds === null) return '-'
  if (seconds < 59.5) return `${seconds < 9.95 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`
  if (seconds < 59.95 * 60) return `${Number((seconds / 60).toFixed(1))} min`
  if (seconds < 23.95 * 3600) return `${Number((seconds / 3600).toFixed(1))} h`
  return `${Number((seconds / 86_400).toFixed(1))} d`
}

export function percentText(part: number | null): string {
  return part === null ? '-' : `${(part * 100).toFixed(part < 0.0995 ? 1 : 0)}%`
}

/** A figure of a comparison. */
export function deltaText(value: number | string | null, unit: ReportDelta['unit']): string {
  if (value === null) return '-'
  if (typeof value === 'string') return value
  switch (unit) {
    case 'bytes':
      return byteText(value)
    case 'hours':
      return `${hoursText(value)} h`
    case 'seconds':
      return secondsText(value)
    case 'time':
      return momentText(value)
    case 'ratio':
      return percentText(value)
    default:
      return grouped(value)
  }
}
