/**
 * Replays the events of a job, as the job-list module of Flux does.
 *
 * @see RFC 21 "Job States and Events"; flux-core `src/modules/job-list/job_state.c`
 */
import { type EventlogEntry, parseEventlog } from '../../kvs/index.ts'
import { isRecord, memberAt, merged, numberAt, stringAt } from '../json.ts'
import { type Job, type JobProblem, type JobResult, type JobState, jobProblem } from './job.ts'

/** Builds a job from its events. */
export class Replay {
  readonly job: Job
  /** Members of the jobspec that events have changed: dotted paths and new values. */
  readonly jobspecUpdates: [path: string, value: unknown][] = []
  /** The expiration of the allocation, if an event has changed it; seconds since 1970. */
  expiration: number | undefined
  readonly #reached = new Set<JobState>()
  /** States entered by an event. Only the first such event counts, except for PRIORITY and SCHED. */
  readonly #advanced = new Set<JobState>()
  readonly #dependencies = new Set<string>()
  #priority: number | undefined
  #submitVersion = -1
  #exception: Job['exception']

  constructor(id: bigint, problems: readonly JobProblem[]) {
    this.job = { id, state: 'NEW', dependencies: [], problems: [...problems] }
  }

  /** True when the job has entered a state, and has not been put back to an earlier one. */
  entered(state: JobState): boolean {
    return this.#reached.has(state)
  }

  /** Replay the events of an eventlog. Malformed lines are added to the job's `problems`. */
  log(text: string): void {
    const { job } = this
    const { entries, rest, bad } = parseEventlog(text, { tolerant: true })
    for (const { line, reason } of bad) job.problems.push(jobProblem('eventlog', reason, `line ${line}: ${reason}`))
    if (rest !== undefined) job.problems.push(jobProblem('eventlog', 'its last line is cut off'))
    for (const entry of entries) this.#event(entry)
    if (job.t_submit === undefined) job.problems.push(jobProblem('eventlog', 'no submit event'))
    // Version 0 of the submit event has no validate event after it: the job enters DEPEND on submit.
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
        job.t_alloc ??= timestamp
        this.#advance('RUN', timestamp)
        break
      case 'free':
        job.t_free ??= timestamp
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
    if (severity !== 0) return
    // The scheduler was restarted and could not give the job its resources again. No free event follows.
    if (type === 'scheduler-restart' && this.job.t_alloc !== undefined) this.job.t_free ??= timestamp
    this.#advance('CLEANUP', timestamp)
  }

  #annotate(update: unknown): void {
    if (isRecord(update)) this.job.annotations = merged(this.job.annotations, update)
  }

  #advance(state: JobState, timestamp: number): void {
    if (this.#advanced.has(state) && state !== 'PRIORITY') return
    this.#advanced.add(state)
    this.#enter(state, timestamp)
  }

  /** Put a job in SCHED back to PRIORITY, until it gets a new priority. */
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
    // PRIORITY and SCHED can be entered again; the first time counts.
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
