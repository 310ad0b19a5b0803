/** How {@link timeText} writes a time. */
export interface TimeStyle {
  /** UTC, with a Z, instead of local time. */
  utc?: boolean | undefined
  /** Add the offset of local time from UTC: `+01:00`. For text that may be read in another time zone. */
  offset?: boolean | undefined
  /** With milliseconds. */
  milliseconds?: boolean | undefined
}

/**
 * A time in ISO 8601: `2026-11-24T18:30:00`, local time, the form that `--since` accepts.
 *
 * (Uses `Date` only: `Intl` takes tens of milliseconds the first time.)
 *
 * @param seconds - since 1970; a time beyond the range of `Date` comes out as the number
 */
export function timeText(seconds: number, { utc, offset, milliseconds }: TimeStyle = {}): string {
  const time = new Date(seconds * 1000)
  const minutes = utc ? 0 : -time.getTimezoneOffset()
  const shifted = new Date(time.getTime() + minutes * 60_000)
  if (Number.isNaN(shifted.getTime())) return String(seconds)
  const text = shifted.toISOString().slice(0, milliseconds ? -1 : -'.000Z'.length)
  return text + (utc ? 'Z' : offset ? offsetText(minutes) : '')
}

function offsetText(minutes: number): string {
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0')
  const distance = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(distance / 60)}:${two(distance % 60)}`
}

/** A time for JSON output: ISO 8601, UTC, to the second; null when it is not known. @param seconds - since 1970 */
export function isoTime(seconds: number | null | undefined): string | null {
  return seconds === null || seconds === undefined ? null : timeText(seconds, { utc: true })
}
