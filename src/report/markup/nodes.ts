/** The section of a page about the nodes. */
import { countText } from '../../errors/index.ts'
import { type CommandFor, commandsFor } from '../commands.ts'
import { count, duration, hours } from '../figures.ts'
import type { ReportData, ReportNodeRow, ReportNodes } from '../report-data.ts'
import { h, type Markup } from './element.ts'
import { deltas, figure, named, nothing, section, shortName, time } from './parts.ts'

/** Spans that the table shows. */
const TABLE_ROWS = 300

/** When nodes were drained or down. */
export function nodesSection({ snapshot, nodes, comparison }: ReportData): Markup {
  const { rows, quiet } = nodes
  const troubled = rows.reduce((sum, row) => sum + row.count, 0)
  return section(
    'nodes',
    'Nodes',
    rows.length > 0 ? spansFigure(nodes, troubled, commandsFor(snapshot)) : null,
    quiet.count > 0
      ? h(
          'p',
          { class: 'quiet' },
          `${countText(quiet.count, 'node')} ${quiet.count === 1 ? 'was' : 'were'} never drained or down: `,
          named(quiet.hosts),
        )
      : null,
    rows.length === 0 && quiet.count === 0 ? nothing('The snapshot has no records of nodes.') : null,
    deltas('nodes', comparison?.nodes),
  )
}

function spansFigure({ rows, quiet, from, to }: ReportNodes, troubled: number, command: CommandFor): Markup {
  const spans = rows.flatMap((row) => row.spans.map((span) => ({ row, span })))
  const worst = rows.reduce((a, b) => (outOfService(b, to) > outOfService(a, to) ? b : a))
  return figure({
    id: 'spans',
    title: [
      `${count(troubled)} of ${countText(troubled + quiet.count, 'node')} ${troubled === 1 ? 'was' : 'were'} drained or down; `,
      shortName(worst.hosts),
      ` longest, for ${duration(outOfService(worst, to))}`,
    ],
    about: 'A row for each node, or for nodes to which the same happened, by time.',
    chart: 'spans',
    legend: [
      ['drained', 'drained'],
      ['down', 'down'],
    ],
    table: {
      caption: `Times at which nodes were drained or down`,
      columns: [
        { title: 'Nodes' },
        { title: 'Ranks' },
        { title: 'State' },
        { title: 'From' },
        { title: 'To' },
        { title: 'Duration', figures: true },
        { title: 'Reason' },
        { title: 'Node-hours of jobs', figures: true },
      ],
      rows: spans
        .slice(0, TABLE_ROWS)
        .map(({ row, span }) => [
          named(row.hosts),
          named(row.ranks),
          span.state,
          time(span.from),
          span.to === null ? 'not ended' : time(span.to),
          duration((span.to ?? to ?? from ?? span.from) - span.from),
          named(span.reason, '–'),
          hours(row.nodeHours),
        ]),
      left: Math.max(0, spans.length - TABLE_ROWS),
    },
    command: command('kvs eventlog get resource.eventlog'),
    wide: true,
  })
}

/** Seconds that a row was drained or down; both at once count once. */
function outOfService({ spans }: ReportNodeRow, end: number | null): number {
  let seconds = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = to ?? end ?? from
    seconds += Math.max(0, last - Math.max(from, until))
    until = Math.max(until, last)
  }
  return seconds
}
