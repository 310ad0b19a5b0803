/** A job as `flux jobs --json` prints it. @see flux-core `src/bindings/python/flux/job/info.py`, `to_dict` */
import { stringifyJson } from '../../bytes/index.ts'
import { formatJobid } from '../../kvs/index.ts'
import { type JsonRecord, merged, stringAt } from '../json.ts'
import { type Job, jobReturncode, jobRuntime, jobStatus } from './job.ts'

/**
 * The text of a job. The id is a number of up to 64 bits, which few readers keep exactly; `jobid` has it in F58.
 *
 * Left out is what no snapshot knows: `t_remaining`, and `runtime` of a job that is still running. `problems`, which
 * Flux's has not, is there for a job whose records are damaged.
 *
 * @param username - of the job's user
 */
export function jobJson(job: Job, username: string | undefined): string {
  const { id, exception, problems, annotations, expiration, ...rest } = job
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
