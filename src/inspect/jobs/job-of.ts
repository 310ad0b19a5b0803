/** Builds a job from its records. */
import { parseJson } from '../../bytes/index.ts'
import { isRecord, type JsonRecord, setAt } from '../json.ts'
import { type Job, type JobProblem, type JobRecords, jobProblem, UNKNOWN_STATE } from './job.ts'
import { Replay } from './job-replay.ts'
import { jobspecFacts } from './jobspec.ts'
import { resourceSetFacts } from './resource-set.ts'

const ALL_RECORDS: ReadonlySet<keyof JobRecords> = new Set(['eventlog', 'jobspec', 'R'])

/**
 * Build a job from its records.
 *
 * @param problems - problems that are known already; those of missing and malformed records are added here
 * @param read - the records that were read: only these can be missing
 */
export function jobOf(id: bigint, records: JobRecords, problems: readonly JobProblem[] = [], read = ALL_RECORDS): Job {
  const replay = new Replay(id, problems)
  const { job } = replay
  const jobspec = parseRecord(job, 'jobspec', records.jobspec, read.has('jobspec'))
  if (records.eventlog !== undefined) replay.log(records.eventlog)
  else if (read.has('eventlog')) noteMissing(job, 'eventlog')
  // Without a submit event, NEW is only the initial state of the replay.
  if (job.state === 'NEW' && job.t_submit === undefined) job.state = UNKNOWN_STATE
  // Only a job that has run holds an allocation. Without its eventlog, R alone tells that it has.
  const ran = replay.entered('RUN') || (job.state === UNKNOWN_STATE && records.R !== undefined)
  const R = parseRecord(job, 'R', records.R, ran && read.has('R'))
  if (jobspec) {
    for (const [path, value] of replay.jobspecUpdates) setAt(jobspec, path, value)
    const { ntasksPerNode, ntasksPerCore, ...facts } = jobspecFacts(jobspec)
    Object.assign(job, facts)
    if (R && ran) allocate(job, R, replay.expiration, ntasksPerNode, ntasksPerCore)
  } else if (R && ran) {
    allocate(job, R, replay.expiration)
  }
  return job
}

function allocate(job: Job, R: JsonRecord, expiration?: number, perNode?: number, perCore?: number): void {
  const facts = resourceSetFacts(R)
  if (facts === undefined) {
    job.problems.push(jobProblem('R', 'no resource set of version 1'))
    return
  }
  Object.assign(job, facts)
  if (expiration !== undefined) job.expiration = expiration
  if (perNode !== undefined) job.ntasks = facts.nnodes * perNode
  if (perCore !== undefined) job.ntasks = facts.ncores * perCore
}

function parseRecord(
  job: Job,
  name: keyof JobRecords,
  text: string | undefined,
  wanted = true,
): JsonRecord | undefined {
  if (text === undefined) {
    if (wanted) noteMissing(job, name)
    return undefined
  }
  try {
    const value = parseJson(text)
    if (isRecord(value)) return value
  } catch {
    // Reported below.
  }
  job.problems.push(jobProblem(name, 'no JSON object'))
  return undefined
}

function noteMissing(job: Job, name: keyof JobRecords): void {
  const isKnown = job.problems.some(({ record }) => record === name || record === 'directory')
  if (!isKnown) job.problems.push(jobProblem(name, 'missing'))
}
