/** What a damaged tree still tells about its jobs. */
import { FluxError } from '../errors/index.ts'
import { type Job, jobStatus, jobs } from '../inspect/index.ts'
import { parseJobid, type SnapshotRoot } from '../kvs/index.ts'
import type { LostKey, RescuedJob } from './report.ts'

/** The jobs of a tree. */
export interface JobLosses {
  jobs: number
  readonly lostJobs: RescuedJob[]
  readonly activeJobs: RescuedJob[]
  readonly lostJobDirs: string[]
}

/**
 * List the jobs whose records are damaged, and those that had not ended.
 *
 * @param lostKeys - a job with any of them below its directory is damaged, also where a list of jobs does not need it
 * @throws {FluxError} the store as a whole fails
 */
export async function jobLosses(
  snapshot: SnapshotRoot,
  lostKeys: readonly LostKey[],
  signal: AbortSignal | undefined,
): Promise<JobLosses> {
  const lostRecords = recordsOf(lostKeys)
  const losses: JobLosses = { jobs: 0, lostJobs: [], activeJobs: [], lostJobDirs: [] }
  try {
    for await (const batch of jobs(snapshot, { onFault: ({ key }) => losses.lostJobDirs.push(key), signal })) {
      for (const job of batch) {
        losses.jobs++
        const lost = lostRecords.get(job.id) ?? []
        if (job.problems.length + lost.length > 0) losses.lostJobs.push(rescuedJob(job, lost))
        if (job.state !== 'INACTIVE' && job.state !== 'UNKNOWN') losses.activeJobs.push(rescuedJob(job))
      }
    }
  } catch (error) {
    if (!(error instanceof FluxError) || error.code === 'EINTR' || error.code === 'EBUSY') throw error
    losses.lostJobDirs.push('job')
  }
  return losses
}

/** @param lost - what is wrong with records that the list of jobs does not read */
function rescuedJob(job: Job, lost: readonly string[] = []): RescuedJob {
  const { id, userid, name, problems } = job
  const known = problems.map(({ message }) => message)
  const more = lost.filter((line) => !problems.some(({ record }) => line.startsWith(`${record}:`)))
  return { id, userid, name, state: jobStatus(job), problems: [...known, ...more] }
}

const JOB_RECORD = /^(job(?:\.[0-9a-f]{4}){4})\.(.+)$/s

/** The lost records of each job. */
function recordsOf(lostKeys: readonly LostKey[]): Map<bigint, string[]> {
  const records = new Map<bigint, string[]>()
  for (const { key, kind } of lostKeys) {
    const [, job, record] = JOB_RECORD.exec(key) ?? []
    if (job === undefined) continue
    const id = parseJobid(job)
    records.set(id, [...(records.get(id) ?? []), `${record}: ${kind.replace('-', ' ')}`])
  }
  return records
}
