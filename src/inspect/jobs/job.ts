/**
 * A job, as its records tell: what `flux jobs` would have said of it.
 *
 * @see flux-core `src/modules/job-list/job_data.c`, `src/bindings/python/flux/job/info.py`
 */
import type { JsonRecord } from '../json.ts'

/** In the order in which a job goes through them. */
export const JOB_STATES = ['NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN', 'CLEANUP', 'INACTIVE'] as const
/** One of {@link JOB_STATES}. */
export type JobState = (typeof JOB_STATES)[number]

/** The state of a job whose eventlog does not tell one, because it is lost or holds no event of use. */
export const UNKNOWN_STATE = 'UNKNOWN'

/** What may become of a job, as `flux jobs` has it. @see RFC 21 */
export const JOB_RESULTS = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMEOUT'] as const
/** One of {@link JOB_RESULTS}. */
export type JobResult = (typeof JOB_RESULTS)[number]

/** What stands in the KVS directory of a job, as text; undefined for what is not there or cannot be read. */
export interface JobRecords {
  eventlog?: string | undefined
  jobspec?: string | undefined
  R?: string | undefined
}

/**
 * A job. The members have the names of `flux jobs --json`, and are undefined for what the records do not tell, or what
 * does not apply (yet). Times are seconds since 1970.
 */
export interface Job {
  readonly id: bigint
  state: JobState | typeof UNKNOWN_STATE
  userid?: number
  urgency?: number
  priority?: number
  t_submit?: number
  t_depend?: number
  t_priority?: number
  t_sched?: number
  t_run?: number
  t_cleanup?: number
  t_inactive?: number
  name?: string | undefined
  cwd?: string | undefined
  queue?: string | undefined
  project?: string | undefined
  bank?: string | undefined
  /** Seconds; 0 is without limit. */
  duration?: number | undefined
  expiration?: number | undefined
  nnodes?: number | undefined
  ntasks?: number | undefined
  ncores?: number | undefined
  ranks?: string | undefined
  nodelist?: string | undefined
  success?: boolean
  result?: JobResult
  waitstatus?: number
  /** The most severe, of an inactive job. */
  exception?: { severity: number; type: string; note: string } | undefined
  dependencies: readonly string[]
  annotations?: JsonRecord | undefined
  /** What is wrong with the records. */
  readonly problems: JobProblem[]
}

/** What is wrong with one record of a job, or with all of its directory. */
export interface JobProblem {
  readonly record: keyof JobRecords | 'directory'
  /** What problems of its kind have in common, in a word or two: `missing`. */
  readonly kind: string
  /** The record, and what is wrong with it: `R: missing`. */
  readonly message: string
}

/** A problem, whose message is its kind if nothing more is to be said. */
export function jobProblem(record: JobProblem['record'], kind: string, what = kind): JobProblem {
  return { record, kind, message: `${record}: ${what}` }
}

/** The state of a job that is still there, the result of one that is not. */
export function jobStatus({ state, result }: Job): Job['state'] | JobResult {
  return result ?? state
}

/** Seconds from start to end; undefined for a job that has not ended, or never ran. */
export function jobRuntime({ t_run, t_cleanup }: Job): number | undefined {
  return t_run === undefined || t_cleanup === undefined ? undefined : t_cleanup - t_run
}

/**
 * The exit status of a job that has ended, or the negative number of the signal that ended it; -128 when it was canceled
 * before it ran, 1 when it failed before.
 */
export function jobReturncode({ waitstatus, result }: Job): number | undefined {
  if (waitstatus === undefined) return result === 'CANCELED' ? -128 : result === 'FAILED' ? 1 : undefined
  const signal = waitstatus & 0x7f
  return signal === 0 ? (waitstatus >> 8) & 0xff : -signal
}
