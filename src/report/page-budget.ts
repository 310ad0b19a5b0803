/** What of a report its page draws: the file stays small however many nodes and events there are. */
import type { ReportData, ReportNodeRow } from './report-data.ts'

/** Times at which nodes were drained or down, over all rows. */
const MOST_SPANS = 2000
/** The newest. */
const MOST_EVENTS = 1000

/** The data that the script of the page gets. Figures of the tables come from all of it. */
export function withinBudget(data: ReportData): ReportData {
  const { nodes, events } = data
  const list = events.list.slice(-MOST_EVENTS)
  const left = events.left + events.list.length - list.length
  return { ...data, nodes: { ...nodes, rows: firstRows(nodes.rows) }, events: { list, left } }
}

/** The first rows, with as many spans as there is room for. */
function firstRows(rows: readonly ReportNodeRow[]): ReportNodeRow[] {
  const kept: ReportNodeRow[] = []
  let left = MOST_SPANS
  for (const row of rows) {
    if (left <= 0) break
    kept.push(row.spans.length > left ? { ...row, spans: row.spans.slice(0, left) } : row)
    left -= Math.max(1, row.spans.length)
  }
  return kept
}
