/** The formats of `flux jobs` that have names. @see flux-core `src/cmd/flux-jobs.py` */
import { FIELD_NAMES } from './fields.ts'
import { formatError } from './parse.ts'

/** A format with a name. */
export interface NamedFormat {
  readonly name: string
  readonly description: string
  readonly format: string
}

const BEGINNING = '{id.f58:>12} ?:{queue:<8.8} +:{username:<8} {name:<10.10+}'
const END = '{ntasks:>6} {nnodes:>6h}'
const INFO = '{contextual_time!F:>8h} {contextual_info}'

/** The names of Flux 0.88. */
export const NAMED_FORMATS: readonly NamedFormat[] = [
  {
    name: 'default',
    description: 'Default flux-jobs format string',
    format: `${BEGINNING} {status_abbrev:>2.2} ${END} ${INFO}`,
  },
  {
    name: 'cute',
    description: 'Cute flux-jobs format string (default with emojis)',
    format: `${BEGINNING} {status_emoji:>5.5} ${END} ${INFO}`,
  },
  {
    name: 'long',
    description: 'Extended flux-jobs format string',
    format: `${BEGINNING} {status:>9.9} ${END} {t_submit!d:%b%d %R::>12} {t_remaining!F:>12h} ${INFO}`,
  },
  {
    name: 'deps',
    description: 'Show job urgency, priority, and dependencies',
    format: '{id.f58:>12} ?:{queue:<8.8} {name:<10.10+} {urgency:<3} {priority:<12} {state:<8.8} {dependencies}',
  },
  {
    name: 'endreason',
    description: 'Show why each job ended',
    format: `${BEGINNING} {status_abbrev:>2.2} {t_inactive!d:%b%d %R::>12h} {inactive_reason}`,
  },
]

/** The format string that a name stands for. @throws {FluxError} `EINVAL` there is no such name */
export function namedFormat(name: string, formats: readonly NamedFormat[] = NAMED_FORMATS): NamedFormat {
  const found = formats.find((format) => format.name === name)
  if (found) return found
  const hint = FIELD_NAMES.includes(name) ? `for a field, write {${name}}` : '-o help lists them'
  throw formatError(`${name}: no such format`, hint)
}

/** The lines of `-o help`. */
export function formatHelp(formats: readonly NamedFormat[] = NAMED_FORMATS): string[] {
  const lines = formats.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`)
  return ['', 'Configured flux-jobs output formats:', '', ...lines]
}

/** The lines of `-o get-config=NAME`: a format as a configuration file has it. */
export function formatConfig({ name, description, format }: NamedFormat): string[] {
  return [`[formats.${name}]`, `description = "${description}"`, `format = "${format}"`]
}
