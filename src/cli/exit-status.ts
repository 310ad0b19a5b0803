import { FluxError, InterruptedError, isOutOfMemory, MORE_FILES, MORE_MEMORY } from '../errors/index.ts'
import { USAGE_CODE, UsageError } from './usage-error.ts'

/** The exit statuses of every command: done, failed, wrong usage, interrupted. */
export const EXIT = { DONE: 0, FAILED: 1, USAGE: 2, INTERRUPTED: 130 } as const

/** The exit status for an error. Parse errors of oclif have their own. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof InterruptedError) return EXIT.INTERRUPTED
  if (error instanceof UsageError) return EXIT.USAGE
  return (error as { oclif?: { exit?: number } } | undefined)?.oclif?.exit ?? EXIT.FAILED
}

/** An error on one line: what failed, and what to do about it. */
export function errorLine(error: unknown): string {
  const hint = hintOf(error)
  return messageOf(error) + (hint === undefined ? '' : `; ${hint.replaceAll('\n', ' ')}`)
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof FluxError) return error.hint
  if (isOutOfMemory(error)) return MORE_MEMORY
  // A module of our own that could not be loaded.
  return /EMFILE|too many open files/.test(messageOf(error)) ? MORE_FILES : undefined
}

/** An error as `--json` prints it. @param exit - its exit status */
export function errorJson(error: unknown, exit = exitStatusOf(error)): object {
  const { code, hint } = error instanceof FluxError ? error : { code: undefined, hint: undefined }
  return { error: { code: error instanceof UsageError ? USAGE_CODE : code, message: messageOf(error), hint, exit } }
}

/** A message on one line. */
function messageOf(error: unknown): string {
  const { message = String(error) } = error as Partial<Error>
  return message
    .split(/\s*\n\s*/)
    .filter((line) => line !== '')
    .join(' ')
}
