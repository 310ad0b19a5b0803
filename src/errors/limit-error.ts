import { errnoText } from './errno.ts'
import { FluxError, MORE_FILES } from './flux-error.ts'

/** The limits that can stop a process from starting a thread or program. Node reports them in words, or by an errno. */
const LIMITS = [
  ['EMFILE', /EMFILE|too many open files/i, MORE_FILES],
  // Also where the address space has no room for the stack of a thread.
  ['EAGAIN', /EAGAIN/, 'raise the limit on processes and threads (ulimit -u), or on memory (ulimit -v)'],
  ['ENOMEM', /ENOMEM|ERR_WORKER_OUT_OF_MEMORY/, 'raise the limit on memory (ulimit -v)'],
] as const

/**
 * The error for a thread or program that could not be started. When a limit is the cause, the hint says which to raise.
 *
 * @param what - what failed: `cannot start a thread`
 */
export function limitError(error: unknown, what: string): FluxError {
  const { code = '', message } = error as NodeJS.ErrnoException
  for (const [errno, words, hint] of LIMITS) {
    if (!words.test(`${code} ${message}`)) continue
    return new FluxError(errno, `${what}: ${errnoText(errno)}`, { cause: error, hint })
  }
  return FluxError.fromSystem(error, what)
}
