/**
 * The order in which `flux jobs` lists jobs: those that wait, by priority; those that run, the one started last first;
 * and those that have ended, the one ended last first.
 *
 * @see flux-core `src/modules/job-list/job_state.c`
 */
import type { Job } from './job.ts'

/** The lists in which Flux keeps jobs, in the order in which it prints them. Jobs in an unknown state come last. */
export const PHASES = ['pending', 'running', 'inactive', 'unknown'] as const
/** One of {@link PHASES}. */
export type JobPhase = (typeof PHASES)[number]

export function jobPhase({ state }: Job): JobPhase {
  switch (state) {
    case 'NEW':
    case 'DEPEND':
    case 'PRIORITY':
    case 'SCHED':
      return 'pending'
    case 'RUN':
    case 'CLEANUP':
      return 'running'
    case 'INACTIVE':
      return 'inactive'
    default:
      return 'unknown'
  }
}

/** The place of a job inside the list of its phase: larger comes first. Of equal ones, see {@link compareJobs}. */
export function rankInPhase(job: Job): number {
  switch (jobPhase(job)) {
    case 'pending':
      return job.priority ?? -1
    case 'running':
      return job.t_run ?? 0
    case 'inactive':
      return job.t_inactive ?? 0
    default:
      return 0
  }
}

/** Compare two jobs by the order of `flux jobs`, for sorting: negative if `a` comes first. */
export function compareJobs(a: Job, b: Job): number {
  const [phaseA, phaseB] = [jobPhase(a), jobPhase(b)]
  if (phaseA !== phaseB) return PHASES.indexOf(phaseA) - PHASES.indexOf(phaseB)
  const difference = rankInPhase(b) - rankInPhase(a)
  if (difference !== 0) return difference
  const older = a.id < b.id ? -1 : a.id > b.id ? 1 : 0
  return phaseA === 'pending' ? older : -older
}
