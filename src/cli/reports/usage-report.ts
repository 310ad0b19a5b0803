/** The figures of jobs as a table, as CSV and as JSON. */
import { csvLine } from '../../bytes/index.ts'
import { grouped, isoTime, printable } from '../../errors/index.ts'
import { cutLine, figuresJson, type JobFigures, type JobGroup, periodOf, type UsageTable } from '../../inspect/index.ts'
import { outputWidth } from '../output.ts'
import type { Column } from '../table.ts'
import { loadTextWidth, textWidth } from '../text-width.ts'

/** A row of the report: a group, or the total. */
export interface UsageReportRow {
  readonly keys: readonly (string | null)[]
  readonly figures: JobFigures
}

/** A figure: its titles, its value, and how people read it. */
interface Figure {
  title: string
  /** With its unit. */
  csv: string
  value: (figures: JobFigures) => number | undefined
  text: (value: number) => string
  /** Only in CSV; the result is a group too. */
  onlyCsv?: boolean
}

const HOUR = 3600

const FIGURES: readonly Figure[] = [
  { title: 'JOBS', csv: 'jobs', value: ({ jobCount }) => jobCount, text: grouped },
  { title: 'FAILED', csv: 'failed', value: ({ failedCount }) => failedCount, text: grouped },
  { title: '', csv: 'canceled', value: ({ canceledCount }) => canceledCount, text: grouped, onlyCsv: true },
  { title: '', csv: 'timeout', value: ({ timeoutCount }) => timeoutCount, text: grouped, onlyCsv: true },
  { title: 'NODE-H', csv: 'node_hours', value: ({ nodeSeconds }) => hours(nodeSeconds), text: hoursText },
  { title: 'CORE-H', csv: 'core_hours', value: ({ coreSeconds }) => hours(coreSeconds), text: hoursText },
  { title: 'GPU-H', csv: 'gpu_hours', value: ({ gpuSeconds }) => hours(gpuSeconds), text: hoursText },
  { title: 'WAIT', csv: 'wait_median_seconds', value: ({ wait }) => wait.quantile(0.5), text: secondsText },
  { title: 'WAIT-95%', csv: 'wait_p95_seconds', value: ({ wait }) => wait.quantile(0.95), text: secondsText },
  { title: 'RUN', csv: 'run_median_seconds', value: ({ runtime }) => runtime.quantile(0.5), text: secondsText },
  { title: 'RUN-95%', csv: 'run_p95_seconds', value: ({ runtime }) => runtime.quantile(0.95), text: secondsText },
  { title: 'RUN-SUM', csv: 'run_sum_seconds', value: ({ runtime }) => runtime.sum, text: secondsText },
]

/** The rows of a report: the groups, and the total. Without groups, only the total. */
export function usageRows({ by, rows }: UsageTable, total: JobFigures): UsageReportRow[] {
  return [...(by.length > 0 ? rows : []), { keys: by.map((_, i) => (i === 0 ? 'total' : null)), figures: total }]
}

/**
 * The columns of a table. For people there is a bar for the node-hours, if the terminal is wide enough, and numbers are
 * rounded; for programs hours and seconds are exact.
 *
 * @param rows - all rows, with the total last
 */
export async function usageColumns(
  by: readonly JobGroup[],
  rows: readonly UsageReportRow[],
  forPeople: boolean,
): Promise<Column<UsageReportRow>[]> {
  const columns: Column<UsageReportRow>[] = by.map((group, i) => ({
    title: group.toUpperCase(),
    text: ({ keys }) => (forPeople ? cutLine(printable(keys[i] ?? ''), LONGEST_NAME) : (keys[i] ?? '')),
  }))
  for (const { title, value, text } of FIGURES.filter(({ onlyCsv }) => !onlyCsv)) {
    const cell = ({ figures }: UsageReportRow) => {
      const number = value(figures)
      return number === undefined ? '' : forPeople ? text(number) : exact(number)
    }
    columns.push({ title, text: cell, right: true })
  }
  const largest = Math.max(...rows.slice(0, -1).map(({ figures }) => figures.nodeSeconds))
  if (!forPeople || !(largest > 0)) return columns
  const room = outputWidth(undefined) - (await widthOf(columns, rows))
  const width = Math.min(LONGEST_BAR, room)
  if (width < SHORTEST_BAR) return columns
  const isTotal = (row: UsageReportRow) => row === rows.at(-1)
  const bar = (row: UsageReportRow) => (isTotal(row) ? '' : barText(row.figures.nodeSeconds / largest, width)) || ' '
  return [...columns, { title: ' ', text: bar }]
}

/** Names of jobs can be as long as users like. In columns. */
const LONGEST_NAME = 40
const SHORTEST_BAR = 4
const LONGEST_BAR = 24

/** The width of a table, with two spaces after each column. */
async function widthOf(columns: readonly Column<UsageReportRow>[], rows: readonly UsageReportRow[]): Promise<number> {
  let sum = 0
  for (const { title, text } of columns) {
    const cells = rows.map((row) => printable(text(row)))
    await loadTextWidth(cells)
    sum += cells.reduce((width, cell) => Math.max(width, textWidth(cell)), title.length) + 2
  }
  return sum
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar that is exact to an eighth of a column. @param part - from 0 to 1 */
export function barText(part: number, width: number): string {
  const eighths = Math.round(part * width * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string)
}

/** The lines of a CSV file: a line of titles, and a line for each row. Without groups, the line of the total. */
export function* usageCsv({ by, rows }: UsageTable, total: JobFigures): Generator<string> {
  yield csvLine([...by, ...FIGURES.map(({ csv }) => csv)])
  for (const { keys, figures } of by.length > 0 ? rows : [{ keys: [], figures: total }]) {
    const numbers = FIGURES.map(({ value }) => value(figures))
    yield csvLine([
      ...keys.map((key) => key ?? ''),
      ...numbers.map((number) => (number === undefined ? '' : exact(number))),
    ])
  }
}

/** The report as `--json` prints it. */
export function usageJson({ by, rows }: UsageTable, total: JobFigures): object {
  const hasPeriod = periodOf(by) !== undefined
  const all = by.length > 0 ? rows : []
  return {
    groups: all.map(({ keys, start, figures }) => ({
      group: Object.fromEntries(by.map((name, i) => [name, keys[i] ?? null])),
      ...(hasPeriod ? { timestamp: start, time: isoTime(start) } : {}),
      ...figuresJson(figures),
    })),
    total: figuresJson(total),
    isExact: total.isExact && all.every(({ figures }) => figures.isExact),
  }
}

function hours(seconds: number): number {
  return seconds / HOUR
}

/** To a thousandth of a second, or a millionth of an hour, which is less than four. */
function exact(number: number): string {
  return String(Math.round(number * 1e6) / 1e6)
}

/** `0.4`, `12.3`, `1,234` */
function hoursText(number: number): string {
  return number < 99.95 ? number.toFixed(1) : grouped(Math.round(number))
}

/** As `flux jobs` shows run times: `0.31s`, `4.2m`, `1.5h`, `2.3d`. */
function secondsText(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)}s`
  for (const [length, unit] of [[60, 'm'] as const, [HOUR, 'h'] as const]) {
    if (seconds / length < (unit === 'm' ? 59.95 : 23.95)) return `${(seconds / length).toFixed(1)}${unit}`
  }
  return `${(seconds / (24 * HOUR)).toFixed(1)}d`
}
