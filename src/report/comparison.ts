/** What came, went and changed between two snapshots. */
import { DiffTotals, diff } from '../inspect/index.ts'
import type { Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import type { ReportComparison, ReportData, ReportDelta } from './report-data.ts'

type Sections = Pick<ReportData, 'snapshot' | 'health' | 'room' | 'work' | 'nodes' | 'events'>

/** Compare the figures of two snapshots, and count the keys that differ. */
export async function compared(
  [before, snapshotBefore]: readonly [Sections, Snapshot],
  [after, snapshotAfter]: readonly [Sections, Snapshot],
  { faults, signal }: { faults: Faults; signal: AbortSignal | undefined },
): Promise<ReportComparison> {
  const totals = new DiffTotals()
  const { onFault } = faults
  await faults.attempt(
    'diff',
    async () => {
      for await (const _ of totals.count(diff(snapshotBefore, snapshotAfter, { onFault, signal })));
    },
    undefined,
  )
  const row = (label: string, unit: ReportDelta['unit'], of: (data: Sections) => number | string | null) => ({
    label,
    unit,
    before: of(before),
    after: of(after),
  })
  return {
    snapshot: before.snapshot,
    keys: totals.total,
    health: [
      row('damaged keys', 'count', ({ health }) => health.fsck.errors),
      row('values', 'count', ({ health }) => health.fsck.values),
      row('directories', 'count', ({ health }) => health.fsck.directories),
      row('newest checkpoint', 'time', ({ health }) => health.checkpoints[0]?.timestamp ?? null),
      row('garbage', 'bytes', ({ health }) => health.content?.garbageBytes ?? null),
      row('database file', 'bytes', ({ health }) => health.content?.fileBytes ?? null),
      row('values over 100 MiB', 'count', ({ health }) => health.oversized.count),
    ],
    room: [
      row('all blobs, once for each reference', 'bytes', ({ room }) => room.bytes),
      row('all blobs, once', 'bytes', ({ room }) => room.onceBytes),
      row('values', 'bytes', ({ room }) => room.valueBytes),
      row('keys', 'count', ({ room }) => room.keys),
      ...kindsOf(before, after).map((kind) =>
        row(kind, 'bytes', ({ room }) => room.kinds.find((other) => other.kind === kind)?.bytes ?? 0),
      ),
    ],
    work: [
      row('jobs', 'count', ({ work }) => work.total.jobCount),
      row('failed jobs', 'count', ({ work }) => work.total.failedCount),
      row('canceled jobs', 'count', ({ work }) => work.total.canceledCount),
      row('jobs that timed out', 'count', ({ work }) => work.total.timeoutCount),
      row('node-hours', 'hours', ({ work }) => work.total.nodeHours),
      row('core-hours', 'hours', ({ work }) => work.total.coreHours),
      row('GPU-hours', 'hours', ({ work }) => work.total.gpuHours),
      row('median wait', 'seconds', ({ work }) => work.total.wait.median),
      row('median run time', 'seconds', ({ work }) => work.total.runtime.median),
    ],
    nodes: [
      row('nodes', 'count', ({ snapshot }) => snapshot.nodeCount),
      row('cores', 'count', ({ snapshot }) => snapshot.coreCount),
      row('GPUs', 'count', ({ snapshot }) => snapshot.gpuCount),
      row('drained nodes', 'count', ({ nodes }) => openCount(nodes, 'drained')),
      row('nodes that are down', 'count', ({ nodes }) => openCount(nodes, 'down')),
    ],
    events: ['start', 'shutdown', 'crash', 'restart', 'drain', 'undrain'].map((kind) =>
      row(kind, 'count', ({ events }) => events.list.filter((event) => event.kind === kind).length),
    ),
  }
}

function kindsOf(before: Sections, after: Sections): string[] {
  return [...new Set([...after.room.kinds, ...before.room.kinds].map(({ kind }) => kind))]
}

function openCount({ rows }: ReportData['nodes'], state: 'drained' | 'down'): number {
  return rows
    .filter(({ spans }) => spans.some((span) => span.state === state && span.to === null))
    .reduce((sum, { count }) => sum + count, 0)
}
