/**
 * Numbers as people read them: counts, sizes, durations. `--json` and other programs get exact numbers instead.
 *
 * (`toLocaleString` and `Intl` could do some of this, but take tens of milliseconds the first time.)
 */

/** A whole number with its digits in groups of three: `1,234,567`. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A count with its noun: `1 key`, `1,234 keys`. @param noun - in the singular; the plural adds an s */
export function countText(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/**
 * A size in decimal units, to two or three digits: `17 bytes`, `4.3 kB`, `43.1 MB`, `412 MB`.
 *
 * @param bytes - not negative; a fraction, as in a rate, is rounded
 */
export function byteText(bytes: number): string {
  if (Math.round(bytes) < 1000) return countText(Math.round(bytes), 'byte')
  let value = bytes
  let unit = -1
  // 999.6 would come out as 1000 of its unit.
  while (unit < 0 || (value >= 999.5 && unit < UNITS.length - 1)) {
    value /= 1000
    unit++
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

/** A duration, rounded up to a second: `40 s`, `1 min 1 s`. From an hour on, without the seconds: `2 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Before this time and this share, the rest cannot be estimated. */
const LEAST_SECONDS = 1
const LEAST_PART = 0.01

/** What {@link partTexts} needs. */
export interface PartDone {
  /** The share that is done, from 0 to 1; undefined when it is not known. */
  part: number | undefined
  /** Seconds since the work began. */
  seconds: number
  /** How exact the share is: `at most` when less may be left. */
  left: 'about' | 'at most'
  /** What it is a share of: `of the store`. */
  of: string
}

/**
 * The time left and the share done: `at most 30 s left`, `25% of the store`. Empty until a hundredth is done. In the
 * first second, only the share.
 */
export function partTexts({ part, seconds, left, of }: PartDone): string[] {
  if (part === undefined || part < LEAST_PART) return []
  // Never 100%: what has been read is still being processed, and a blob that is read twice may count twice.
  const done = Math.min(part, 0.99)
  const percent = `${Math.floor(done * 100)}% ${of}`.trimEnd()
  return seconds < LEAST_SECONDS ? [percent] : [`${left} ${durationText((seconds / done) * (1 - done))} left`, percent]
}
