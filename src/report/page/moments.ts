/** Charts along time: checkpoints, events of the instance, and what nodes went through. */
import { count, duration, hours } from '../figures.ts'
import type { ReportEvents, ReportHealth, ReportNodes } from '../report-data.ts'
import { type Draw, label, linear, mark } from './chart.ts'
import { fitted, svg, textWidth } from './dom.ts'
import { axisHeight, timeAxis } from './time-axis.ts'
import { type Told, tell } from './tip.ts'
import { bothTimes } from './zone.ts'

/** A moment in a row. */
interface Moment {
  readonly row: number
  readonly at: number
  readonly kind: string
  readonly told: Told
}

/** Checkpoints, each with a sign that says whether it is whole. */
export function checkpointsChart(checkpoints: ReportHealth['checkpoints']): Draw {
  const moments = checkpoints.toReversed().map(({ timestamp, sequence, errors, rootref }) => ({
    row: 0,
    at: timestamp,
    kind: errors === null ? 'unchecked' : errors === 0 ? 'whole' : 'damaged',
    told: {
      title: bothTimes(timestamp),
      rows: [
        ['State', errors === null ? 'not checked' : errors === 0 ? 'whole' : `${count(errors)} errors`],
        ['Sequence', count(sequence)],
        ['Root', rootref.length > 20 ? `${rootref.slice(0, 20)}…` : rootref],
      ] as [string, string][],
    },
  }))
  return momentsChart(moments, [])
}

/** Events of the instance, a row for each kind. */
export function eventsChart({ list }: ReportEvents): Draw {
  const kinds = [...new Set(list.map(({ kind }) => kind))]
  const moments = list.map(({ timestamp, kind, text }) => ({
    row: kinds.indexOf(kind),
    at: timestamp,
    kind: 'event',
    told: { title: `${kind}: ${bothTimes(timestamp)}`, rows: [['', text]] as [string, string][] },
  }))
  return momentsChart(moments, kinds)
}

function momentsChart(moments: readonly Moment[], rows: readonly string[]): Draw {
  const times = moments.map(({ at }) => at)
  const [first, last] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))]
  return ({ width, font }) => {
    const tall = font * 2
    const left =
      rows.length === 0 ? font : Math.min(width * 0.35, Math.max(...rows.map((name) => textWidth(name, font))) + 14)
    const right = width - font
    const bottom = Math.max(1, rows.length) * tall + 4
    const x = linear([first, last], [left + font * 0.6, right])
    return {
      height: bottom + axisHeight(font),
      parts: [
        ...timeAxis({ from: first, to: last, x, utc: false, font, bottom, top: 2, right: width }),
        ...rows.map((name, row) =>
          label(0, (row + 0.5) * tall + font * 0.35, fitted(name, left - 12, font), { class: 'label name' }),
        ),
        ...Array.from({ length: Math.max(1, rows.length) }, (_, row) =>
          svg('line', { class: 'grid', x1: left, x2: width, y1: (row + 0.5) * tall, y2: (row + 0.5) * tall }),
        ),
        ...moments.map(({ row, at, kind, told }) =>
          tell(mark({ class: 'moment' }, sign(kind, x(at), (row + 0.5) * tall, font)), told),
        ),
      ],
    }
  }
}

/** A sign that is known by its shape: a full disc, a cross, a ring, a diamond. */
function sign(kind: string, x: number, y: number, font: number): SVGElement {
  const r = font * 0.5
  if (kind === 'whole') return svg('circle', { class: 'sign whole', cx: x, cy: y, r })
  if (kind === 'unchecked') return svg('circle', { class: 'sign unchecked', cx: x, cy: y, r: r - 1 })
  if (kind === 'damaged') {
    return svg('path', {
      class: 'sign damaged',
      d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}`,
    })
  }
  return svg('path', { class: 'sign event', d: `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z` })
}

/** What nodes went through: the first rows, and as many as were asked for. */
export function spansChart({ rows, from, to }: ReportNodes, rowCount: () => number): Draw {
  const ends = rows.flatMap(({ spans }) => spans.flatMap((span) => [span.from, span.to ?? span.from]))
  const first = from ?? ends.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const last = to ?? ends.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const clamp = (seconds: number) => Math.max(first, Math.min(last, seconds))
  return ({ width, font }) => {
    const shown = rows.slice(0, rowCount())
    const names = shown.map(({ hosts, count: nodes }) => (nodes > 1 ? `${hosts} (${count(nodes)})` : hosts))
    const tall = font * 1.75
    const left = Math.min(width * 0.35, Math.max(...names.map((name) => textWidth(name, font))) + 12)
    const bottom = shown.length * tall + 2
    const x = linear([first, last], [left, width])
    const parts: SVGElement[] = shown.map((_, i) =>
      svg('rect', { class: 'lane', x: left, y: i * tall + 1, width: width - left, height: tall - 2 }),
    )
    parts.push(...timeAxis({ from: first, to: last, x, utc: false, font, bottom, top: 0, right: width }))
    for (const [i, { hosts, spans, nodeHours }] of shown.entries()) {
      const top = i * tall
      parts.push(
        label(0, top + tall / 2 + font * 0.35, fitted(names[i] ?? '', left - 10, font), { class: 'label name' }),
      )
      for (const { state, from: start, to: end, reason } of spans) {
        const [a, b] = [x(clamp(start)), x(clamp(end ?? last))]
        // Down lies over drained, and is lower, so that both are seen.
        const inset = state === 'down' ? tall * 0.3 : 2
        parts.push(
          tell(
            mark(
              { class: 'span' },
              svg('rect', {
                class: `bar ${state}`,
                x: a,
                y: top + inset,
                width: Math.max(2, b - a),
                height: tall - 2 * inset,
              }),
            ),
            {
              title: `${hosts}: ${state}`,
              rows: [
                ['From', bothTimes(start)],
                ['To', end === null ? 'not ended' : bothTimes(end)],
                ['For', duration((end ?? last) - start)],
                ...(reason === null ? [] : ([['Reason', reason]] as [string, string][])),
                ['Node-hours of jobs', hours(nodeHours)],
              ],
            },
          ),
        )
      }
    }
    return { height: bottom + axisHeight(font), parts }
  }
}
