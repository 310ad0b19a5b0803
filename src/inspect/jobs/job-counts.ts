import { FluxError } from '../../errors/index.ts'
import type { SnapshotRoot } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { jobPhase } from './job-order.ts'
import { jobs } from './jobs.ts'

/** How many jobs there are, counted as `flux jobs --stats` does. */
export interface JobCounts {
  pending: number
  running: number
  /** Ended with success. */
  completed: number
  /** Ended without success: canceled and timed out jobs too. */
  failed: number
  /** Their eventlogs are lost. */
  unknown: number
}

/** Options of {@link jobCounts}. */
export interface JobCountsOptions extends InspectOptions {
  /** Count only the jobs in these queues. */
  queues?: readonly string[] | undefined
}

/**
 * Count the jobs of a snapshot.
 *
 * @throws {FluxError} `ENOENT` no job is in one of the queues; others as {@link jobs}
 * @see flux-core `src/modules/job-list/stats.c`, `src/bindings/python/flux/job/stats.py`
 */
export async function jobCounts(
  snapshot: SnapshotRoot,
  { queues, onFault, signal }: JobCountsOptions = {},
): Promise<JobCounts> {
  const counts: JobCounts = { pending: 0, running: 0, completed: 0, failed: 0, unknown: 0 }
  const missing = new Set(queues)
  const filter = queues && { queues }
  for await (const batch of jobs(snapshot, { records: ['eventlog'], filter, onFault, signal })) {
    for (const job of batch) {
      if (job.queue !== undefined) missing.delete(job.queue)
      const phase = jobPhase(job)
      if (phase !== 'inactive') counts[phase]++
      else if (job.success) counts.completed++
      else counts.failed++
    }
  }
  for (const queue of missing) throw new FluxError('ENOENT', `${queue}: no job in the snapshot is in this queue`)
  return counts
}

/** The line of `flux jobs --stats`, without the number of purged jobs: a snapshot does not tell it. */
export function jobCountsLine({ pending, running, completed, failed, unknown }: JobCounts): string {
  const known = `${running} running, ${completed} completed, ${failed} failed, ${pending} pending`
  return unknown > 0 ? `${known}, ${unknown} unknown` : known
}
