/** The names, letters and emojis of states and results. @see flux-core `src/bindings/python/flux/job/info.py` */
import { type Job, type JobResult, jobReturncode, jobStatus } from '../job.ts'

type Sign = readonly [abbreviation: string, emoji: string]

const STATES: Readonly<Record<Job['state'], Sign>> = {
  NEW: ['N', '🎁'],
  DEPEND: ['D', '🛑'],
  PRIORITY: ['P', '🚦'],
  SCHED: ['S', '📅'],
  RUN: ['R', '🏃'],
  CLEANUP: ['C', '🗑'],
  INACTIVE: ['I', '💀'],
  // Ours: Flux has no job without an eventlog.
  UNKNOWN: ['?', '❓'],
}

const RESULTS: Readonly<Record<JobResult, Sign>> = {
  COMPLETED: ['CD', '😀'],
  FAILED: ['F', '💩'],
  CANCELED: ['CA', '💥'],
  TIMEOUT: ['TO', '⌛'],
}

/** An ideographic space, as wide as an emoji. */
const NO_EMOJI = '\u3000'

export function stateLetter({ state }: Job): string {
  return STATES[state][0]
}

export function stateEmoji({ state }: Job): string {
  return STATES[state][1]
}

export function resultLetters({ result }: Job): string {
  return result === undefined ? '' : RESULTS[result][0]
}

export function resultEmoji({ result }: Job): string {
  return result === undefined ? NO_EMOJI : RESULTS[result][1]
}

export function statusLetters(job: Job): string {
  return job.result === undefined ? stateLetter(job) : resultLetters(job)
}

export function statusEmoji(job: Job): string {
  return job.result === undefined ? stateEmoji(job) : resultEmoji(job)
}

/** Seconds that a job has run; up to `now` if it has not ended; 0 if it never ran. */
export function runtimeAt({ t_run = 0, t_cleanup = 0 }: Job, now: number): number {
  if (t_run <= 0) return 0
  return t_cleanup > 0 ? t_cleanup - t_run : now - t_run
}

/** Seconds until a running job expires; 0 if it does not run, or has no end. */
export function remainingAt(job: Job, now: number): number {
  const { expiration = 0 } = job
  return jobStatus(job) === 'RUN' ? Math.max(0, expiration - now) : 0
}

/** Why a job ended as it did; empty if it has not ended. */
export function inactiveReason(job: Job): string {
  const { state, result, exception } = job
  if (state !== 'INACTIVE') return ''
  if (result === 'CANCELED') {
    return exception?.type === 'cancel' && exception.note ? `Canceled: ${exception.note}` : 'Canceled'
  }
  if (result === 'TIMEOUT') return 'Timeout'
  const code = jobReturncode(job) ?? ''
  if (result !== 'FAILED' || code === '') return `Exit ${code}`
  if (exception !== undefined && exception.type !== 'exec' && exception.severity === 0) {
    return `Exception: type=${exception.type}${exception.note ? ` note=${exception.note}` : ''}`
  }
  if (code > 128) return signalText(code - 128)
  if (code === 128) return 'Invalid argument to exit'
  if (code === 127) return 'command not found'
  return code === 126 ? 'Command invoked cannot execute' : `Exit ${code}`
}

/** Descriptions of the signals from 1 on. @see strsignal(3) of glibc */
const SIGNALS = [
  'Hangup',
  'Interrupt',
  'Quit',
  'Illegal instruction',
  'Trace/breakpoint trap',
  'Aborted',
  'Bus error',
  'Floating point exception',
  'Killed',
  'User defined signal 1',
  'Segmentation fault',
  'User defined signal 2',
  'Broken pipe',
  'Alarm clock',
  'Terminated',
  'Stack fault',
  'Child exited',
  'Continued',
  'Stopped (signal)',
  'Stopped',
  'Stopped (tty input)',
  'Stopped (tty output)',
  'Urgent I/O condition',
  'CPU time limit exceeded',
  'File size limit exceeded',
  'Virtual timer expired',
  'Profiling timer expired',
  'Window changed',
  'I/O possible',
  'Power failure',
  'Bad system call',
]
const FIRST_REALTIME = 34
const LAST_SIGNAL = 64

function signalText(signal: number): string {
  const text = SIGNALS[signal - 1]
  if (text !== undefined) return text
  if (signal > LAST_SIGNAL) return `Signaled ${signal}`
  // 32 and 33 have no name, and Python prints None for them.
  return signal >= FIRST_REALTIME ? `Real-time signal ${signal - FIRST_REALTIME}` : 'None'
}
