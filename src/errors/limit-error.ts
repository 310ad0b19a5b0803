import { errnoText } from './errno.ts'
import { FluxError } from './flux-error.ts'

/** What a process may run out of when it starts a thread or a program, as Node says it: in words, or with an errno in them. */
const LIMITS = [
  ['EMFILE', /EMFILE|too many open files/i, 'raise the limit on open files (ulimit -n)'],
  ['EAGAIN', /EAGAIN/, 'raise the limit on processes and threads (ulimit -u)'],
  ['ENOMEM', /ENOMEM|ERR_WORKER_OUT_OF_MEMORY/, 'raise the limit on memory (ulimit -v)'],
] as const

/**
 * The error of a thread or program that could not be started, with the limit to be raised where it is one.
 *
 * @param what - was attempted: `cannot start a thread`
 */
export function limitError(error: unknown, what: string): FluxError {
  const { code = '', message } = error as NodeJS.ErrnoException
  for (const [errno, words, hint] of LIMITS) {
    if (!words.test(`${code} ${message}`)) continue
    return new FluxError(errno, `${what}: ${errnoText(errno)}`, { cause: error, hint })
  }
  return FluxError.fromSystem(error, what)
}
