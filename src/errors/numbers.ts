import { FluxError } from './flux-error.ts'

/** The last second that a `Date` can hold: in the year 275760. */
export const LAST_SECONDS = 8.64e12

/** The highest user or group ID: 2^32-1 means "no ID". */
export const LAST_ID = 0xffff_fffe

/**
 * Check a number that a caller passed, before it is used.
 *
 * @param name - the name of the option, for the message
 * @returns the number
 * @throws {FluxError} `EINVAL`, with name and value, unless it is whole and between `least` and `most`
 */
export function wholeNumber(name: string, value: number, most = Number.MAX_SAFE_INTEGER, least = 0): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new FluxError('EINVAL', `${name} ${shown(value)}: not a whole number from ${least} to ${most}`)
}

/**
 * Check a time that a caller passed, as {@link wholeNumber} checks a number.
 *
 * @returns the time
 * @throws {FluxError} `EINVAL`, with name and value, unless it is from 1970 to the last second that a `Date` can hold
 */
export function secondsSince1970(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= LAST_SECONDS) return value
  throw new FluxError('EINVAL', `${name} ${shown(value)}: not a number of seconds since 1970`)
}

/** The value as text. Callers without type checks may pass a value of any type. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
