import { Flags } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import {
  compileFormat,
  compileSortKeys,
  FIELD_NAMES,
  type FormatContext,
  formatConfig,
  formatHelp,
  type JobFormat,
  namedFormat,
  parseSortKeys,
  UnknownFieldError,
} from '../inspect/index.ts'
import { JOBID_FORMS, type JobidForm } from '../kvs/index.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

/** Flags for the table of jobs, named as those of flux jobs, and one of ours for job ids. */
export const jobFormatFlags = {
  format: Flags.string({
    char: 'o',
    summary: 'print these fields: a format string of flux jobs, or the name of one (help lists the names)',
    helpValue: 'NAME|FORMAT',
    default: 'default',
    helpGroup: 'OUTPUT',
  }),
  'no-header': Flags.boolean({
    char: 'n',
    aliases: ['suppress-header'],
    summary: 'do not print the line of headings',
    helpGroup: 'OUTPUT',
  }),
  sort: Flags.string({
    summary: 'sort by these fields; a hyphen before a field reverses its order',
    helpValue: '[-]KEY,...',
    helpGroup: 'OUTPUT',
  }),
  width: Flags.integer({
    char: 'w',
    summary: 'cut lines at N columns; 0, or no N, is the width of the terminal, and less than 0 cuts nothing',
    helpValue: 'N',
    helpGroup: 'OUTPUT',
  }),
  color: Flags.string({
    summary: 'colour each line by the result of its job: always (when WHEN is left out), never or auto (default)',
    helpValue: 'WHEN',
    options: ['always', 'never', 'auto'],
    helpGroup: 'OUTPUT',
  }),
  'id-format': Flags.string({
    summary: 'how to write the fields id and id.f58',
    options: JOBID_FORMS,
    helpGroup: 'OUTPUT',
  }),
}

/** Values of the {@link jobFormatFlags}. */
export interface JobFormatChoice {
  format: string
  'no-header': boolean
  sort?: string | undefined
  width?: number | undefined
  color?: string | undefined
  'id-format'?: string | undefined
}

const COLOR = /^(?:always|never|auto)$/
const NUMBER = /^-?\d+$/

/**
 * Arguments as oclif's parser takes them. Its flags cannot have an optional value, so `--color` and `--width` get the
 * one that they have without one. And it takes the value of `--sort=-name` for the flag `-n`, so a comma comes first.
 */
export function jobArguments(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((arg, i) => {
    if (end !== -1 && i > end) return arg
    const next = argv[i + 1] ?? ''
    if (arg === '--color' && !COLOR.test(next)) return '--color=always'
    if ((arg === '-w' || arg === '--width') && !NUMBER.test(next)) return '--width=0'
    return arg.replace(/^--sort=-/, '--sort=,-')
  })
}

/**
 * What `-o help` and `-o get-config=NAME` print; undefined when the format is for jobs.
 *
 * @throws {UsageError} there is no format of that name
 */
export function formatInformation({ format }: JobFormatChoice): string | undefined {
  if (format === 'help') return formatHelp().join('\n')
  const name = /^get-config=(.*)$/s.exec(format)?.[1]
  return name === undefined ? undefined : formatConfig(usage('format', () => namedFormat(name))).join('\n')
}

/** The format that the flags ask for. @throws {UsageError} it cannot be used */
export function jobFormat(choice: JobFormatChoice, context: Omit<FormatContext, 'idForm'>): JobFormat {
  const { sort, format, 'id-format': idForm, 'no-header': noHeader } = choice
  const usual = process.env.FLUX_F58_FORCE_ASCII === undefined ? undefined : 'f58plain'
  const all = { ...context, idForm: (idForm ?? usual) as JobidForm | undefined }
  const text = usage('format', () => formatString(format))
  const sortKeys = sort ? usage('sort', () => compileSortKeys(parseSortKeys(sort), all)) : undefined
  return usage('format', () => compileFormat(text, all, { sortKeys, noHeader }))
}

/** @param asked - a format string, or the name of one */
function formatString(asked: string): string {
  if (asked.includes('{')) return asked
  const name = asked === 'default' ? process.env.FLUX_JOBS_FORMAT_DEFAULT || asked : asked
  return name.includes('{') ? name : namedFormat(name).format
}

/** Do something, and say which flag it was for when that is not possible. */
function usage<T>(flag: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    throw new UsageError(`--${flag}: ${error.message}`, hintFor(error), { cause: error })
  }
}

function hintFor(error: FluxError): string | undefined {
  if (!(error instanceof UnknownFieldError)) return error.hint
  const near = nearest([error.field], FIELD_NAMES)
  return near === undefined ? 'flux-jobs(1) lists the fields' : `did you mean ${near}?`
}
