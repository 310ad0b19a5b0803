/**
 * A job as `flux jobs` would show it, built from its records in the KVS.
 *
 * @see flux-core `src/modules/job-list/job_data.c`, `src/bindings/python/flux/job/info.py`
 */
import type { JsonRecord } from '../json.ts'
import type { NodeShare } from './resource-set.ts'

/** In the order in which a job goes through them. */
export const JOB_STATES = ['NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN', 'CLEANUP', 'INACTIVE'] as const
/** One of {@link JOB_STATES}. */
export type JobState = (typeof JOB_STATES)[number]

/** The state of a job whose eventlog is lost, or has no event that tells a state. */
export const UNKNOWN_STATE = 'UNKNOWN'

/** The results of jobs, as in `flux jobs`. @see RFC 21 */
export const JOB_RESULTS = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMEOUT'] as const
/** One of {@link JOB_RESULTS}. */
export type JobResult = (typeof JOB_RESULTS)[number]

/** The records in the KVS directory of a job, as text; undefined when missing or unreadable. */
export interface JobRecords {
  eventlog?: string | undefined
  jobspec?: string | undefined
  R?: string | undefined
}

/**
 * A job. The members are named as in `flux jobs --json`, which does not print the last few. A member is undefined when
 * the records do not tell it, or when it does not apply to the job (yet). Times are seconds since 1970.
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
  /** Seconds; 0 is no limit. */
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
  /** The most severe exception of an inactive job. */
  exception?: { severity: number; type: string; note: string } | undefined
  dependencies: readonly string[]
  annotations?: JsonRecord | undefined
  /** When the scheduler allocated the resources: the first `alloc` event. */
  t_alloc?: number
  /**
   * When the job gave its resources back: the `free` event. Flux frees all of them at once: `release` events tell only
   * what the execution system has done with (RFC 21).
   */
  t_free?: number
  /** GPUs of the allocation; undefined without one. */
  ngpus?: number | undefined
  /** What the allocation holds on each node; undefined without one. */
  allocation?: readonly NodeShare[] | undefined
  /** What is wrong with the records. */
  readonly problems: JobProblem[]
  /** The records as they are stored; only where they were asked for. */
  records?: JobRecords
}

/** What is wrong with one record of a job, or with its whole directory. */
export interface JobProblem {
  readonly record: keyof JobRecords | 'directory'
  /** One or two words, for counting problems of the same kind: `missing`. */
  readonly kind: string
  /** The record, and what is wrong with it: `R: missing`. */
  readonly message: string
}

/** @param what - what is wrong, for the message (default: the kind) */
export function jobProblem(record: JobProblem['record'], kind: string, what = kind): JobProblem {
  return { record, kind, message: `${record}: ${what}` }
}

/** The result of an inactive job, the state of any other. */
export function jobStatus({ state, result }: Job): Job['state'] | JobResult {
  return result ?? state
}

/** Seconds from RUN to CLEANUP; undefined for a job that never ran or still runs. */
export function jobRuntime({ t_run, t_cleanup }: Job): number | undefined {
  return t_run === undefined || t_cleanup === undefined ? undefined : t_cleanup - t_run
}

/**
 * The exit status of a finished job, or the negated number of the signal that ended it. -128 when the job was canceled
 * before it ran, 1 when it failed before it ran; undefined when it has not ended.
 */
export function jobReturncode({ waitstatus, result }: Job): number | undefined {
  if (waitstatus === undefined) return result === 'CANCELED' ? -128 : result === 'FAILED' ? 1 : undefined
  const signal = waitstatus & 0x7f
  return signal === 0 ? (waitstatus >> 8) & 0xff : -signal
}
