/** The axis of time, in UTC for periods, which are those of UTC, and in the reader's zone for moments. */
import { timeTicks, utcTicks } from 'd3-time'
import { label } from './chart.ts'
import { svg, textWidth } from './dom.ts'
import { readersZone } from './zone.ts'

/** What an axis is made from. */
export interface TimeAxis {
  readonly from: number
  readonly to: number
  readonly x: (seconds: number) => number
  readonly utc: boolean
  /** Where lines and labels may stand, in seconds; round times, where none are given. */
  readonly at?: readonly number[]
  readonly font: number
  /** Where its labels stand, and how far its lines go up. */
  readonly bottom: number
  readonly top: number
  readonly right: number
}

/** Lines and labels of the axis; the zone stands at its right end, a line below. It takes {@link axisHeight} below `bottom`. */
export function timeAxis({ from, to, x, utc, at: given, font, bottom, top, right }: TimeAxis): SVGElement[] {
  const [start, end] = [new Date(from * 1000), new Date(to * 1000)]
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime())) return []
  const room = Math.max(2, Math.floor((x(to) - x(from)) / (font * 7)))
  const round = () => (from === to ? [start] : (utc ? utcTicks : timeTicks)(start, end, room))
  const times = given?.map((seconds) => new Date(seconds * 1000)) ?? round()
  // No label has parts of a second.
  const whole = times.filter((date) => date.getUTCMilliseconds() === 0)
  const dates = whole.length > 0 ? whole : times
  const isDaily = dates.every(
    (date) => (utc ? date.getUTCHours() + date.getUTCMinutes() : date.getHours() + date.getMinutes()) === 0,
  )
  const isMonthly = isDaily && dates.every((date) => (utc ? date.getUTCDate() : date.getDate()) === 1)
  const isExact = dates.some((date) => date.getUTCSeconds() + date.getUTCMilliseconds() > 0)
  const parts: SVGElement[] = []
  let free = Number.NEGATIVE_INFINITY
  let day = ''
  for (const date of dates) {
    const seconds = date.getTime() / 1000
    const iso = (utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000)).toISOString()
    const hour = iso.slice(11, isExact ? 19 : 16)
    const isNewDay = iso.slice(0, 10) !== day
    const isDate = isDaily || (isNewDay && hour.replace(/[0:]/g, '') === '')
    const dayText = isMonthly ? iso.slice(0, 7) : iso.slice(0, 10)
    const shown = isDate ? dayText : isNewDay ? `${iso.slice(5, 10)} ${hour}` : hour
    const width = textWidth(shown, font)
    const at = x(seconds)
    if (top < bottom) parts.push(svg('line', { class: 'grid', x1: at, x2: at, y1: top, y2: bottom }))
    const middle = Math.max(width / 2, Math.min(right - width / 2, at))
    if (middle - width / 2 < free) continue
    parts.push(svg('line', { class: 'tick', x1: at, x2: at, y1: bottom, y2: bottom + 4 }))
    day = iso.slice(0, 10)
    free = middle + width / 2 + font * 0.7
    parts.push(label(middle, bottom + font * 1.4, shown, { 'text-anchor': 'middle' }))
  }
  const zone = utc ? 'UTC' : readersZone()
  parts.push(label(right, bottom + font * 2.7, zone, { 'text-anchor': 'end', class: 'label unit' }))
  return parts
}

/** Pixels that the axis takes below the chart. */
export function axisHeight(font: number): number {
  return font * 3.1
}
