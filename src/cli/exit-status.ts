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
  const hint = error instanceof FluxError && error.hint !== undefined ? `; ${error.hint}` : ''
  return messageOf(error) + hint.replaceAll('\n', ' ')
}

/** An error as `--json` prints it. @param exit - the exit status that goes with it */
export function errorJson(error: unknown, exit = exitStatusOf(error)): object {
  const { code, hint } = error instanceof FluxError ? error : { code: undefined, hint: undefined }
  return { error: { code, message: messageOf(error), hint, exit } }
}

/** A message on one line. oclif's errors of parsing have several: what is wrong, with descriptions, and advice. */
function messageOf(error: unknown): string {
  const { message, args, parse } = error as Partial<Error & { args: { name?: string }[]; parse: unknown }>
  if (message === undefined) return String(error)
  const lines = message.split(/\s*\n\s*/).filter((line) => line !== '')
  if (parse === undefined) return lines.join(' ')
  if (args !== undefined && /^Missing/.test(message)) {
    return `${lines[0]} ${args.map(({ name }) => name?.toUpperCase()).join(' ')}`
  }
  return lines.filter((line) => line !== 'See more help with --help' && !/^The following error/.test(line)).join('; ')
}
