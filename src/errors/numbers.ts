import { FluxError } from './flux-error.ts'

/** The last second that a `Date` can say: in the year 275760. */
export const LAST_SECONDS = 8.64e12

/** The highest user or group ID: 2^32-1 stands for none. */
export const LAST_ID = 0xffff_fffe

/**
 * Refuse a number that a caller gave by mistake, before anything is made of it.
 *
 * @param name - the option, as the caller wrote it
 * @returns the number
 * @throws {FluxError} `EINVAL`, with name and value, unless it is whole and between `least` and `most`
 */
export function wholeNumber(name: string, value: number, most = Number.MAX_SAFE_INTEGER, least = 0): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new FluxError('EINVAL', `${name} ${shown(value)}: not a whole number from ${least} to ${most}`)
}

/**
 * The same for a time.
 *
 * @returns the time
 * @throws {FluxError} `EINVAL`, with name and value, unless it is within what a `Date` can say, from 1970 on
 */
export function secondsSince1970(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= LAST_SECONDS) return value
  throw new FluxError('EINVAL', `${name} ${shown(value)}: not a number of seconds since 1970`)
}

/** Programs without types may give anything. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
