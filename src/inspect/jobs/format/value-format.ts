/**
 * Functions from a value to its text, by the conversion and specification of a field. They are made once for a format,
 * and called for each job.
 *
 * @see flux-core `src/bindings/python/flux/util.py`, `UtilFormatter` and `UtilDatetime`
 */
import { printable } from '../../../errors/index.ts'
import { formatJobid } from '../../../kvs/index.ts'
import { durationFsd, durationHms, isoFormatter, percentage } from './conversions.ts'
import type { FieldKind } from './fields.ts'
import { floatFormatter, floatText, wholeFormatter } from './format-number.ts'
import { lengthOf, textFormatter, withPlus } from './format-text.ts'
import { formatError } from './parse.ts'
import { asciiOnly, pythonRepr, pythonText } from './python-text.ts'
import { parseSpec } from './spec.ts'
import { type Clock, timeAsPython, timeFormatter } from './time-format.ts'

/** A value with its kind, after a conversion. A `time` is seconds since 1970; 0 is not set. */
interface Converted {
  readonly kind: FieldKind | 'time'
  readonly value: (value: unknown) => unknown
}

const ISO = '%FT%T'

/**
 * A function that writes the values of a field.
 *
 * @param field - for errors
 * @throws {FluxError} `EINVAL` the conversion or the specification does not fit values of this kind
 */
export function valueFormatter(
  field: string,
  kind: FieldKind,
  conversion: string,
  spec: string,
  clock: Clock,
): (value: unknown) => string {
  const converted = conversionOf(field, kind, conversion, clock)
  const plus = spec.endsWith('+')
  const bare = plus ? spec.slice(0, -1) : spec
  const format = formatterOf(field, converted.kind, bare, clock)
  const { value: convert } = converted
  if (!plus) return conversion === '' ? format : (value) => format(convert(value))
  const whole = converted.kind === 'time' ? timeText(clock) : hyphenable(bare, converted.kind, clock)
  return (value) => {
    const found = convert(value)
    const text = format(found)
    return lengthOf(text) < lengthOf(whole(found)) ? withPlus(text) : text
  }
}

/** Texts that stand for nothing. The hyphen `h` takes their place, and `?:` removes a column of them. */
export function emptyTexts(clock: Clock): ReadonlySet<string> {
  return new Set(['', '0s', '0.0', '0:00:00', '1970-01-01T00:00:00', timeFormatter(ISO, clock)(0)])
}

/** The text of a value without a specification: `str` in Python. */
function plainText(kind: FieldKind | 'time'): (value: unknown) => string {
  switch (kind) {
    case 'id':
      return (value) => formatJobid(value as bigint)
    case 'float':
      return (value) => (typeof value === 'number' ? floatText(value) : '')
    case 'truth':
      return (value) => (value === '' ? '' : value ? 'True' : 'False')
    case 'list':
      return (value) => (value as readonly string[]).join(',')
    case 'any':
      return (value) => printable(pythonText(value))
    default:
      return String
  }
}

/** The text whose length says whether something was cut. */
function hyphenable(spec: string, kind: FieldKind | 'time', clock: Clock): (value: unknown) => string {
  const plain = plainText(kind)
  return spec.endsWith('h') ? withHyphen(plain, clock) : plain
}

function withHyphen(plain: (value: unknown) => string, clock: Clock): (value: unknown) => string {
  const empty = emptyTexts(clock)
  return (value) => {
    const text = plain(value)
    return empty.has(text) ? '-' : text
  }
}

function timeText(clock: Clock): (value: unknown) => string {
  return (value) => timeAsPython(value as number, clock)
}

function conversionOf(field: string, kind: FieldKind, conversion: string, clock: Clock): Converted {
  const text = (value: (value: unknown) => string): Converted => ({ kind: 'text', value })
  switch (conversion) {
    case '':
      return { kind, value: (value) => value }
    case 's':
      return text(plainText(kind))
    case 'r':
      return text(reprOf(kind))
    case 'a': {
      const repr = reprOf(kind)
      return text((value) => asciiOnly(repr(value)))
    }
    case 'd':
      return { kind: 'time', value: numeric(field, kind, conversion, (value) => value, 0) }
    case 'D':
      return text(numeric(field, kind, conversion, isoFormatter(clock), ''))
    case 'F':
      return text(numeric(field, kind, conversion, durationFsd, ''))
    case 'H':
      return text(numeric(field, kind, conversion, durationHms, ''))
    case 'P':
      return text(numeric(field, kind, conversion, percentage, ''))
    default:
      throw formatError(`{${field}!${conversion}}: no such conversion`, 'there are !d !D !F !H !P, and !s !r !a')
  }
}

/** A conversion of numbers. A value that the job does not have becomes `missing`; other texts stay what they are. */
function numeric<T extends string | number>(
  field: string,
  kind: FieldKind,
  conversion: string,
  convert: (value: number) => T,
  missing: T,
): (value: unknown) => T {
  if (kind === 'text' || kind === 'list') {
    throw formatError(`{${field}!${conversion}}: this conversion is for numbers, and ${field} is text`)
  }
  return (value) => {
    if (typeof value === 'number') return convert(value)
    if (typeof value === 'bigint' || typeof value === 'boolean') return convert(Number(value))
    return missing
  }
}

function reprOf(kind: FieldKind): (value: unknown) => string {
  if (kind === 'id') return (value) => `JobID(${value})`
  if (kind === 'float') return plainText(kind)
  return (value) => printable(pythonRepr(value))
}

function formatterOf(field: string, kind: FieldKind | 'time', spec: string, clock: Clock): (value: unknown) => string {
  if (kind === 'time') return timeWith(field, spec, clock)
  const plain = plainText(kind)
  if (spec === '') return plain
  if (spec.endsWith('h')) {
    const text = withHyphen(plain, clock)
    const format = textFormatter(parseSpec(`${spec.slice(0, -1)}s`, field), field)
    return (value) => format(text(value))
  }
  return formatterByKind(field, kind, spec, plain)
}

function formatterByKind(
  field: string,
  kind: FieldKind,
  spec: string,
  plain: (value: unknown) => string,
): (value: unknown) => string {
  const parsed = parseSpec(spec, field)
  // A value that is missing is text. A type for numbers does not apply to it.
  const text = () =>
    textFormatter({ ...parsed, type: '', align: parsed.align === '=' ? '>' : parsed.align, ...TEXT }, field)
  switch (kind) {
    case 'text':
      return textFormatter(parsed, field) as (value: unknown) => string
    case 'list': {
      const format = textFormatter(parsed, field)
      return (value) => format(plain(value))
    }
    case 'float':
      return floatFormatter(parsed, field) as (value: unknown) => string
    case 'whole':
    case 'truth':
    case 'id': {
      const [whole, missing] = [wholeFormatter(parsed, field), text()]
      return (value) => {
        if (value === '') return missing('')
        return whole(typeof value === 'boolean' ? Number(value) : (value as number | bigint))
      }
    }
    case 'any':
      return anyFormatter(field, spec, plain, text())
  }
}

/** What a text cannot have. */
const TEXT = { sign: '', grouping: '', positiveZero: false, alternate: false } as const

/** For values whose type is known only when they come. If the specification does not fit, they are text. */
function anyFormatter(
  field: string,
  spec: string,
  plain: (value: unknown) => string,
  text: (text: string) => string,
): (value: unknown) => string {
  const parsed = parseSpec(spec, field)
  const orText = <T>(make: () => (value: T) => string): ((value: T) => string) | undefined => {
    try {
      return make()
    } catch {
      return undefined
    }
  }
  const whole = orText(() => wholeFormatter(parsed, field))
  const float = orText(() => floatFormatter(parsed, field))
  return (value) => {
    if (typeof value === 'bigint' && whole) return whole(value)
    if (typeof value === 'boolean' && whole) return whole(Number(value))
    if (typeof value === 'number') {
      const isWhole = Number.isSafeInteger(value)
      if (isWhole && whole) return whole(value)
      if (!isWhole && float) return float(value)
    }
    return text(plain(value))
  }
}

/** `%b%d %R::>12`: how to write a time, and after `::` how to align it. */
function timeWith(field: string, spec: string, clock: Clock): (value: unknown) => string {
  const colons = spec.indexOf('::')
  const write = timeFormatter((colons === -1 ? spec : spec.slice(0, colons)) || ISO, clock)
  const text = (value: unknown) => (value === 0 ? '' : write(value as number))
  const rest = colons === -1 ? '' : spec.slice(colons + 2)
  if (rest === '') return text
  const hyphen = rest.endsWith('h')
  const format = textFormatter(parseSpec(hyphen ? `${rest.slice(0, -1)}s` : rest, field), field)
  return hyphen ? (value) => format(text(value) || '-') : (value) => format(text(value))
}
