import { UsageError } from './usage-error.ts'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

/**
 * A point in time as a person gives it: `2026-11-24`, `2026-11-24T18:30`, with or without a zone (else the local one);
 * `-2h` or `2h` for a while ago (RFC 23: s, m, h, d); `today`, `yesterday`; seconds since 1970, perhaps after an `@`.
 *
 * @param nowSeconds - since 1970
 * @returns seconds since 1970
 * @throws {UsageError} it is something else
 */
export function parseWhen(text: string, flag: string, nowSeconds: number): number {
  const [, number, unit] = /^-?(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (number !== undefined) return nowSeconds - Number(number) * (SECONDS[unit as string] as number)
  if (text === 'now') return nowSeconds
  if (text === 'today' || text === 'yesterday') {
    const day = new Date(nowSeconds * 1000)
    day.setHours(text === 'today' ? 0 : -24, 0, 0, 0)
    return day.getTime() / 1000
  }
  if (/^@?\d+(?:\.\d+)?$/.test(text)) return Number(text.replace('@', ''))
  const [, date, time = 'T00:00', zone = ''] =
    /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? []
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}${time.replace(' ', 'T')}${zone}`)
  if (!Number.isNaN(ms)) return ms / 1000
  throw new UsageError(`--${flag} ${text}: not a time`, 'it looks like 2026-11-24, 2026-11-24T18:30, -2h, or yesterday')
}

/** A time as tables show it: UTC, to the second. @param seconds - since 1970; undefined is empty */
export function timeText(seconds: number | undefined): string {
  return seconds === undefined ? '' : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}
