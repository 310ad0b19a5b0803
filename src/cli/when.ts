import { Flags } from '@oclif/core'
import type { TimeStyle } from '../errors/index.ts'
import { UsageError } from './usage-error.ts'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

/** For commands that show times. */
export const utcFlag = {
  utc: Flags.boolean({ summary: 'show times in UTC instead of local time', helpGroup: 'OUTPUT' }),
}

/**
 * How a command writes times. On a terminal a local one is as `--since` takes it; in a pipe it says its zone too, since it
 * may be read elsewhere.
 */
export function timeStyle({ utc }: { utc: boolean }): TimeStyle {
  return { utc, offset: process.stdout.isTTY !== true }
}

/**
 * A point in time as a person gives it: `2026-11-24`, `2026-11-24T18:30`, with or without a zone (else the local one, or UTC where
 * that is shown);
 * `-2h` or `2h` for a while ago (RFC 23: s, m, h, d); `today`, `yesterday`; seconds since 1970, perhaps after an `@`.
 *
 * @param nowSeconds - since 1970
 * @param utc - what has no zone is UTC, days too
 * @returns seconds since 1970
 * @throws {UsageError} it is something else
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
