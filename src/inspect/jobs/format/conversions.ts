/**
 * The conversions of `flux jobs -o`: `{runtime!F}`.
 *
 * @see flux-jobs(1), "OUTPUT FORMAT"; flux-core `src/bindings/python/flux/util.py`, `convert_field`
 */
import { generalText } from './format-number.ts'
import { fixedText } from './round-half-even.ts'
import { type Clock, timeFormatter } from './time-format.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Flux Standard Duration (RFC 23): `1.5h`. @param seconds - less than a millisecond is `0s` */
export function durationFsd(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY || seconds === Number.NEGATIVE_INFINITY) return 'inf'
  if (seconds < 1e-3) return '0s'
  if (seconds < 10) return `${fixedText(seconds, 3)}s`
  if (seconds < MINUTE) return `${generalText(seconds, 4)}s`
  if (seconds < HOUR) return `${generalText(seconds / MINUTE, 4)}m`
  return seconds < DAY ? `${generalText(seconds / HOUR, 4)}h` : `${generalText(seconds / DAY, 4)}d`
}

/** Hours, minutes and seconds: `1:30:00`, `2 days, 0:00:01`. Less than a second is one second. */
export function durationHms(seconds: number): string {
  const rounded = seconds > 0 && seconds < 1 ? 1 : roundHalfEven(seconds)
  const days = Math.floor(rounded / DAY)
  const rest = rounded - days * DAY
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${Math.floor(rest / HOUR)}:${two(Math.floor(rest / MINUTE) % 60)}:${two(rest % MINUTE)}`
  return days === 0 ? time : `${days} day${Math.abs(days) === 1 ? '' : 's'}, ${time}`
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value)
  const distance = value - below
  if (distance !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}

/** A percentage in five characters: `50%`, `1.5%`, `0.05%`. */
export function percentage(part: number): string {
  const percent = part * 100
  return percent > 0 && percent < 1 ? `${fixedText(percent, 2)}%` : `${generalText(percent, 3)}%`
}

/** ISO 8601; empty for a time that is not set, which is 0. */
export function isoFormatter(clock: Clock): (seconds: number) => string {
  const format = timeFormatter('%FT%T', clock)
  return (seconds) => (seconds === 0 ? '' : format(seconds))
}
