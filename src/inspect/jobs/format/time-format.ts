/** Times as strftime(3) writes them, in the C locale. */
import { formatError } from './parse.ts'
import { LARGEST_WIDTH } from './spec.ts'

/** Local time, or UTC. */
export interface Clock {
  readonly utc: boolean
}

/** A time in its parts. */
interface Moment {
  year: number
  /** 0 to 11. */
  month: number
  day: number
  /** 0 is Sunday. */
  weekday: number
  hour: number
  minute: number
  second: number
  microsecond: number
  /** The day of the year, 0 to 365. */
  yearday: number
  /** Whole seconds since 1970. */
  seconds: number
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** @param seconds - since 1970; rounded to microseconds, as Python does */
function momentOf(seconds: number, { utc }: Clock): Moment {
  let whole = Math.floor(seconds)
  let microsecond = Math.round((seconds - whole) * 1e6)
  if (microsecond >= 1e6) {
    whole++
    microsecond = 0
  }
  const date = new Date(whole * 1000)
  const [year, month, day] = utc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    : [date.getFullYear(), date.getMonth(), date.getDate()]
  return {
    year,
    month,
    day,
    weekday: utc ? date.getUTCDay() : date.getDay(),
    hour: utc ? date.getUTCHours() : date.getHours(),
    minute: utc ? date.getUTCMinutes() : date.getMinutes(),
    second: utc ? date.getUTCSeconds() : date.getSeconds(),
    microsecond,
    yearday: Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000),
    seconds: whole,
  }
}

/** True for a time that a `Date` can hold, in any zone: up to the year 275760. */
export function isInCalendar(seconds: number): boolean {
  return Math.abs(seconds) < 8.64e12
}

/** A field of a time: how it is written, the width it is filled to, and what it is filled with. */
type Directive = [text: (moment: Moment) => string | number, width?: number, fill?: string]

/** The ISO 8601 week of a time, and the year that it belongs to. */
function isoWeek({ year, yearday, weekday }: Moment): [year: number, week: number] {
  const monday = (weekday + 6) % 7
  const week = Math.floor((yearday - monday + 10) / 7)
  if (week < 1) return [year - 1, weeksOf(year - 1)]
  return week > weeksOf(year) ? [year + 1, 1] : [year, week]
}

/** 53 when the year begins on a Thursday, or on a Wednesday and is a leap year. */
function weeksOf(year: number): number {
  const first = new Date(Date.UTC(year, 0, 1)).getUTCDay()
  const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCDate() === 29
  return first === 4 || (first === 3 && isLeap) ? 53 : 52
}

const hour12 = ({ hour }: Moment) => hour % 12 || 12

/** @see strftime(3) */
const DIRECTIVES: Readonly<Record<string, Directive>> = {
  a: [({ weekday }) => (DAYS[weekday] as string).slice(0, 3)],
  A: [({ weekday }) => DAYS[weekday] as string],
  b: [({ month }) => (MONTHS[month] as string).slice(0, 3)],
  B: [({ month }) => MONTHS[month] as string],
  C: [({ year }) => Math.floor(year / 100), 2],
  d: [({ day }) => day, 2],
  e: [({ day }) => day, 2, ' '],
  f: [({ microsecond }) => microsecond, 6],
  g: [(moment) => isoWeek(moment)[0] % 100, 2],
  G: [(moment) => isoWeek(moment)[0]],
  h: [({ month }) => (MONTHS[month] as string).slice(0, 3)],
  H: [({ hour }) => hour, 2],
  I: [hour12, 2],
  j: [({ yearday }) => yearday + 1, 3],
  k: [({ hour }) => hour, 2, ' '],
  l: [hour12, 2, ' '],
  m: [({ month }) => month + 1, 2],
  M: [({ minute }) => minute, 2],
  n: [() => '\n'],
  p: [({ hour }) => (hour < 12 ? 'AM' : 'PM')],
  P: [({ hour }) => (hour < 12 ? 'am' : 'pm')],
  s: [({ seconds }) => seconds],
  S: [({ second }) => second, 2],
  t: [() => '\t'],
  u: [({ weekday }) => weekday || 7],
  U: [({ yearday, weekday }) => Math.floor((yearday + 7 - weekday) / 7), 2],
  V: [(moment) => isoWeek(moment)[1], 2],
  w: [({ weekday }) => weekday],
  W: [({ yearday, weekday }) => Math.floor((yearday + 7 - ((weekday + 6) % 7)) / 7), 2],
  y: [({ year }) => year % 100, 2],
  Y: [({ year }) => year],
  // Python gives local times without their zone.
  z: [() => ''],
  Z: [() => ''],
  '%': [() => '%'],
}

/** Directives that stand for others. */
const LONG: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

/** A directive with the flags, width and modifier that glibc knows. */
const DIRECTIVE = /%([-_0^#]*)(\d*)([EO]?)([a-zA-Z%])/g

/**
 * A function that writes times. A time beyond the calendar is written as its number of seconds.
 *
 * @param format - of strftime(3); what it does not know stays as it is
 * @throws {FluxError} `EINVAL` a width that is too large
 */
export function timeFormatter(format: string, clock: Clock): (seconds: number) => string {
  const pieces = piecesOf(format)
  return (seconds) => {
    if (!isInCalendar(seconds)) return String(seconds)
    const moment = momentOf(seconds, clock)
    let text = ''
    for (const piece of pieces) text += typeof piece === 'string' ? piece : piece(moment)
    return text
  }
}

function piecesOf(format: string): (string | ((moment: Moment) => string))[] {
  const pieces: (string | ((moment: Moment) => string))[] = []
  let end = 0
  for (const found of format.matchAll(DIRECTIVE)) {
    const [all, flags = '', width = '', , letter = ''] = found
    pieces.push(format.slice(end, found.index))
    end = found.index + all.length
    const long = LONG[letter]
    const directive = DIRECTIVES[letter]
    if (long !== undefined) {
      const inner = piecesOf(long)
      pieces.push(flagged((moment) => inner.map((p) => (typeof p === 'string' ? p : p(moment))).join(''), flags, width))
    } else if (directive === undefined) pieces.push(all)
    else
      pieces.push(
        flagged(directive[0], letter === 'P' ? flags.replace(/[#^]/g, '') : flags, width, directive[1], directive[2]),
      )
  }
  pieces.push(format.slice(end))
  return pieces.filter((piece) => piece !== '')
}

function flagged(
  text: (moment: Moment) => string | number,
  flags: string,
  asked: string,
  usual = 0,
  usualFill = '0',
): (moment: Moment) => string {
  let fill = usualFill
  let width = asked === '' ? usual : Number(asked)
  if (width > LARGEST_WIDTH) {
    throw formatError(`%${flags}${asked}: too wide`, `the largest width is ${LARGEST_WIDTH}`)
  }
  for (const flag of flags) {
    if (flag === '-') width = asked === '' ? 0 : width
    else if (flag === '_') fill = ' '
    else if (flag === '0') fill = '0'
  }
  const upper = flags.includes('^') || flags.includes('#')
  const padded = (value: string | number) =>
    String(value).padStart(width, typeof value === 'string' && !flags.includes('0') ? ' ' : fill)
  return upper ? (moment) => padded(text(moment)).toUpperCase() : (moment) => padded(text(moment))
}

/** A time as `str` of Python writes it: `2026-11-24 18:30:00.250000`. */
export function timeAsPython(seconds: number, clock: Clock): string {
  if (!isInCalendar(seconds)) return String(seconds)
  const { microsecond } = momentOf(seconds, clock)
  const fraction = microsecond === 0 ? '' : `.${String(microsecond).padStart(6, '0')}`
  return timeFormatter('%F %T', clock)(seconds) + fraction
}
