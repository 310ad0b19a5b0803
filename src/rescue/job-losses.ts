/** What a damaged tree still tells about its jobs. */
import { FluxError } from '../errors/index.ts'
import { type Job, jobStatus, jobs } from '../inspect/index.ts'
import type { SnapshotRoot } from '../kvs/index.ts'
import type { RescuedJob } from './report.ts'

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
 * @throws {FluxError} the store as a whole fails
 */
export async function jobLosses(snapshot: SnapshotRoot, signal: AbortSignal | undefined): Promise<JobLosses> {
  const losses: JobLosses = { jobs: 0, lostJobs: [], activeJobs: [], lostJobDirs: [] }
  try {
    for await (const batch of jobs(snapshot, { onFault: ({ key }) => losses.lostJobDirs.push(key), signal })) {
      for (const job of batch) {
        losses.jobs++
        if (job.problems.length > 0) losses.lostJobs.push(rescuedJob(job))
        if (job.state !== 'INACTIVE' && job.state !== 'UNKNOWN') losses.activeJobs.push(rescuedJob(job))
      }
    }
  } catch (error) {
    if (!(error instanceof FluxError) || error.code === 'EINTR' || error.code === 'EBUSY') throw error
    losses.lostJobDirs.push('job')
  }
  return losses
}

function rescuedJob(job: Job): RescuedJob {
  const { id, userid, name, problems } = job
  return { id, userid, name, state: jobStatus(job), problems: problems.map(({ message }) => message) }
}
