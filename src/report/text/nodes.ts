import { grouped } from '../../errors/index.ts'
import type { ReportNodeRow, ReportNodes } from '../report-data.ts'
import type { TextPage } from './page.ts'
import { dayText, hoursText, secondsText } from './quantities.ts'

/** Rows of the picture. */
const LISTED = 40
const NAMES = 20

/** The section on the nodes: a row for each that was drained or down, with its time as a line. */
export function nodesText(page: TextPage, { from, to, rows, quiet }: ReportNodes): void {
  if (rows.length > 0 && from !== null && to !== null) {
    const first = Math.min(from, ...rows.flatMap(({ spans }) => spans.map((span) => span.from)))
    const [drained, down] = page.isAscii ? ['#', 'x'] : ['█', '░']
    page.line(`  from ${dayText(first)} to ${dayText(to)} UTC; ${drained} drained, ${down} down`)
    const width = page.width - NAMES - 4
    for (const row of rows.slice(0, LISTED)) {
      page.line(`  ${page.padded(row.hosts, NAMES)}  ${timeline(row, first, to, width, [drained, down], page.isAscii)}`)
    }
    if (rows.length > LISTED) page.line(`  and ${grouped(rows.length - LISTED)} more rows`)
    page.title('Drained or down at the end')
    const open = rows.filter(({ spans }) => spans.some((span) => span.to === null)).slice(0, LISTED)
    if (open.length === 0) page.line('  none')
    page.table(
      open.flatMap(({ hosts, spans, nodeHours }) =>
        spans
          .filter((span) => span.to === null)
          .map(({ state, from: since, reason }) => [
            hosts,
            state,
            { right: secondsText(Math.max(0, to - since)) },
            { right: `${hoursText(nodeHours)} node-h` },
            reason ?? '-',
          ]),
      ),
    )
  }
  const words = rows.length === 0 ? 'no records tell that any node was drained or down' : undefined
  if (words !== undefined) page.line(`  ${words}`)
  if (quiet.count > 0) page.paragraph(`never drained or down: ${grouped(quiet.count)} (${quiet.hosts})`)
}

function timeline(
  { spans }: ReportNodeRow,
  from: number,
  to: number,
  width: number,
  [drained, down]: readonly [string, string],
  isAscii: boolean,
): string {
  const cells = new Array<string>(width).fill(isAscii ? '.' : '·')
  const length = Math.max(1, to - from)
  for (const span of spans) {
    const first = Math.floor(((span.from - from) / length) * width)
    const last = Math.ceil((((span.to ?? to) - from) / length) * width)
    const end = Math.min(width, Math.max(last, first + 1))
    for (let i = Math.max(0, Math.min(first, width - 1)); i < end; i++)
      cells[i] = span.state === 'down' ? down : drained
  }
  return cells.join('')
}
