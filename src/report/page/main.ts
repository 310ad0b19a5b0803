/** The script of a report: it draws pictures over the tables, and shows times in the reader's zone. */
import { commandsFor } from '../commands.ts'
import { count, duration, hours, percent, size } from '../figures.ts'
import type { ReportData, ReportGroup } from '../report-data.ts'
import { type Bar, barsChart, wholeChart } from './bars.ts'
import { type Draw, followPrinting, mount } from './chart.ts'
import { histogramChart, periodsChart, utilisationChart } from './columns.ts'
import { html, svg } from './dom.ts'
import { checkpointsChart, eventsChart, spansChart } from './moments.ts'
import { mountThemeSwitch } from './theme.ts'
import { mountTreemap } from './treemap.ts'
import { readersZone, showLocalTimes } from './zone.ts'

const data: ReportData = JSON.parse(document.getElementById('data')?.textContent ?? '')
const { snapshot, health, room, work, nodes, events } = data

/** Rows of nodes at first, and how many more a click shows. */
const FIRST_ROWS = 30
const MORE_ROWS = 300

const charts: Record<string, (plot: HTMLElement) => void> = {
  checkpoints: (plot) => mount(plot, checkpointsChart(health.checkpoints)),
  content: (plot) => mount(plot, contentChart()),
  tree: (plot) => mountTreemap(plot, room.tree, commandsFor(snapshot)),
  kinds: (plot) => mount(plot, kindsChart()),
  largest: (plot) =>
    mount(plot, barsChart(room.largest.map(({ key, bytes }) => bar(key, bytes, size(bytes), [['Size', size(bytes)]])))),
  periods: (plot) => mount(plot, periodsChart(work)),
  utilisation: (plot) => mount(plot, utilisationChart(work)),
  wait: (plot) => mount(plot, histogramChart(work.wait)),
  runtime: (plot) => mount(plot, histogramChart(work.runtime)),
  users: (plot) => mount(plot, groupsChart(work.users, 'user')),
  queues: (plot) => mount(plot, groupsChart(work.queues, 'queue')),
  banks: (plot) => mount(plot, groupsChart(work.banks, 'bank')),
  sizes: (plot) => mount(plot, groupsChart(work.sizes, 'size')),
  statuses: (plot) => mount(plot, statusesChart()),
  failed: (plot) => mount(plot, failedChart()),
  spans: mountSpans,
  events: (plot) => mount(plot, eventsChart(events)),
}

function bar(name: string, value: number, text: string, rows: [string, string][], more: Partial<Bar> = {}): Bar {
  return { name, value, text, told: { title: name, rows }, ...more }
}

function contentChart(): Draw {
  if (health.content === null) return wholeChart([])
  const { storedBytes, garbageStoredBytes, freePages, pageSize } = health.content
  const part = (name: string, bytes: number, kind: string) =>
    bar(name, bytes, `${name} ${size(bytes)}`, [['Stored', size(bytes)]], { kind })
  return wholeChart([
    part('Reachable', storedBytes - garbageStoredBytes, 'reachable'),
    part('Garbage', garbageStoredBytes, 'garbage'),
    part('Free pages', (freePages ?? 0) * (pageSize ?? 0), 'free'),
  ])
}

function kindsChart(): Draw {
  const all = room.kinds.reduce((sum, { bytes }) => sum + bytes, 0)
  return barsChart(
    room.kinds.map(({ kind, bytes, count: records }) =>
      bar(kind, bytes, size(bytes), [
        ['Size', size(bytes)],
        ['Part', percent(bytes / all || 0)],
        ['Records', count(records)],
      ]),
    ),
  )
}

function groupsChart(groups: readonly ReportGroup[], by: string): Draw {
  return barsChart(
    groups.map((group) => {
      const name = group.name ?? (group.folded > 0 ? `${count(group.folded)} others` : `no ${by}`)
      return bar(
        name,
        group.nodeHours,
        hours(group.nodeHours),
        [
          ['Node-hours', hours(group.nodeHours)],
          ['Part', percent(group.nodeHours / work.total.nodeHours || 0)],
          ['Jobs', count(group.jobCount)],
          ['Failed', count(group.failedCount)],
          ['Median wait', duration(group.wait.median)],
          ['Median run time', duration(group.runtime.median)],
        ],
        group.name === null ? { kind: 'rest' } : {},
      )
    }),
  )
}

function statusesChart(): Draw {
  const fills = new Set(['completed', 'failed', 'canceled', 'timeout'])
  const all = [...work.results, ...work.states].reduce((sum, each) => sum + each.count, 0)
  const one = (name: string, jobs: number, kind: string) =>
    bar(
      name,
      jobs,
      count(jobs),
      [
        ['Jobs', count(jobs)],
        ['Part', percent(jobs / all || 0)],
      ],
      { kind },
    )
  return barsChart([
    ...work.results.map(({ result, count: jobs }) =>
      one(result, jobs, fills.has(result.toLowerCase()) ? result.toLowerCase() : 'used'),
    ),
    ...work.states.map(({ state, count: jobs }) => one(state, jobs, 'rest')),
  ])
}

function failedChart(): Draw {
  return barsChart(
    work.mostFailed.map(({ name, failed, jobs }) =>
      bar(
        name,
        jobs,
        `${count(failed)} of ${count(jobs)}`,
        [
          ['Failed', count(failed)],
          ['Jobs', count(jobs)],
          ['Part', percent(failed / jobs || 0)],
        ],
        { kind: 'rest', part: { value: failed, kind: 'failed' } },
      ),
    ),
  )
}

function mountSpans(plot: HTMLElement): void {
  let shown = Math.min(FIRST_ROWS, nodes.rows.length)
  const redraw = mount(
    plot,
    spansChart(nodes, () => shown),
  )
  const button = html('button', { type: 'button', class: 'more' })
  const say = () => {
    const left = nodes.rows.length - shown
    button.hidden = left === 0
    button.textContent = `Show ${left > MORE_ROWS ? `${MORE_ROWS} of ` : ''}${count(left)} more rows`
  }
  button.addEventListener('click', () => {
    shown = Math.min(nodes.rows.length, shown + MORE_ROWS)
    say()
    redraw()
  })
  say()
  plot.after(button)
}

/** Hatches, so that nothing is told by its colour alone. */
function patterns(): SVGElement {
  const pattern = (id: string, path: string, tile = 6) =>
    svg(
      'pattern',
      { id: `hatch-${id}`, width: tile, height: tile, patternUnits: 'userSpaceOnUse' },
      svg('rect', { class: `ground ${id}`, width: tile, height: tile }),
      svg('path', { class: 'strokes', d: path }),
    )
  return svg(
    'svg',
    { class: 'patterns', width: 0, height: 0, 'aria-hidden': 'true' },
    svg(
      'defs',
      {},
      pattern('failed', 'M-1 1L1 -1M0 6L6 0M5 7L7 5'),
      pattern('timeout', 'M0 1.5H6M0 4.5H6'),
      pattern('canceled', 'M1.5 0V6M4.5 0V6'),
      pattern('drained', 'M-1 1L1 -1M0 6L6 0M5 7L7 5'),
      pattern('garbage', 'M-1 5L1 7M0 0L6 6M5 -1L7 1'),
      pattern('folded', 'M-1 1L1 -1M0 6L6 0M5 7L7 5'),
    ),
  )
}

document.documentElement.classList.remove('static')
document.body.append(patterns())
for (const place of document.querySelectorAll<HTMLElement>('[data-theme-switch]')) mountThemeSwitch(place)
for (const swatch of document.querySelectorAll<HTMLElement>('[data-swatch]')) {
  const key = swatch.dataset.swatch ?? ''
  const isSign = ['whole', 'damaged', 'unchecked'].includes(key)
  const shape = isSign
    ? key === 'damaged'
      ? svg('path', { class: 'sign damaged', d: 'M2 2L10 10M2 10L10 2' })
      : svg('circle', { class: `sign ${key}`, cx: 6, cy: 6, r: key === 'whole' ? 5 : 4 })
    : svg('rect', { class: `bar ${key}`, width: 12, height: 12 })
  swatch.append(svg('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, shape))
}
for (const plot of document.querySelectorAll<HTMLElement>('[data-chart]')) charts[plot.dataset.chart ?? '']?.(plot)
showLocalTimes(document)
for (const place of document.querySelectorAll('.zone')) {
  const zone = readersZone()
  place.textContent = /^(Etc\/)?(UTC|GMT)$/.test(zone)
    ? 'Times are UTC.'
    : `Times are those of ${zone}, with UTC beside them. Periods of jobs are those of UTC.`
}
followPrinting()
