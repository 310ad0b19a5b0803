/**
 * Numbers as people read them: counts, sizes, durations. Exact ones are for `--json` and for other programs.
 *
 * (`toLocaleString` and `Intl` would do some of it, but take tens of milliseconds the first time.)
 */

/** A whole number with its digits in groups of three: `1,234,567`. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** So many of something: `1 key`, `1,234 keys`. @param noun - one of them; the plural is made with an s */
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

/** A duration, up to the next second: `40 s`, `1 min 1 s`; of an hour or more to the minute: `2 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Until then nobody can say how long the rest takes. */
const LEAST_SECONDS = 1
const LEAST_PART = 0.01

/** What {@link partTexts} is told. */
export interface PartDone {
  /** How much is done, from 0 to 1; undefined where nobody knows. */
  part: number | undefined
  /** Since it began. */
  seconds: number
  /** How exact the part is: `at most` where it may be less to go. */
  left: 'about' | 'at most'
  /** What it is a part of: `of the store`. */
  of: string
}

/**
 * How long something takes yet, and how much of it is done: `at most 30 s left`, `25% of the store`. Nothing before a
 * hundredth is done, and no time in the first second.
 */
export function partTexts({ part, seconds, left, of }: PartDone): string[] {
  if (part === undefined || part < LEAST_PART) return []
  // What has been read has still to be worked on, and a blob that is read twice may count twice: it is never all.
  const done = Math.min(part, 0.99)
  const percent = `${Math.floor(done * 100)}% ${of}`.trimEnd()
  return seconds < LEAST_SECONDS ? [percent] : [`${left} ${durationText((seconds / done) * (1 - done))} left`, percent]
}
