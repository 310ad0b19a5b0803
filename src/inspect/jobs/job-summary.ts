/** A job in a few facts: what it is, whose, where and when it ran, and why it ended as it did. */

import { parseJson } from '../../bytes/index.ts'
import { isoTime } from '../../errors/index.ts'
import type { SnapshotRoot } from '../../kvs/index.ts'
import { type JsonRecord, memberAt } from '../json.ts'
import { type Job, type JobRecords, jobRuntime, jobStatus } from './job.ts'
import { type JobEnd, jobEnd } from './job-end.ts'
import { jobOf } from './job-of.ts'
import { OUTPUT_RECORD, outOfMemoryNote } from './job-output.ts'
import { type JobRecord, jobRecord } from './job-records.ts'

/** The facts that {@link jobSummary} finds. */
export interface JobSummary {
  readonly job: Job
  /** The command of the tasks, word by word; undefined when the jobspec does not tell it. */
  readonly command: readonly string[] | undefined
  /**
   * Seconds from the submission to the start, or, if the job never started, to its end; undefined for one that still
   * waits.
   */
  readonly waitSeconds: number | undefined
  /** Seconds from the start to the end; undefined for one that never ran or still runs. */
  readonly runSeconds: number | undefined
  readonly end: JobEnd
}

/** The texts of the records that a summary is made of. */
export interface JobSummaryRecords extends JobRecords {
  /** `guest.exec.eventlog` */
  execEventlog?: string | undefined
  /** See {@link outOfMemoryNote}. */
  outOfMemory?: string | undefined
}

/** @param nameOf - the name of a user; undefined if unknown */
export function jobSummary(
  id: bigint,
  records: JobSummaryRecords,
  nameOf?: (userid: number) => string | undefined,
): JobSummary {
  const job = jobOf(id, records)
  const { t_submit, t_run, t_cleanup, t_inactive } = job
  const waitedUntil = t_run ?? t_cleanup ?? t_inactive
  return {
    job,
    command: commandOf(records.jobspec),
    waitSeconds: t_submit === undefined || waitedUntil === undefined ? undefined : waitedUntil - t_submit,
    runSeconds: jobRuntime(job),
    end: jobEnd(job, { ...records, nameOf }),
  }
}

/** Exit code of a task that was killed: 128 and SIGKILL. The kernel kills a process when memory runs out. */
const KILLED = 137

/**
 * The summary of a job whose records have been read.
 *
 * @param records - from `jobRecords`; those that were too large to keep are read again
 * @throws {TreeError} such a record is damaged
 */
export async function readJobSummary(
  snapshot: SnapshotRoot,
  id: bigint,
  records: readonly JobRecord[],
  { nameOf, signal }: { nameOf?: (userid: number) => string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<JobSummary> {
  const find = (name: string) => records.find((record) => record.name === name && record.link === undefined)
  const textOf = async (name: string): Promise<string | undefined> => {
    const record = find(name)
    if (record === undefined) return undefined
    if (record.value) return Buffer.from(record.value).toString()
    const pieces: Uint8Array[] = []
    for await (const parts of await jobRecord(snapshot, id, name, signal)) pieces.push(Buffer.concat(parts))
    return Buffer.concat(pieces).toString()
  }
  const texts = {
    eventlog: await textOf('eventlog'),
    jobspec: await textOf('jobspec'),
    R: await textOf('R'),
    execEventlog: await textOf('guest.exec.eventlog'),
  }
  const summary = jobSummary(id, texts, nameOf)
  const output = find(OUTPUT_RECORD)
  const hasFailed = summary.end.exitCode !== undefined && summary.end.exitCode !== 0
  // A large output is read only when it may hold the cause.
  if (!output || !hasFailed || (!output.value && summary.end.exitCode !== KILLED)) return summary
  const outOfMemory = await outOfMemoryNote(await jobRecord(snapshot, id, OUTPUT_RECORD, signal))
  return outOfMemory === undefined ? summary : jobSummary(id, { ...texts, outOfMemory }, nameOf)
}

function commandOf(jobspec: string | undefined): string[] | undefined {
  if (jobspec === undefined) return undefined
  let tasks: unknown
  try {
    tasks = memberAt(parseJson(jobspec), 'tasks')
  } catch {
    return undefined
  }
  const command = Array.isArray(tasks) ? memberAt(tasks[0], 'command') : undefined
  return Array.isArray(command) && command.every((word) => typeof word === 'string') ? command : undefined
}

/**
 * A summary for JSON output; null for what is not known. Times are ISO 8601, UTC.
 *
 * @param nameOf - the name of a user; undefined if unknown
 */
export function jobSummaryJson(
  { job, command, waitSeconds, runSeconds, end }: JobSummary,
  nameOf?: (userid: number) => string | undefined,
): JsonRecord {
  const name = (userid: number | undefined) => (userid === undefined ? null : (nameOf?.(userid) ?? null))
  return {
    name: job.name ?? null,
    commandWords: command ?? null,
    nodeCount: job.nnodes ?? null,
    taskCount: job.ntasks ?? null,
    coreCount: job.ncores ?? null,
    userid: job.userid ?? null,
    username: name(job.userid),
    bank: job.bank ?? null,
    project: job.project ?? null,
    queue: job.queue ?? null,
    cwd: job.cwd ?? null,
    nodelist: job.nodelist ?? null,
    ranks: job.ranks ?? null,
    submitted: isoTime(job.t_submit),
    started: isoTime(job.t_run),
    ended: isoTime(job.t_cleanup ?? job.t_inactive),
    waitSeconds: waitSeconds ?? null,
    runSeconds: runSeconds ?? null,
    limitSeconds: job.duration || null,
    status: jobStatus(job),
    reason: end.reason,
    exitCode: end.exitCode ?? null,
    signal: end.signal ?? null,
    taskRank: end.taskRank ?? null,
    host: end.host ?? null,
    exceptions: end.exceptions.map(({ timestamp, type, severity, note, userid }) => ({
      timestamp,
      time: isoTime(timestamp),
      type,
      severity,
      note,
      userid: userid ?? null,
      username: name(userid),
    })),
  }
}
