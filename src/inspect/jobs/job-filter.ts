import { JOB_RESULTS, JOB_STATES, type Job, UNKNOWN_STATE } from './job.ts'

/** Which jobs to select. A job that lacks a fact, because its records are damaged, passes the test of that fact. */
export interface JobFilterOptions {
  userids?: readonly number[] | undefined
  /** Names of states, of groups of states (`pending`, `running`, `active`), or `unknown`; in upper or lower case. */
  states?: readonly string[] | undefined
  /** Names of results, in upper or lower case. */
  results?: readonly string[] | undefined
  /** Only those that had not ended by this time, in seconds since 1970. */
  since?: number | undefined
  /** Only those that were submitted before this time. */
  before?: number | undefined
}

/** Names for groups of states. @see flux-core `src/common/libjob/job.h` */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['DEPEND', 'PRIORITY', 'SCHED'],
  RUNNING: ['RUN', 'CLEANUP'],
  ACTIVE: ['NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN', 'CLEANUP'],
}

/** The names that {@link JobFilterOptions.states} and `results` take, in lower case. */
export const STATE_NAMES = [...JOB_STATES, ...Object.keys(GROUPS), UNKNOWN_STATE].map((name) => name.toLowerCase())
export const RESULT_NAMES = JOB_RESULTS.map((name) => name.toLowerCase())

/** @returns true for the jobs that are selected */
export function jobFilter({ userids, states, results, since, before }: JobFilterOptions): (job: Job) => boolean {
  const users = userids && new Set(userids)
  const wantedStates = states && new Set(states.flatMap((name) => GROUPS[name.toUpperCase()] ?? [name.toUpperCase()]))
  const wantedResults = results && new Set(results.map((name) => name.toUpperCase()))
  return ({ userid, state, result, t_submit, t_inactive }) =>
    (users === undefined || userid === undefined || users.has(userid)) &&
    (wantedStates === undefined || wantedStates.has(state)) &&
    (wantedResults === undefined || (result !== undefined && wantedResults.has(result))) &&
    (since === undefined || t_inactive === undefined || t_inactive >= since) &&
    (before === undefined || t_submit === undefined || t_submit < before)
}
