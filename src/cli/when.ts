import { Flags } from '@oclif/core'
import type { TimeStyle } from '../errors/index.ts'
import { UsageError } from './usage-error.ts'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

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
 * Parse a point in time: `2026-11-24` or `2026-11-24T18:30`, with or without a zone; `-2h` or `2h` for two hours ago
 * (RFC 23: s, m, h, d); `now`, `today`, `yesterday`; seconds since 1970, with or without an `@`.
 *
 * @param flag - name of the flag, for the error
 * @param nowSeconds - the current time, in seconds since 1970
 * @param utc - times without a zone, and days, are UTC instead of local
 * @returns seconds since 1970
 * @throws {UsageError} the text is not a time
 */
export function parseWhen(text: string, flag: string, nowSeconds: number, utc = false): number {
  const [, number, unit] = /^-?(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (number !== undefined) return nowSeconds - Number(number) * (SECONDS[unit as string] as number)
  if (text === 'now') return nowSeconds
  if (text === 'today' || text === 'yesterday') {
    const day = new Date(nowSeconds * 1000)
    const hours = text === 'today' ? 0 : -24
    if (utc) day.setUTCHours(hours, 0, 0, 0)
    else day.setHours(hours, 0, 0, 0)
    return day.getTime() / 1000
  }
  if (/^@?\d+(?:\.\d+)?$/.test(text)) return Number(text.replace('@', ''))
  const [, date, time = 'T00:00', zone = utc ? 'Z' : ''] =
    /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? []
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}${time.replace(' ', 'T')}${zone}`)
  if (!Number.isNaN(ms)) return ms / 1000
  throw new UsageError(`--${flag} ${text}: not a time`, 'it looks like 2026-11-24, 2026-11-24T18:30, -2h, or yesterday')
}
