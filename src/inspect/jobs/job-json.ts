/** A job as `flux jobs --json` prints it. @see flux-core `src/bindings/python/flux/job/info.py`, `to_dict` */
import { stringifyJson } from '../../bytes/index.ts'
import { formatJobid } from '../../kvs/index.ts'
import { type JsonRecord, merged, stringAt } from '../json.ts'
import { type Job, jobReturncode, jobRuntime, jobStatus } from './job.ts'

/**
 * The JSON text of a job. Its `id` is a number of up to 64 bits, which many JSON readers round; `jobid` is the id in
 * F58.
 *
 * A snapshot cannot tell `t_remaining`, nor `runtime` of a job that is still running; both are left out. A job with
 * damaged records has a member `problems`, which Flux does not have.
 *
 * @param username - of the job's user
 */
export function jobJson(job: Job, username: string | undefined): string {
  const { id, exception, problems, annotations, expiration, records: _records, ...known } = job
  // Flux does not print these.
  const { t_alloc: _alloc, t_free: _free, ngpus: _ngpus, allocation: _allocation, ...rest } = known
  const uri = stringAt(annotations, 'user', 'uri')
  const members = {
    ...withoutEmpty(rest),
    duration: job.duration ?? 0,
    ...(expiration ? { expiration } : {}),
    ...(username === undefined ? {} : { username }),
    status: jobStatus(job),
    runtime: jobRuntime(job) || undefined,
    returncode: jobReturncode(job),
    jobid: formatJobid(id),
    annotations: (uri === undefined ? annotations : merged(annotations, { user: { uri: null } })) ?? {},
    exception: exception ? { occurred: true, ...exception } : { occurred: false },
    ...(uri === undefined ? {} : { uri }),
    ...(problems.length > 0 ? { problems: problems.map(({ message }) => message) } : {}),
  }
  return `{"id":${id},${stringifyJson(members).slice(1)}`
}

function withoutEmpty(members: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ''))
}
