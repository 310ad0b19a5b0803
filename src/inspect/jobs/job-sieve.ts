/**
 * Tells from a few small blobs that a job is not wanted, so that its records need not be read: the first event of its
 * eventlog, the last one, and R.
 *
 * A job id holds the time of submission, but only in milliseconds since the instance was made, and the time that it was
 * down does not count (RFC 19). A job that was submitted long ago may still be active, too. So no job is left out by its
 * id. These facts are certain:
 *
 * - the first event is `submit`, and tells the user and the time;
 * - `clean` is the last event of an inactive job, and its time is when the job became inactive (RFC 21).
 *
 * Of a job with any other first or last event, or with damage, all records are read.
 */
import { type EventlogEntry, parseEventlog } from '../../kvs/index.ts'
import { numberAt } from '../json.ts'
import type { JobFilterOptions } from './job-filter.ts'
import { allocationFilter, onlyActive } from './job-filter.ts'
import type { Gathered, RecordName } from './job-walk.ts'

/** What is known of a job that may be wanted. */
export interface Sieved {
  readonly id: bigint
  /** When it became inactive, in seconds since 1970; undefined when the last event does not tell. */
  readonly ended: number | undefined
}

/** Leaves out jobs that are surely not wanted. */
export class JobSieve {
  /** The records to read for it: the ends of the eventlog, and whole other ones. */
  readonly records: ReadonlySet<RecordName>
  readonly #filter: JobFilterOptions
  readonly #users: ReadonlySet<number> | undefined
  readonly #onlyActive: boolean
  readonly #isAllocated: ((R: string) => boolean) | undefined

  private constructor(filter: JobFilterOptions) {
    this.#filter = filter
    this.#users = filter.userids && new Set(filter.userids)
    this.#onlyActive = onlyActive(filter)
    this.#isAllocated = allocationFilter(filter)
    this.records = new Set<RecordName>(this.#isAllocated ? ['eventlog', 'R'] : ['eventlog'])
  }

  /**
   * The sieve for a filter; undefined when it would leave out too little, and all records are better read at once.
   *
   * @param ofEnds - true when the times at which jobs ended are wanted
   */
  static of(filter: JobFilterOptions, ofEnds: boolean): JobSieve | undefined {
    const { userids, since, before, ranks, hosts } = filter
    const leavesOut = [userids, since, before, ranks, hosts].some((test) => test !== undefined) || onlyActive(filter)
    return leavesOut || ofEnds ? new JobSieve(filter) : undefined
  }

  /** @returns undefined for a job that is not wanted */
  sieve({ id, records: { eventlog, R }, problems }: Gathered): Sieved | undefined {
    if (problems.length > 0 || eventlog === undefined) return { id, ended: undefined }
    const { since, before } = this.#filter
    const submit = firstEvent(eventlog)
    if (submit?.name === 'submit') {
      const userid = numberAt(submit.context, 'userid')
      if (this.#users && userid !== undefined && !this.#users.has(userid)) return undefined
      if (before !== undefined && submit.timestamp >= before) return undefined
    }
    if (R !== undefined && this.#isAllocated && !this.#isAllocated(R)) return undefined
    const last = lastEvent(eventlog)
    const ended = last?.name === 'clean' ? last.timestamp : undefined
    if (ended !== undefined && (this.#onlyActive || (since !== undefined && ended <= since))) return undefined
    return { id, ended }
  }
}

function firstEvent(text: string): EventlogEntry | undefined {
  return eventOf(text.slice(0, text.indexOf('\n') + 1))
}

function lastEvent(text: string): EventlogEntry | undefined {
  return eventOf(text.slice(text.lastIndexOf('\n', text.length - 2) + 1))
}

/** The event of a line that ends with its newline. */
function eventOf(line: string): EventlogEntry | undefined {
  return parseEventlog(line, { tolerant: true }).entries[0]
}
