/**
 * Why a job ended as it did, or why it has not ended, in one line.
 *
 * @see RFC 21 "Job States and Events"
 */
import { constants } from 'node:os'
import { durationText } from '../../errors/index.ts'
import { parseEventlog } from '../../kvs/index.ts'
import { Idset } from '../../resource/index.ts'
import { numberAt, stringAt } from '../json.ts'
import type { Job } from './job.ts'
import { type ExitStatus, exitStatusOf, type TaskExit, type TaskExits, taskExits } from './task-exit.ts'

/** An exception of a job (RFC 21). */
export interface JobException {
  /** Seconds since 1970. */
  readonly timestamp: number
  /** `cancel`, `timeout`, `exec`, `alloc`, and others. */
  readonly type: string
  /** 0 is fatal; 7 is the least severe. */
  readonly severity: number
  /** The text that was given with it; may be empty. */
  readonly note: string
  /** Who raised it; undefined in logs of old versions of Flux. */
  readonly userid: number | undefined
}

/** How a job ended. */
export interface JobEnd {
  /** In one line, without the name of the result. */
  readonly reason: string
  /** As a shell would give it in `$?`; undefined when the job did not run, or has not ended. */
  readonly exitCode: number | undefined
  /** Name of the signal that ended the task: `SIGSEGV`. */
  readonly signal: string | undefined
  /** Rank and host of the task whose exit made the exit code of the job, as far as they are known. */
  readonly taskRank: number | undefined
  /** The host of that task. */
  readonly host: string | undefined
  /** All exceptions, in the order in which they were raised. */
  readonly exceptions: readonly JobException[]
}

/** What {@link jobEnd} reads besides the job. */
export interface JobEndRecords {
  /** Text of `eventlog`. */
  eventlog?: string | undefined
  /** Text of `guest.exec.eventlog`. */
  execEventlog?: string | undefined
  /** What the shell said about tasks that were killed because memory ran out. */
  outOfMemory?: string | undefined
  /** The name of a user, for the line. */
  nameOf?: ((userid: number) => string | undefined) | undefined
}

/** @returns the end of a job, or what it waits for */
export function jobEnd(
  job: Job,
  { eventlog = '', execEventlog = '', outOfMemory, nameOf }: JobEndRecords = {},
): JobEnd {
  const exceptions = exceptionsOf(eventlog)
  const exit = job.waitstatus === undefined ? undefined : exitStatusOf(job.waitstatus)
  const exits = taskExits(execEventlog, job.nodelist)
  const task = exit && taskOf(exit, exits, job)
  const signal = exit && (exit.signal ?? task?.signal)
  const by = ({ userid }: JobException) => (userid === undefined ? '' : ` by ${nameOf?.(userid) ?? `user ${userid}`}`)
  const hasEnded = job.state === 'INACTIVE' || job.state === 'CLEANUP'
  const parts = hasEnded ? endOf(job, exceptions, exit, exits, task, by) : [waitOf(job)]
  if (outOfMemory !== undefined) parts.push(outOfMemory)
  const others = exceptions.filter(({ severity }) => severity > 0)
  parts.push(...others.map((other) => exceptionText(other, by)))
  if (job.state === 'CLEANUP') parts.push('not cleaned up when the snapshot was taken')
  return {
    reason: parts.join('; '),
    exitCode: exit?.exitCode,
    signal: signal === undefined ? undefined : signalName(signal),
    taskRank: task?.ranks.length === 1 ? task.ranks[0] : undefined,
    host: task?.host,
    exceptions,
  }
}

function exceptionsOf(eventlog: string): JobException[] {
  const exceptions: JobException[] = []
  for (const { name, timestamp, context } of parseEventlog(eventlog, { tolerant: true }).entries) {
    const type = stringAt(context, 'type')
    const severity = numberAt(context, 'severity')
    if (name !== 'exception' || type === undefined || severity === undefined) continue
    const note = stringAt(context, 'note') ?? ''
    exceptions.push({ timestamp, type, severity, note, userid: numberAt(context, 'userid') })
  }
  return exceptions
}

/** The task whose exit made the exit code of the job; undefined when that is not recorded. */
function taskOf(exit: ExitStatus, { first, firstNode }: TaskExits, { ntasks }: Job): TaskExit | undefined {
  const found = [first, firstNode].find((one) => one?.exitCode === exit.exitCode)
  if (found === undefined) return undefined
  return ntasks === 1 && found.ranks.length !== 1 ? { ...found, ranks: [0] } : found
}

function endOf(
  job: Job,
  exceptions: readonly JobException[],
  exit: ExitStatus | undefined,
  exits: TaskExits,
  task: TaskExit | undefined,
  by: (exception: JobException) => string,
): string[] {
  const fatal = exceptions.find(({ severity }) => severity === 0)
  const beforeItRan = job.t_run === undefined ? ' before it ran' : ''
  if (fatal?.type === 'cancel') return [withNote(`canceled${by(fatal)}${beforeItRan}`, fatal.note)]
  if (fatal?.type === 'timeout') {
    const limit = job.duration ? ` of ${durationText(job.duration)}` : ''
    return [withNote(`reached its time limit${limit}${beforeItRan}`, fatal.note)]
  }
  const exited = exit && exitText(exit, exits, task)
  if (fatal === undefined) return [exited ?? 'the eventlog does not tell why']
  // The note of an exec exception names the task.
  const code = exit !== undefined && exit.exitCode !== 0 && fatal.type === 'exec' ? [`exit code ${exit.exitCode}`] : []
  return [(job.t_run === undefined ? 'never ran: ' : '') + exceptionText(fatal, by), ...code]
}

function exitText(exit: ExitStatus, { first }: TaskExits, task: TaskExit | undefined): string {
  if (exit.signal !== undefined) return `the job shell was killed by ${signalText(exit.signal)}`
  if (exit.exitCode === 0) return 'exit code 0'
  if (task === undefined) {
    const text = exitCodeText(exit.exitCode)
    return first === undefined || first.exitCode === 0
      ? text
      : `${text}; the first to exit was ${taskText(first)}, with ${exitCodeText(first.exitCode, first.signal)}`
  }
  const what = task.signal === undefined ? exitCodeText(exit.exitCode) : `killed by ${signalText(task.signal)}`
  const who = taskText(task)
  return who === '' ? what : `${what}: ${who}`
}

/** `task rank 2 on fluke2`, or `one of task ranks 0-3 on fluke0`. */
function taskText({ ranks, host }: TaskExit): string {
  const place = host === undefined ? '' : ` on ${host}`
  if (ranks.length === 0) return host === undefined ? '' : `a task${place}`
  return ranks.length === 1 ? `task rank ${ranks[0]}${place}` : `one of task ranks ${Idset.of(ranks)}${place}`
}

/** What exit codes of shells mean. @see POSIX, "Exit Status for Commands" */
const MEANINGS: Readonly<Record<number, string>> = { 126: 'cannot be executed', 127: 'command not found' }

/** @param signal - of the task, if one ended it */
function exitCodeText(exitCode: number, signal?: number): string {
  if (signal !== undefined) return signalText(signal)
  // A shell gives 128 and the signal as its exit code when a signal ends a program that it runs.
  const name = exitCode > 128 ? signalName(exitCode - 128) : undefined
  const meaning = name === undefined ? MEANINGS[exitCode] : `128 + ${name}`
  return `exit code ${exitCode}${meaning === undefined ? '' : ` (${meaning})`}`
}

function signalText(signal: number): string {
  const name = signalName(signal)
  return name === undefined ? `signal ${signal}` : `${name} (signal ${signal})`
}

function signalName(signal: number): string | undefined {
  // Two names of one signal, SIGIOT and SIGABRT: the usual one comes first.
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
}

function exceptionText(exception: JobException, by: (exception: JobException) => string): string {
  const { type, severity, note } = exception
  return withNote(`exception ${type} (severity ${severity}), raised${by(exception)}`.replace(/, raised$/, ''), note)
}

function withNote(text: string, note: string): string {
  return note === '' ? text : `${text}: ${note}`
}

/** What a job that has not ended waits for. */
function waitOf(job: Job): string {
  switch (job.state) {
    case 'RUN':
      return 'still running when the snapshot was taken'
    case 'DEPEND':
      return job.dependencies.length > 0
        ? `never started: it waited for ${job.dependencies.join(', ')}`
        : 'never started: its dependencies were not checked yet'
    case 'PRIORITY':
      return 'never started: it waited for a priority'
    case 'SCHED': {
      if (job.urgency === 0 || job.priority === 0) return 'never started: it was held (urgency 0)'
      const why = stringAt(job.annotations, 'sched', 'reason_pending')
      return withNote('never started: it waited for resources', why ?? '')
    }
    case 'NEW':
      return 'never started: it was not validated yet'
    default:
      return 'its eventlog is lost'
  }
}
