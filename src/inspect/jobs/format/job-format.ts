/** A format of `flux jobs -o`, compiled: each field is a function from a job to its text. */
import type { Job, JobRecords } from '../job.ts'
import type { FormatContext } from './context.ts'
import { type Field, fieldOf, recordsOf } from './fields.ts'
import { textFormatter } from './format-text.ts'
import { type FormatPart, parseFormat } from './parse.ts'
import { type Sortable, type SortKey, sortable, withoutSortKeys } from './sort-keys.ts'
import { layoutOf, parseSpec, widened } from './spec.ts'
import { emptyTexts, valueFormatter } from './value-format.ts'

/**
 * A field whose place in the table depends on all jobs: `?:` removes it if no job has a value, `+:` makes it as wide as
 * the longest, and `?+:` does both.
 */
export type Adapting = 'filter' | 'widen' | 'both'

const PREFIXES: readonly [prefix: string, adapting: Adapting][] = [
  ['?+:', 'both'],
  ['?:', 'filter'],
  ['+:', 'widen'],
]

/** A part of a format that depends on all jobs. */
export interface AdaptingPart {
  readonly text: string
  readonly adapting: Adapting
  /** The width before any job is seen. */
  readonly width: number
  value(job: Job): unknown
  /** The text whose length counts; empty if it stands for nothing. */
  measured(value: unknown): string
  /** The function that writes the values in a column of this width; undefined keeps the format's own. */
  format(width: number | undefined): (value: unknown) => string
  heading(width: number | undefined): string
}

/** A run of fields whose texts depend on their own job alone. */
export interface FixedPart {
  text(job: Job): string
  readonly heading: string
}

/** Values of the keys that rows are sorted by. */
export interface CompiledSortKey {
  readonly field: string
  readonly isReversed: boolean
  value(job: Job): Sortable
}

/** A compiled format: fixed and adapting parts by turns, beginning and ending with a fixed one. */
export interface JobFormat {
  readonly fixed: readonly FixedPart[]
  readonly adapting: readonly AdaptingPart[]
  readonly sortKeys: readonly CompiledSortKey[]
  /** The records of a job that tell these fields, among them always the eventlog. */
  readonly records: readonly (keyof JobRecords)[]
}

/** Options of {@link compileFormat}. */
export interface CompileOptions {
  /** Instead of the sort keys in the format. */
  sortKeys?: readonly CompiledSortKey[] | undefined
  /** The headings are not printed, so they need no room. */
  noHeader?: boolean | undefined
}

/**
 * Compile a format.
 *
 * @throws {UnknownFieldError} a field, or a key, that does not exist
 * @throws {FluxError} `EINVAL` the format, or a part of it, cannot be used
 */
export function compileFormat(
  text: string,
  context: FormatContext,
  { sortKeys, noHeader = false }: CompileOptions = {},
): JobFormat {
  const { format, keys } = withoutSortKeys(text)
  const parts = parseFormat(format)
  const isAdapting = parts.some((part) => part.field !== '' && prefixOf(part) !== undefined)
  const fixed: FixedPart[] = []
  const adapting: AdaptingPart[] = []
  let run: FormatPart[] = []
  const endRun = () => {
    fixed.push(fixedPart(run, context))
    run = []
  }
  for (const part of parts) {
    const kind = part.field === '' ? undefined : prefixOf(part)
    const bare = isAdapting ? { ...part, text: withoutPrefixes(part.text) } : part
    if (kind === undefined) run.push(bare)
    else {
      endRun()
      adapting.push(adaptingPart(bare, kind, context, noHeader))
    }
  }
  endRun()
  const compiledKeys = sortKeys ?? compileSortKeys(keys, context)
  const fields = [...parts, ...compiledKeys].map(({ field }) => field)
  return {
    fixed,
    adapting,
    sortKeys: compiledKeys,
    records: [...new Set(fields.flatMap(recordsOf).concat('eventlog'))],
  }
}

function prefixOf({ text }: FormatPart): Adapting | undefined {
  return PREFIXES.find(([prefix]) => text.endsWith(prefix))?.[1]
}

/** As Flux does it: once one field has a prefix, all that look like one disappear. */
function withoutPrefixes(text: string): string {
  return PREFIXES.reduce((rest, [prefix]) => rest.replaceAll(prefix, ''), text)
}

function fixedPart(parts: readonly FormatPart[], context: FormatContext): FixedPart {
  const writers: (readonly [text: string, write: (job: Job) => string])[] = []
  let heading = ''
  let end = ''
  for (const part of parts) {
    heading += part.text
    end += part.text
    if (part.field === '') continue
    const field = fieldOf(part.field, context)
    const write = valueFormatter(part.field, field.kind, part.conversion, part.spec, context)
    writers.push([end, (job) => write(field.value(job))])
    heading += headingOf(field, part.spec)
    end = ''
  }
  const text = (job: Job): string => {
    let line = ''
    for (const [before, write] of writers) line += before + write(job)
    return line + end
  }
  return { text, heading }
}

/** The heading of a field keeps the alignment and the width, not the fill. */
function headingOf({ name, heading }: Field, spec: string, width?: number): string {
  const layout = layoutOf(spec)
  const room = width ?? layout.width
  const align = layout.align === '=' ? '>' : layout.align
  return textFormatter(parseSpec(`${align}${room || ''}`, name), name)(heading)
}

function adaptingPart(part: FormatPart, adapting: Adapting, context: FormatContext, noHeader: boolean): AdaptingPart {
  const field = fieldOf(part.field, context)
  const layout = layoutOf(part.spec)
  // A time is measured as it is written; of anything else, its bare text.
  const bareSpec = part.conversion === 'd' && layout.before !== '' ? layout.before.slice(0, -2) : ''
  const bare = valueFormatter(part.field, field.kind, part.conversion, bareSpec, context)
  const empty = emptyTexts(context)
  const isWidened = adapting !== 'filter'
  const specFor = (width: number | undefined) => (isWidened && width !== undefined ? widened(layout, width) : part.spec)
  const format = (width: number | undefined) =>
    valueFormatter(part.field, field.kind, part.conversion, specFor(width), context)
  // Reports a specification that does not fit before any job is read.
  format(undefined)
  return {
    text: part.text,
    adapting,
    width: isWidened && !noHeader ? Math.max(layout.width, field.heading.length) : layout.width,
    value: field.value,
    measured: (value) => {
      const text = bare(value)
      return empty.has(text) ? '' : text
    },
    format,
    heading: (width) => headingOf(field, part.spec, isWidened ? width : undefined),
  }
}

/** @throws {UnknownFieldError} a key that is no field */
export function compileSortKeys(keys: readonly SortKey[], context: FormatContext): CompiledSortKey[] {
  return keys.map(({ field: name, isReversed }) => {
    const field = fieldOf(name, context)
    const text = valueFormatter(name, field.kind, '', '', context)
    return { field: name, isReversed, value: (job) => sortable(field.value(job), text) }
  })
}
