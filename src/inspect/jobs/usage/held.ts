/** For how long a job held its resources. */
import type { Job } from '../job.ts'

/** A later time is no time of a job: a damaged eventlog must not fill the memory with periods. The year 2100. */
const LAST_TIME = 4_102_444_800

/** Limits of time, in seconds since 1970. */
export interface TimeWindow {
  /** Default: no limit. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** True when a time can be that of an event. */
export function isTime(seconds: number | undefined): seconds is number {
  return seconds !== undefined && seconds >= 0 && seconds <= LAST_TIME
}

/** True for a job that still held its resources when the snapshot was taken. */
export function isHolding({ state, t_alloc, t_free }: Job): boolean {
  return t_alloc !== undefined && t_free === undefined && state !== 'INACTIVE'
}

/**
 * When a job held its resources: from its `alloc` to its `free` event. Without a `free` event it is until the job
 * became inactive, or until now.
 *
 * @param now - the time of the snapshot, in seconds since 1970
 * @returns undefined for a job without an allocation, whose R is lost, or which held nothing within the window
 */
export function heldInterval(
  { allocation, t_alloc, t_free, t_inactive }: Job,
  now: number,
  { from = 0, to = LAST_TIME }: TimeWindow = {},
): { from: number; to: number } | undefined {
  const end = t_free ?? t_inactive ?? now
  if (allocation === undefined || !isTime(t_alloc) || !isTime(end)) return undefined
  const interval = { from: Math.max(t_alloc, from), to: Math.min(end, to) }
  return interval.from < interval.to ? interval : undefined
}

/** The time of the last event that a job tells, in seconds since 1970; 0 without any. */
export function lastTime(job: Job): number {
  const { t_submit, t_depend, t_priority, t_sched, t_run, t_cleanup, t_alloc, t_free, t_inactive } = job
  let last = 0
  for (const time of [t_submit, t_depend, t_priority, t_sched, t_run, t_cleanup, t_alloc, t_free, t_inactive]) {
    if (isTime(time) && time > last) last = time
  }
  return last
}
