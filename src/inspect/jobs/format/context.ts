import type { JobidForm } from '../../../kvs/index.ts'
import type { Clock } from './time-format.ts'

/** What the texts of a job depend on besides the job. */
export interface FormatContext extends Clock {
  /** Times and days are UTC instead of local. */
  readonly utc: boolean
  /**
   * The time of the snapshot, in seconds since 1970. Until then a job that has not ended has been running, and from then
   * on its remaining time counts.
   */
  readonly now: number
  /** The name of a user; the number as text if it is unknown. */
  nameOf(userid: number): string
  /** How `id` and `id.f58` are written (default `f58`). */
  readonly idForm?: JobidForm | undefined
}
