/**
 * Turns the errors of oclif's parser into our own messages. Errors are recognised by their members; those that have
 * only a message, by their text.
 */
import type { Command } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

type Flags = Record<string, Command.Flag.Any>

/** The errors of oclif's parser. @see @oclif/core `lib/parser/errors.js` */
interface ParserError extends Error {
  oclif?: { exit?: number }
  /** Input and result of the parser. */
  parse?: {
    input?: { flags?: Flags }
    output?: {
      flags?: Record<string, unknown>
      metadata?: { flags?: Record<string, { setFromDefault?: boolean } | undefined> }
    }
  }
  /** Missing arguments, or unexpected words. */
  args?: ({ name?: string } | string)[]
  /** Unknown flags, as they were typed. */
  flags?: string[]
}

/** The message when a flag's own parser failed. oclif changes the message of the error, whatever its class. */
const FLAG_FAILED = /^Parsing --(\S+) \n\t(.*)\nSee more help with --help$/s

/** The exit status of oclif's errors, unless a tool sets its own. */
const OCLIF_USAGE = 2

/**
 * The UsageError for an error of oclif's parser.
 *
 * @returns undefined for an error from elsewhere
 */
export function usageErrorOf(error: unknown): UsageError | undefined {
  if (!(error instanceof Error)) return undefined
  const thrown = error as ParserError
  const [, flag, reason] = FLAG_FAILED.exec(thrown.message) ?? []
  if (flag !== undefined && thrown.oclif?.exit !== 0) return flagError(flag, reason as string, thrown)
  if (error instanceof FluxError || thrown.oclif?.exit !== OCLIF_USAGE) return valueError(thrown)
  const { message, hint } = complaint(thrown)
  return new UsageError(message, hint, { cause: error })
}

/**
 * Refuse a value for a flag that takes none, as in `--quiet=true`. oclif would use it as the first argument, and write
 * a dump to a file `true`.
 *
 * @throws {UsageError} with the name of the flag
 */
export function assertNoValues(argv: readonly string[], known: Flags): void {
  for (const word of argv) {
    if (word === '--') return
    const name = /^--([^=]+)=/s.exec(word)?.[1]
    if (name === undefined) continue
    // oclif sets the `name` of flags only when it parses them, so use the keys of the object.
    const positive = name.replace(/^no-/, '')
    const flag = known[name] ?? known[positive] ?? Object.values(known).find(({ aliases }) => aliases?.includes(name))
    if (flag?.type === 'boolean') throw new UsageError(`${word}: --${name} takes no value`)
  }
}

function flagError(flag: string, reason: string, error: ParserError): UsageError {
  // Our own errors are complete.
  if (error instanceof FluxError) return new UsageError(reason, error.hint, { cause: error })
  const wrong = numberComplaint(reason)
  return new UsageError(wrong === undefined ? `--${flag}: ${reason}` : `--${flag} ${wrong}`, undefined, {
    cause: error,
  })
}

/** An argument that is not a number: for this oclif throws a plain Error. */
function valueError(error: Error): UsageError | undefined {
  if (error instanceof FluxError) return undefined
  const wrong = numberComplaint(error.message)
  return wrong === undefined ? undefined : new UsageError(wrong, undefined, { cause: error })
}

function numberComplaint(message: string): string | undefined {
  const [, than, bound, value] =
    /^Expected an integer(?: (greater|less) than or equal to (-?\d+))? but received: (.*)$/s.exec(message) ?? []
  if (value === undefined) return undefined
  if (than === undefined) return `${value}: not a whole number`
  return `${value}: ${than === 'greater' ? 'less' : 'more'} than ${bound}`
}

function complaint({ message, args, flags, parse }: ParserError): { message: string; hint?: string | undefined } {
  const known = parse?.input?.flags ?? {}
  if (flags !== undefined) return unknownFlags(flags, known)
  if (args !== undefined && args.length > 0) {
    const names = args.map((arg) => (typeof arg === 'string' ? undefined : arg.name?.toUpperCase()))
    if (names[0] !== undefined) return { message: `missing ${names.join(' ')}` }
    return { message: `unexpected argument${args.length === 1 ? '' : 's'} ${args.join(' ')}` }
  }
  const conflicts = parse === undefined ? [] : conflictsOf(parse)
  if (conflicts.length > 0) return { message: conflicts.join('; ') }
  return { message: plainWords(message) }
}

function unknownFlags(typed: readonly string[], known: Flags) {
  const names = typed.map((flag) => flag.replace(/=.*/s, ''))
  const spellings = Object.values(known)
    .filter(({ hidden }) => !hidden)
    .flatMap((flag) => {
      const long = [flag.name, ...(flag.aliases ?? [])].map((name) => `--${name}`)
      return flag.type === 'boolean' && flag.allowNo ? [...long, `--no-${flag.name}`] : long
    })
  const meant = names.length === 1 ? nearest(names, spellings) : undefined
  return {
    message: `${names.join(', ')}: no such flag${names.length === 1 ? '' : 's'}`,
    hint: meant === undefined ? undefined : `did you mean ${meant}?`,
  }
}

/** Flags that exclude each other, flags that need another, and missing required flags. */
function conflictsOf({ input, output }: NonNullable<ParserError['parse']>): string[] {
  const isGiven = (name: string) =>
    output?.flags?.[name] !== undefined && output.metadata?.flags?.[name]?.setFromDefault !== true
  const named = (list: readonly (string | { name: string })[] | undefined) =>
    (list ?? []).map((item) => (typeof item === 'string' ? item : item.name))
  const found = new Set<string>()
  for (const [name, { exclusive, dependsOn, required }] of Object.entries(input?.flags ?? {})) {
    if (!isGiven(name)) {
      if (required && output?.flags?.[name] === undefined) found.add(`missing --${name}`)
      continue
    }
    for (const other of named(exclusive)) {
      // Both flags may list each other; report the pair once.
      if (isGiven(other) && !found.has(`--${name} does not go with --${other}`))
        found.add(`--${other} does not go with --${name}`)
    }
    for (const other of named(dependsOn)) {
      if (output?.flags?.[other] === undefined) found.add(`--${name} needs --${other}`)
    }
  }
  return [...found]
}

/** Rewrites an error that has only a message. */
function plainWords(message: string): string {
  const lines = message.split(/\s*\n\s*/).filter((line) => line !== '' && line !== 'See more help with --help')
  const text = lines.filter((line) => !/^The following errors? occurred:$/.test(line)).join('; ')
  const rules: [RegExp, string][] = [
    [/^Flag (--\S+) can only be specified once$/, '$1: given more than once'],
    [/^Flag (--\S+) expects a value$/, '$1: a value is missing'],
    [/^Flag (--\S+) expects one of these values: (.*)$/, '$1: a value is missing, one of $2'],
    [/^Expected (--[^=\s]+)=(.*) to be one of: (.*)$/, '$1 $2: not one of $3'],
    [/^Expected (.*) to be one of: (.*)$/, '$1: not one of $2'],
  ]
  for (const [pattern, words] of rules) if (pattern.test(text)) return text.replace(pattern, words)
  return text
}
