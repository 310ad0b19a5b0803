/** What the nodes went through: a row for each that was drained or down, those alike joined. */
import type { HeldByRank, NodeSpan } from '../inspect/index.ts'
import type { InstanceRecords } from './instance.ts'
import type { Names } from './names.ts'
import type { ReportNodeRow, ReportNodes } from './report-data.ts'

/** Rows of a picture. Those of the nodes with the shortest times are joined. */
const MOST_ROWS = 150

/** Spans of a row: the newest. */
const MOST_SPANS = 40

/** Nodes whose names are listed. */
const MOST_NAMES = 20_000

interface Row {
  readonly ranks: number[]
  readonly spans: readonly NodeSpan[]
}

export function gatherNodes(
  { resources, history }: InstanceRecords,
  heldByRank: HeldByRank,
  now: number | undefined,
  names: Names,
): ReportNodes {
  const hosts = hostsOf({ resources, history })
  const byRank = new Map<number, NodeSpan[]>()
  for (const span of history.spans) {
    const spans = byRank.get(span.rank)
    if (spans) spans.push(span)
    else byRank.set(span.rank, [span])
  }
  const to = now ?? history.to
  const rows = fewRows(alike(byRank), to ?? 0)
  const quiet = [...(resources?.ranks ?? [])].filter((rank) => !byRank.has(rank))
  const hostlist = (ranks: readonly number[]) =>
    names.hosts(ranks.slice(0, MOST_NAMES).map((rank) => hosts.get(rank) ?? `rank${rank}`))
  return {
    from: history.from ?? null,
    to: to ?? null,
    rows: rows.map(({ ranks, spans }): ReportNodeRow => {
      const seconds = ranks.reduce((sum, rank) => sum + heldByRank.secondsOf(rank), 0)
      return {
        hosts: hostlist(ranks),
        ranks: names.ranks(ranks),
        count: ranks.length,
        spans: spans.slice(-MOST_SPANS).map(({ state, from, to = null, reason }) => ({
          state,
          from,
          to,
          reason: reason === undefined ? null : names.reason(reason),
        })),
        nodeHours: Math.round((seconds / 3600) * 1e6) / 1e6,
      }
    }),
    quiet: { count: quiet.length, hosts: hostlist(quiet) },
  }
}

/** The names of hosts by rank: those of the log, and those of the resource set. */
function hostsOf({ resources, history }: Pick<InstanceRecords, 'resources' | 'history'>): Map<number, string> {
  const hosts = new Map(history.hosts)
  if (resources?.hosts?.size === resources?.nnodes) {
    const names = resources?.hosts?.[Symbol.iterator]()
    for (const rank of resources?.ranks ?? []) {
      const name = names?.next().value
      if (name !== undefined) hosts.set(rank, name)
    }
  }
  return hosts
}

/** Join the nodes that went through the same. */
function alike(byRank: ReadonlyMap<number, NodeSpan[]>): Row[] {
  const rows = new Map<string, Row>()
  for (const [rank, spans] of byRank) {
    const id = JSON.stringify(spans.map(({ state, from, to, reason }) => [state, from, to, reason]))
    const row = rows.get(id)
    if (row) row.ranks.push(rank)
    else rows.set(id, { ranks: [rank], spans })
  }
  return [...rows.values()]
}

/** Join the rows with the shortest times, if there are too many. Those that are drained or down at the end come first. */
function fewRows(rows: Row[], now: number): Row[] {
  const byRank = (a: Row, b: Row) => (a.ranks[0] as number) - (b.ranks[0] as number)
  if (rows.length <= MOST_ROWS) return rows.sort(byRank)
  const timeOf = ({ spans, ranks }: Row) =>
    spans.reduce((sum, { from, to = now }) => sum + Math.max(0, to - from), 0) * ranks.length
  const sorted = rows
    .map((row) => ({ row, time: timeOf(row) }))
    .sort((a, b) => Number(isOpen(b.row)) - Number(isOpen(a.row)) || b.time - a.time)
  const rest = sorted.slice(MOST_ROWS - 1).map(({ row }) => row)
  const spans = rest.flatMap((row) => row.spans)
  const together: Row = {
    ranks: rest.flatMap(({ ranks }) => ranks).sort((a, b) => a - b),
    spans: [...unions(spans, 'drained'), ...unions(spans, 'down')].sort((a, b) => a.from - b.from),
  }
  return [
    ...sorted
      .slice(0, MOST_ROWS - 1)
      .map(({ row }) => row)
      .sort(byRank),
    together,
  ]
}

function isOpen({ spans }: Row): boolean {
  return spans.some(({ to }) => to === undefined)
}

/** The times in which any of some nodes was in a state. */
function unions(spans: readonly NodeSpan[], state: NodeSpan['state']): NodeSpan[] {
  const joined: NodeSpan[] = []
  for (const span of spans.filter((span) => span.state === state).sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last === undefined || (last.to !== undefined && span.from > last.to)) {
      joined.push({ ...span, reason: undefined })
    } else if (last.to !== undefined) last.to = span.to === undefined ? undefined : Math.max(last.to, span.to)
  }
  return joined
}
