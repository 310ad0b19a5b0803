/**
 * A job, as its records tell. The events are replayed as job-list does it, so that what comes out is what `flux jobs`
 * would have said.
 *
 * @see RFC 21 "Job States and Events"; flux-core `src/modules/job-list/job_state.c`, `src/bindings/python/flux/job/info.py`
 */
import { type EventlogEntry, parseEventlog } from '../kvs/index.ts'
import { jobspecFacts } from './jobspec.ts'
import { isRecord, type JsonRecord, memberAt, merged, numberAt, setAt, stringAt } from './json.ts'
import { resourceSetFacts } from './resource-set.ts'

/** In the order in which a job goes through them. */
export const JOB_STATES = ['NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN', 'CLEANUP', 'INACTIVE'] as const
export type JobState = (typeof JOB_STATES)[number]

export const JOB_RESULTS = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMEOUT'] as const
export type JobResult = (typeof JOB_RESULTS)[number]

/** What stands in the KVS directory of a job, as text; undefined for what is not there or cannot be read. */
export interface JobRecords {
  eventlog?: string | undefined
  jobspec?: string | undefined
  R?: string | undefined
}

/**
 * A job. The members have the names of `flux jobs --json`, and are undefined for what the records do not tell, or what
 * does not apply (yet). Times are seconds since 1970.
 */
export interface Job {
  readonly id: bigint
  state: JobState
  userid?: number
  urgency?: number
  priority?: number
  t_submit?: number
  t_depend?: number
  t_priority?: number
  t_sched?: number
  t_run?: number
  t_cleanup?: number
  t_inactive?: number
  name?: string | undefined
  cwd?: string | undefined
  queue?: string | undefined
  project?: string | undefined
  bank?: string | undefined
  /** Seconds; 0 is without limit. */
  duration?: number | undefined
  expiration?: number | undefined
  nnodes?: number | undefined
  ntasks?: number | undefined
  ncores?: number | undefined
  ranks?: string | undefined
  nodelist?: string | undefined
  success?: boolean
  result?: JobResult
  waitstatus?: number
  /** The most severe, of an inactive job. */
  exception?: { severity: number; type: string; note: string } | undefined
  dependencies: readonly string[]
  annotations?: JsonRecord | undefined
  /** What is wrong with the records, a line each. */
  readonly problems: string[]
}

/**
 * Put a job together.
 *
 * @param problems - what is known to be wrong already; a missing record is found here
 */
export function jobOf(id: bigint, records: JobRecords, problems: readonly string[] = []): Job {
  const replay = new Replay(id, problems)
  const { job } = replay
  const jobspec = parseRecord(job, 'jobspec', records.jobspec)
  if (records.eventlog === undefined) noteMissing(job, 'eventlog')
  else replay.log(records.eventlog)
  const R = parseRecord(job, 'R', records.R, replay.entered('RUN'))
  if (jobspec) {
    for (const [path, value] of replay.jobspecUpdates) setAt(jobspec, path, value)
    const { ntasksPerNode, ntasksPerCore, ...facts } = jobspecFacts(jobspec)
    Object.assign(job, facts)
    if (R && replay.entered('RUN')) allocate(job, R, replay.expiration, ntasksPerNode, ntasksPerCore)
  } else if (R && replay.entered('RUN')) {
    allocate(job, R, replay.expiration)
  }
  return job
}

function allocate(job: Job, R: JsonRecord, expiration?: number, perNode?: number, perCore?: number): void {
  const facts = resourceSetFacts(R)
  if (facts === undefined) {
    job.problems.push('R: no resource set of version 1')
    return
  }
  Object.assign(job, facts)
  if (expiration !== undefined) job.expiration = expiration
  if (perNode !== undefined) job.ntasks = facts.nnodes * perNode
  if (perCore !== undefined) job.ntasks = facts.ncores * perCore
}

function parseRecord(job: Job, name: string, text: string | undefined, wanted = true): JsonRecord | undefined {
  if (text === undefined) {
    if (wanted) noteMissing(job, name)
    return undefined
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  job.problems.push(`${name}: no JSON object`)
  return undefined
}

function noteMissing(job: Job, name: string): void {
  const isKnown = job.problems.some((problem) => problem.startsWith(`${name}: `) || problem.startsWith('directory: '))
  if (!isKnown) job.problems.push(`${name}: missing`)
}

class Replay {
  readonly job: Job
  /** Members that events have changed, by their paths. */
  readonly jobspecUpdates: [path: string, value: unknown][] = []
  expiration: number | undefined
  readonly #reached = new Set<JobState>()
  /** States entered by an event; but for PRIORITY and SCHED, only the first such event counts. */
  readonly #advanced = new Set<JobState>()
  readonly #dependencies = new Set<string>()
  #priority: number | undefined
  #submitVersion = -1
  #exception: Job['exception']

  constructor(id: bigint, problems: readonly string[]) {
    this.job = { id, state: 'NEW', dependencies: [], problems: [...problems] }
  }

  entered(state: JobState): boolean {
    return this.#reached.has(state)
  }

  log(text: string): void {
    const { job } = this
    const { entries, rest, bad } = parseEventlog(text, { tolerant: true })
    for (const { line, reason } of bad) job.problems.push(`eventlog: line ${line}: ${reason}`)
    if (rest !== undefined) job.problems.push('eventlog: its last line is cut off')
    for (const entry of entries) this.#event(entry)
    if (job.t_submit === undefined) job.problems.push('eventlog: no submit event')
    // Before there was a validate event, DEPEND was entered on submit.
    else if (this.#submitVersion < 1) job.t_depend = job.t_submit
    if (this.#reached.has('SCHED') && this.#priority !== undefined) job.priority = this.#priority
    job.dependencies = [...this.#dependencies]
    if (!this.#reached.has('INACTIVE')) return
    job.success ??= false
    job.exception = this.#exception
    job.result = resultOf(job)
  }

  #event({ name, timestamp, context }: EventlogEntry): void {
    const { job } = this
    switch (name) {
      case 'submit':
        job.t_submit = timestamp
        this.#take('userid', context)
        this.#take('urgency', context)
        this.#submitVersion = numberAt(context, 'version') ?? -1
        break
      case 'validate':
        this.#advance('DEPEND', timestamp)
        break
      case 'depend':
        this.#advance('PRIORITY', timestamp)
        break
      case 'priority':
        this.#priority = numberAt(context, 'priority') ?? this.#priority
        if (job.state === 'PRIORITY') this.#enter('SCHED', timestamp)
        break
      case 'alloc':
        this.#annotate(memberAt(context, 'annotations'))
        this.#advance('RUN', timestamp)
        break
      case 'finish':
        this.#finish(context)
        this.#advance('CLEANUP', timestamp)
        break
      case 'clean':
        this.#advance('INACTIVE', timestamp)
        break
      case 'exception':
        this.#raise(context, timestamp)
        break
      case 'urgency':
        this.#take('urgency', context)
        this.#revert(timestamp)
        break
      case 'jobspec-update':
        for (const [path, value] of Object.entries(context ?? {})) {
          if (/^(?:resources|tasks|attributes)(?:\.|$)/.test(path)) this.jobspecUpdates.push([path, value])
        }
        this.#revert(timestamp)
        break
      case 'resource-update':
        this.expiration = numberAt(context, 'expiration') ?? this.expiration
        break
      case 'memo':
        if (context) this.#annotate({ user: context })
        break
      case 'dependency-add':
      case 'dependency-remove': {
        const description = stringAt(context, 'description')
        if (description === undefined) break
        if (name === 'dependency-add') this.#dependencies.add(description)
        else this.#dependencies.delete(description)
        break
      }
      case 'flux-restart':
        this.#revert(timestamp)
        break
    }
  }

  #take(member: 'userid' | 'urgency', context: unknown): void {
    const value = numberAt(context, member)
    if (value !== undefined) this.job[member] = value
  }

  #finish(context: unknown): void {
    const status = numberAt(context, 'status')
    if (status === undefined) return
    this.job.waitstatus = status
    this.job.success = status === 0 && this.#exception?.severity !== 0
  }

  #raise(context: unknown, timestamp: number): void {
    const severity = numberAt(context, 'severity')
    const type = stringAt(context, 'type')
    if (severity === undefined || type === undefined) return
    if (this.#exception === undefined || severity < this.#exception.severity) {
      this.#exception = { severity, type, note: stringAt(context, 'note') ?? '' }
    }
    if (severity === 0) this.#advance('CLEANUP', timestamp)
  }

  #annotate(update: unknown): void {
    if (isRecord(update)) this.job.annotations = merged(this.job.annotations, update)
  }

  #advance(state: JobState, timestamp: number): void {
    if (this.#advanced.has(state) && state !== 'PRIORITY') return
    this.#advanced.add(state)
    this.#enter(state, timestamp)
  }

  /** A job that waits for its resources has to be given a priority again. */
  #revert(timestamp: number): void {
    if (this.job.state !== 'SCHED') return
    this.#reached.delete('SCHED')
    this.#enter('PRIORITY', timestamp)
  }

  #enter(state: JobState, timestamp: number): void {
    const { job } = this
    job.state = state
    this.#reached.add(state)
    if (state === 'DEPEND') job.t_depend = timestamp
    // Those two may be entered again; the first time counts.
    else if (state === 'PRIORITY') job.t_priority ??= timestamp
    else if (state === 'SCHED') job.t_sched ??= timestamp
    else if (state === 'RUN') job.t_run = timestamp
    else if (state === 'CLEANUP') job.t_cleanup = timestamp
    else if (state === 'INACTIVE') job.t_inactive = timestamp
  }
}

function resultOf({ success, exception }: Job): JobResult {
  if (success) return 'COMPLETED'
  if (exception?.type === 'cancel') return 'CANCELED'
  return exception?.type === 'timeout' ? 'TIMEOUT' : 'FAILED'
}

/** The state of a job that is still there, the result of one that is not. */
export function jobStatus({ state, result }: Job): JobState | JobResult {
  return result ?? state
}

/** Seconds from start to end; undefined for a job that has not ended, or never ran. */
export function jobRuntime({ t_run, t_cleanup }: Job): number | undefined {
  return t_run === undefined || t_cleanup === undefined ? undefined : t_cleanup - t_run
}

/**
 * The exit status of a job that has ended, or the negative number of the signal that ended it; -128 when it was canceled
 * before it ran, 1 when it failed before.
 */
export function jobReturncode({ waitstatus, result }: Job): number | undefined {
  if (waitstatus === undefined) return result === 'CANCELED' ? -128 : result === 'FAILED' ? 1 : undefined
  const signal = waitstatus & 0x7f
  return signal === 0 ? (waitstatus >> 8) & 0xff : -signal
}
