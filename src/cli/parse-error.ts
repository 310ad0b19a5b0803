/**
 * What oclif's parser complains of, in words of our own. Its errors are told apart by their members where they have any;
 * those that are nothing but a message, by that.
 */
import type { Command } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

type Flags = Record<string, Command.Flag.Any>

/** What there is in the errors of oclif's parser. @see @oclif/core `lib/parser/errors.js` */
interface ParserError extends Error {
  oclif?: { exit?: number }
  /** What was parsed, and what came out. */
  parse?: {
    input?: { flags?: Flags }
    output?: {
      flags?: Record<string, unknown>
      metadata?: { flags?: Record<string, { setFromDefault?: boolean } | undefined> }
    }
  }
  /** Arguments that are missing, or words that are too many. */
  args?: ({ name?: string } | string)[]
  /** Flags that do not exist, as they were typed. */
  flags?: string[]
}

/** A flag's own parser failed. oclif puts that into the message of whatever was thrown, of any class. */
const FLAG_FAILED = /^Parsing --(\S+) \n\t(.*)\nSee more help with --help$/s

/** The exit status of oclif's errors, unless a tool sets another. */
const OCLIF_USAGE = 2

/**
 * The error of wrong usage that an error of oclif's parser stands for.
 *
 * @returns undefined for an error that is none of its
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
 * Refuse a value for a flag that takes none, as in `--quiet=true`: oclif would take it for the first argument, and a dump
 * would be written to a file `true`.
 *
 * @throws {UsageError} naming the flag
 */
export function assertNoValues(argv: readonly string[], known: Flags): void {
  for (const word of argv) {
    if (word === '--') return
    const name = /^--([^=]+)=/s.exec(word)?.[1]
    if (name === undefined) continue
    // Flags have no name before they are parsed the first time.
    const positive = name.replace(/^no-/, '')
    const flag = known[name] ?? known[positive] ?? Object.values(known).find(({ aliases }) => aliases?.includes(name))
    if (flag?.type === 'boolean') throw new UsageError(`${word}: --${name} takes no value`)
  }
}

function flagError(flag: string, reason: string, error: ParserError): UsageError {
  // One of ours says all there is to say.
  if (error instanceof FluxError) return new UsageError(reason, error.hint, { cause: error })
  const wrong = numberComplaint(reason)
  return new UsageError(wrong === undefined ? `--${flag}: ${reason}` : `--${flag} ${wrong}`, undefined, {
    cause: error,
  })
}

/** An argument that is no number: oclif throws a plain error. */
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

/** Flags that do not go together, and those that want another. */
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
      // Each of the two may name the other.
      if (isGiven(other) && !found.has(`--${name} does not go with --${other}`))
        found.add(`--${other} does not go with --${name}`)
    }
    for (const other of named(dependsOn)) {
      if (output?.flags?.[other] === undefined) found.add(`--${name} needs --${other}`)
    }
  }
  return [...found]
}

/** A message for which there is no other fact than itself. */
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
