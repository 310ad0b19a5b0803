/** A job on its way into an export: its facts, and the records that go with it. */
import type { Job, JobRecords } from '../inspect/index.ts'
import { type EventlogEntry, parseEventlog } from '../kvs/index.ts'

/** A job to export. */
export interface ExportJob {
  readonly job: Job
  /** The name that the user gave to the instance of the job; empty if none. */
  readonly cluster: string
  /** Name of the job's user; undefined if unknown. */
  readonly username: string | undefined
  /** The records, as they may be exported: see {@link withoutEnvironment}. */
  readonly records: JobRecords
  /** The records that are exported whole. */
  readonly whole: ReadonlySet<keyof JobRecords>
}

/** The text of a record that is exported whole; undefined when it is not, or when it is missing. */
export function wholeRecord({ records, whole }: ExportJob, name: keyof JobRecords): string | undefined {
  return whole.has(name) ? records[name] : undefined
}

/** The events of a job, in order, without lines that are no events. */
export function eventsOf({ records: { eventlog } }: ExportJob): readonly EventlogEntry[] {
  return eventlog === undefined ? [] : parseEventlog(eventlog, { tolerant: true }).entries
}

/** How many lines the eventlog of a job has. An eventlog only grows, so the longer of two is the newer. */
export function eventCount({ records: { eventlog } }: ExportJob): number {
  let count = 0
  if (eventlog !== undefined)
    for (let at = eventlog.indexOf('\n'); at >= 0; at = eventlog.indexOf('\n', at + 1)) count++
  return count
}
