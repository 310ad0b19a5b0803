/** Charts whose columns stand on an axis: jobs by period, utilisation, and distributions of durations. */
import { ticks } from 'd3-array'
import { count, duration, hours, percent, periodName, shortDuration } from '../figures.ts'
import type { ReportHistogram, ReportPeriod, ReportWork } from '../report-data.ts'
import { type Draw, type Frame, label, linear, mark, valueAxis } from './chart.ts'
import { STRONG, svg, textWidth } from './dom.ts'
import { axisHeight, timeAxis } from './time-axis.ts'
import { tell } from './tip.ts'

/** From the bottom up. */
const RESULTS = ['completed', 'canceled', 'timeout', 'failed'] as const

const WORDS = { completed: 'Completed', failed: 'Failed', timeout: 'Timed out', canceled: 'Canceled' } as const

const chartHeight = ({ width, font }: Frame) => Math.round(Math.max(font * 11, Math.min(font * 18, width * 0.3)))

/** Whole numbers for the axis of a count. */
function countTicks(most: number): number[] {
  return ticks(0, Math.max(1, most), 4).filter(Number.isInteger)
}

/** Jobs by period, stacked by result. */
export function periodsChart({ periods, unit }: ReportWork): Draw {
  const all = (period: ReportPeriod) => RESULTS.reduce((sum, result) => sum + period[result], 0)
  return (frame) => {
    const { width, font } = frame
    const height = chartHeight(frame)
    const steps = countTicks(Math.max(...periods.map(all)))
    const most = Math.max(steps.at(-1) ?? 1, ...periods.map(all))
    const left = Math.max(...steps.map((value) => textWidth(count(value), font))) + 10
    const top = font * 2.3
    const y = linear([0, most], [height, top])
    const x = periodScale(periods, left, width)
    const columns = periods.map((period) => {
      const [at, wide] = column(period, x)
      const parts: SVGElement[] = [svg('rect', { class: 'hit', x: at, y: top, width: wide, height: height - top })]
      let below = 0
      for (const result of RESULTS) {
        if (period[result] === 0) continue
        const above = below + period[result]
        parts.push(
          svg('rect', {
            class: `bar ${result}`,
            x: at,
            y: y(above),
            width: wide,
            height: Math.max(0.75, y(below) - y(above)),
          }),
        )
        below = above
      }
      return tell(mark({ class: 'column' }, ...parts), {
        title: capital(periodName(unit, period.start)),
        rows: [
          ...RESULTS.toReversed().map((result) => [WORDS[result], count(period[result])] as const),
          ['All', count(below)],
          ['Node-hours', hours(period.nodeHours)],
        ],
      })
    })
    return {
      height: height + axisHeight(font),
      parts: [
        label(0, font, 'jobs', { class: 'label unit' }),
        ...valueAxis(steps, y, { left, right: width, text: count, font }),
        ...periodAxis(periods, x, height, width, font),
        ...columns,
      ],
    }
  }
}

/** Part of the nodes that jobs held, by period. */
export function utilisationChart({ periods, unit }: ReportWork): Draw {
  return (frame) => {
    const { width, font } = frame
    const height = Math.round(chartHeight(frame) * 0.8)
    const top = font * 2.3
    const most = Math.max(1, ...periods.map(({ utilisation }) => utilisation ?? 0))
    const left = textWidth('100%', font) + 10
    const y = linear([0, most], [height, top])
    const x = periodScale(periods, left, width)
    const columns = periods.map((period) => {
      const [at, wide] = column(period, x)
      const part = period.utilisation
      const bar =
        part === null
          ? []
          : [svg('rect', { class: 'bar used', x: at, y: y(part), width: wide, height: Math.max(0, height - y(part)) })]
      const hit = svg('rect', { class: 'hit', x: at, y: top, width: wide, height: height - top })
      return tell(mark({ class: 'column' }, hit, ...bar), {
        title: capital(periodName(unit, period.start)),
        rows: [
          ['Utilisation', percent(part)],
          ['Node-hours', hours(period.nodeHours)],
        ],
      })
    })
    return {
      height: height + axisHeight(font),
      parts: [
        label(0, font, 'nodes held', { class: 'label unit' }),
        ...valueAxis([0, 0.25, 0.5, 0.75, 1], y, { left, right: width, text: percent, font }),
        ...periodAxis(periods, x, height, width, font),
        ...columns,
      ],
    }
  }
}

function periodScale(periods: readonly ReportPeriod[], left: number, width: number): (seconds: number) => number {
  return linear([periods[0]?.start ?? 0, periods.at(-1)?.end ?? 1], [left, width])
}

/** Left side and width of a column, with a gap where there is room for one. One period alone is no wall. */
function column({ start, end }: ReportPeriod, x: (seconds: number) => number): [number, number] {
  const [from, to] = [x(start), x(end)]
  const gap = to - from > 6 ? Math.min(6, (to - from) * 0.15) : to - from > 2 ? 0.5 : 0
  const wide = Math.max(0.5, to - from - gap)
  return wide > 120 ? [from + (wide - 120) / 2, 120] : [from + gap / 2, wide]
}

function periodAxis(
  periods: readonly ReportPeriod[],
  x: (seconds: number) => number,
  bottom: number,
  width: number,
  font: number,
): SVGElement[] {
  const [from, to] = [periods[0]?.start ?? 0, periods.at(-1)?.end ?? 1]
  // The label of a period stands below the middle of its column.
  const half = ((periods[0]?.end ?? from) - from) / 2
  return timeAxis({
    from,
    to,
    x: (seconds) => x(seconds + half),
    utc: true,
    at: periods.map(({ start }) => start),
    font,
    bottom,
    top: bottom,
    right: width,
  })
}

/** Jobs by duration; the median and the 95th percentile stand over it. */
export function histogramChart({ bins, median, p95 }: ReportHistogram): Draw {
  return (frame) => {
    const { width, font } = frame
    const height = chartHeight(frame)
    const steps = countTicks(Math.max(...bins.map((bin) => bin.count)))
    const most = Math.max(steps.at(-1) ?? 1, ...bins.map((bin) => bin.count))
    const left = Math.max(...steps.map((value) => textWidth(count(value), font))) + 10
    const top = font * 4
    const y = linear([0, most], [height, top])
    const right = width - font
    const wide = (right - left) / bins.length
    const all = bins.reduce((sum, bin) => sum + bin.count, 0)
    const columns = bins.map(({ from, to, count: jobs }, i) => {
      const at = left + i * wide
      const gap = wide > 6 ? Math.min(4, wide * 0.12) : 0
      const hit = svg('rect', { class: 'hit', x: at, y: top, width: wide, height: height - top })
      const tall = jobs === 0 ? 0 : Math.max(1, height - y(jobs))
      const bar = svg('rect', { class: 'bar used', x: at + gap / 2, y: height - tall, width: wide - gap, height: tall })
      return tell(mark({ class: 'column' }, hit, bar), {
        title: `${shortDuration(from)} to ${shortDuration(to)}`,
        rows: [
          ['Jobs', count(jobs)],
          ['Part', percent(jobs / all || 0)],
        ],
      })
    })
    return {
      height: height + font * 2.2,
      parts: [
        label(0, font, 'jobs', { class: 'label unit' }),
        ...valueAxis(steps, y, { left, right, text: count, font }),
        ...columns,
        ...edgeLabels(bins, left, wide, height, font, width),
        ...marker('median', median, bins, { left, wide, top: font * 2.2, height, font, right: width }),
        ...marker('95%', p95, bins, { left, wide, top: font * 3.6, height, font, right: width }),
      ],
    }
  }
}

function edgeLabels(
  bins: ReportHistogram['bins'],
  left: number,
  wide: number,
  height: number,
  font: number,
  width: number,
): SVGElement[] {
  const parts: SVGElement[] = []
  let free = Number.NEGATIVE_INFINITY
  for (const [i, seconds] of [...bins.map(({ from }) => from), bins.at(-1)?.to ?? 0].entries()) {
    const at = left + i * wide
    const text = shortDuration(seconds)
    const half = textWidth(text, font) / 2
    const middle = Math.max(half, Math.min(width - half, at))
    parts.push(svg('line', { class: 'tick', x1: at, x2: at, y1: height, y2: height + 4 }))
    if (middle - half < free) continue
    free = middle + half + font * 0.7
    parts.push(label(middle, height + font * 1.5, text, { 'text-anchor': 'middle' }))
  }
  return parts
}

/** A line at a duration. Within a bin it stands by the logarithm, since bins grow; in the first, by the duration. */
function marker(
  name: string,
  seconds: number | null,
  bins: ReportHistogram['bins'],
  { left, wide, top, height, font, right }: Record<'left' | 'wide' | 'top' | 'height' | 'font' | 'right', number>,
): SVGElement[] {
  if (seconds === null) return []
  const found = bins.findIndex(({ to }) => seconds < to)
  const index = found < 0 ? bins.length - 1 : found
  const { from = 0, to = 1 } = bins[index] ?? {}
  const part = from > 0 ? Math.log(seconds / from) / Math.log(to / from) : (seconds - from) / (to - from)
  const at = left + (index + Math.max(0, Math.min(1, part || 0))) * wide
  const text = `${name} ${duration(seconds)}`
  // Strong letters are wider than those that are measured.
  const before = at + textWidth(text, font) * STRONG + 6 > right
  return [
    svg('line', { class: 'marker', x1: at, x2: at, y1: top - font, y2: height }),
    label(before ? at - 4 : at + 4, top - font * 0.2, text, {
      'text-anchor': before ? 'end' : 'start',
      class: 'label strong',
    }),
  ]
}

function capital(text: string): string {
  return text.replace(/^the (\w)/, (_, letter: string) => letter.toUpperCase())
}
