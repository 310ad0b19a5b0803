/** What came, went and changed between two snapshots. */
import { DiffTotals, diff } from '../inspect/index.ts'
import type { Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import type { ReportComparison, ReportData, ReportDelta } from './report-data.ts'

/** The sections of a report, and counts of what their lists have only a part of. */
export interface Sections extends Pick<ReportData, 'snapshot' | 'health' | 'room' | 'work' | 'nodes' | 'events'> {}

/** Counts of all nodes and events, however many a report lists. */
export interface Tallies {
  /** Events by kind. */
  readonly events: ReadonlyMap<string, number>
  /** Nodes that are drained, and that are down. */
  readonly drained: number
  readonly down: number
}

/** What is compared. */
export interface Compared {
  readonly sections: Sections
  readonly tallies: Tallies
  readonly snapshot: Snapshot
}

/** Compare the figures of two snapshots, and count the keys that differ. */
export async function compared(
  before: Compared,
  after: Compared,
  { faults, signal }: { faults: Faults; signal: AbortSignal | undefined },
): Promise<ReportComparison> {
  const totals = new DiffTotals()
  const { onFault } = faults
  await faults.attempt(
    'diff',
    async () => {
      for await (const _ of totals.count(diff(before.snapshot, after.snapshot, { onFault, signal })));
    },
    undefined,
  )
  const row = (
    label: string,
    unit: ReportDelta['unit'],
    of: (data: Sections & { tallies: Tallies }) => number | string | null,
  ) => ({
    label,
    unit,
    before: of({ ...before.sections, tallies: before.tallies }),
    after: of({ ...after.sections, tallies: after.tallies }),
  })
  return {
    snapshot: before.sections.snapshot,
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
      ...kindsOf(before.sections, after.sections).map((kind) =>
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
      row('drained nodes', 'count', ({ tallies }) => tallies.drained),
      row('nodes that are down', 'count', ({ tallies }) => tallies.down),
    ],
    events: ['start', 'shutdown', 'crash', 'restart', 'drain', 'undrain'].map((kind) =>
      row(kind, 'count', ({ tallies }) => tallies.events.get(kind) ?? 0),
    ),
  }
}

function kindsOf(before: Sections, after: Sections): string[] {
  return [...new Set([...after.room.kinds, ...before.room.kinds].map(({ kind }) => kind))]
}
