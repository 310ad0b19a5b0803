/** What one job used, when it has given it back. */
import type { Job } from '../job.ts'
import type { HeldTime } from './figures.ts'
import { heldFor, wholeShare } from './grouping.ts'
import { heldInterval, isHolding } from './held.ts'

/**
 * For how long a job held its nodes, cores and GPUs, as {@link JobUsage} counts it.
 *
 * @returns undefined while it holds them, for a job that never had any, and for one whose R is lost
 */
export function heldTime(job: Job): HeldTime | undefined {
  if (isHolding(job)) return undefined
  const held = heldInterval(job, Number.NaN)
  return held && heldFor(wholeShare(job), held.to - held.from)
}
