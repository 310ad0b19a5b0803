/** What one job used, when it has given it back. */
import type { Job } from '../job.ts'
import { wholeShare } from './grouping.ts'
import { heldInterval, isHolding } from './held.ts'

/** Nodes, cores and GPUs that are held for some time, in seconds times their number. */
export interface HeldTime {
  readonly nodeSeconds: number
  readonly coreSeconds: number
  readonly gpuSeconds: number
}

/**
 * For how long a job held its nodes, cores and GPUs, as {@link JobUsage} counts it.
 *
 * @returns undefined while it holds them, for a job that never had any, and for one whose R is lost
 */
export function heldTime(job: Job): HeldTime | undefined {
  if (isHolding(job)) return undefined
  const held = heldInterval(job, Number.NaN)
  if (held === undefined) return undefined
  const seconds = held.to - held.from
  const { nnodes, ncores, ngpus } = wholeShare(job)
  return { nodeSeconds: nnodes * seconds, coreSeconds: ncores * seconds, gpuSeconds: ngpus * seconds }
}
