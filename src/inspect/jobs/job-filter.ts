import { parseJson } from '../../bytes/index.ts'
import { Hostlist, Idset } from '../../resource/index.ts'
import { JOB_RESULTS, JOB_STATES, type Job, type JobRecords, UNKNOWN_STATE } from './job.ts'
import { resourceSetFacts } from './resource-set.ts'

/**
 * Which jobs to select: those that pass every test that is given. The tests are those of `flux jobs`.
 *
 * A job passes a test of a fact that its damaged records do not tell. A fact that does not apply passes no test: a job
 * that never ran was on none of the `hosts`.
 */
export interface JobFilterOptions {
  userids?: readonly number[] | undefined
  /** Names of states, groups of states, and results: the jobs that are in any of them. In upper or lower case. */
  statuses?: readonly string[] | undefined
  /** Names of states, of groups of states (`pending`, `running`, `active`), or `unknown`; in upper or lower case. */
  states?: readonly string[] | undefined
  /** Names of results, in upper or lower case. */
  results?: readonly string[] | undefined
  /** Only those that became inactive after this time, or are active; in seconds since 1970. */
  since?: number | undefined
  /** Only those that were submitted before this time. */
  before?: number | undefined
  /** Only those with this name. */
  name?: string | undefined
  /** Only those in one of these queues. */
  queues?: readonly string[] | undefined
  /** Only those that were allocated one of these ranks. */
  ranks?: Idset | undefined
  /** Only those that were allocated one of these hosts. */
  hosts?: Hostlist | undefined
}

/** Names for groups of states. @see flux-core `src/common/libjob/job.h` */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['DEPEND', 'PRIORITY', 'SCHED'],
  RUNNING: ['RUN', 'CLEANUP'],
  ACTIVE: ['NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN', 'CLEANUP'],
}

const ACTIVE: ReadonlySet<string> = new Set(GROUPS.ACTIVE)

/** The names that {@link JobFilterOptions.states} and `results` take, in lower case. */
export const STATE_NAMES = [...JOB_STATES, ...Object.keys(GROUPS), UNKNOWN_STATE].map((name) => name.toLowerCase())
export const RESULT_NAMES = JOB_RESULTS.map((name) => name.toLowerCase())

/** @returns true for the jobs that are selected */
export function jobFilter(options: JobFilterOptions): (job: Job) => boolean {
  const tests = testsOf(options)
  return (job) => tests.every((test) => test(job))
}

/** The records that tell the facts which a filter tests. */
export function filteredRecords({ name, queues, ranks, hosts, ...others }: JobFilterOptions): (keyof JobRecords)[] {
  const records: (keyof JobRecords)[] = []
  if (Object.values(others).some((value) => value !== undefined)) records.push('eventlog')
  // Events can change the jobspec, and only a job that ran has an allocation.
  if (name !== undefined || queues) records.push('eventlog', 'jobspec')
  if (ranks || hosts) records.push('eventlog', 'R')
  return [...new Set(records)]
}

/** True when a filter takes no inactive job, and none in an unknown state. */
export function onlyActive({ statuses, states }: JobFilterOptions): boolean {
  return [statuses, states].some((names) => names && [...statesOf(names)].every((name) => ACTIVE.has(name)))
}

/** Tests the text of an R; undefined when a filter does not. A text that is not understood passes. */
export function allocationFilter({ ranks, hosts }: JobFilterOptions): ((R: string) => boolean) | undefined {
  if (ranks === undefined && hosts === undefined) return undefined
  return (R) => {
    const facts = resourceSetFacts(jsonOf(R))
    if (facts === undefined) return true
    const { ranks: held, nodelist } = facts
    return (ranks === undefined || holdsRank(held, ranks)) && (hosts === undefined || holdsHost(nodelist, hosts))
  }
}

function holdsRank(held: string | undefined, ranks: Idset): boolean {
  return held !== undefined && Idset.parse(held)?.intersects(ranks) === true
}

function holdsHost(nodelist: string | undefined, hosts: Hostlist): boolean {
  return nodelist !== undefined && Hostlist.parse(nodelist)?.intersects(hosts) === true
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function testsOf(options: JobFilterOptions): ((job: Job) => boolean)[] {
  const { userids, statuses, states, results, since, before, name, queues, ranks, hosts } = options
  const tests: ((job: Job) => boolean)[] = []
  if (userids) {
    const wanted = new Set(userids)
    tests.push(({ userid }) => userid === undefined || wanted.has(userid))
  }
  if (statuses) {
    const wanted = statesOf(statuses)
    tests.push(({ state, result }) => wanted.has(state) || (result !== undefined && wanted.has(result)))
  }
  if (states) {
    const wanted = statesOf(states)
    tests.push(({ state }) => wanted.has(state))
  }
  if (results) {
    const wanted = statesOf(results)
    tests.push(({ result }) => result !== undefined && wanted.has(result))
  }
  if (since !== undefined) tests.push(({ t_inactive }) => t_inactive === undefined || t_inactive > since)
  if (before !== undefined) tests.push(({ t_submit }) => t_submit === undefined || t_submit < before)
  if (name !== undefined) tests.push((job) => job.name === name || (job.name === undefined && isLost(job, 'jobspec')))
  if (queues) {
    const wanted = new Set(queues)
    tests.push((job) => (job.queue === undefined ? isLost(job, 'jobspec') : wanted.has(job.queue)))
  }
  if (ranks) tests.push((job) => (job.ranks ? holdsRank(job.ranks, ranks) : isAllocationLost(job)))
  if (hosts) tests.push((job) => (job.nodelist ? holdsHost(job.nodelist, hosts) : isAllocationLost(job)))
  return tests
}

function statesOf(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => GROUPS[name.toUpperCase()] ?? [name.toUpperCase()]))
}

function isLost({ problems }: Job, record: keyof JobRecords): boolean {
  return problems.some((problem) => problem.record === record || problem.record === 'directory')
}

/** True when a job may have had an allocation that nothing tells any more. */
function isAllocationLost(job: Job): boolean {
  return isLost(job, 'R') || job.state === UNKNOWN_STATE
}
