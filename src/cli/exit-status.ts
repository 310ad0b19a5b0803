import { FluxError, InterruptedError } from '../errors/index.ts'
import { UsageError } from './usage-error.ts'

/** The exit statuses of every command: done, failed, wrong usage, interrupted. */
export const EXIT = { DONE: 0, FAILED: 1, USAGE: 2, INTERRUPTED: 130 } as const

/** The exit status an error stands for. oclif's own errors, of parsing, bring theirs along. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof InterruptedError) return EXIT.INTERRUPTED
  if (error instanceof UsageError) return EXIT.USAGE
  return (error as { oclif?: { exit?: number } } | undefined)?.oclif?.exit ?? EXIT.FAILED
}

/** One line for the reader: what failed, and what to do about it. */
export function errorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof FluxError && error.hint !== undefined ? `; ${error.hint}` : ''
  return (message + hint).replaceAll('\n', ' ')
}

/** An error as `--json` prints it. @param exit - the exit status that goes with it */
export function errorJson(error: unknown, exit = exitStatusOf(error)): object {
  const { code, hint } = error instanceof FluxError ? error : { code: undefined, hint: undefined }
  // oclif's errors of parsing list what is wrong on lines of their own.
  const message = (error instanceof Error ? error.message : String(error))
    .split(/\s*\n\s*/)
    .filter((line) => line !== '' && line !== 'See more help with --help')
    .join(' ')
  return { error: { code, message, hint, exit } }
}
