/** Numbers as Python formats them. */

import { padded } from './format-text.ts'
import { formatError } from './parse.ts'
import { exponentialText, fixedText } from './round-half-even.ts'
import type { Spec } from './spec.ts'

/** The text of a floating point number: `1.5`, `60.0`, `1e+16`. */
export function floatText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e16) {
    const text = String(value)
    return Number.isInteger(value) ? `${text}.0` : text
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  return Number.isFinite(value) ? pythonExponent(value.toExponential()) : infiniteText(value)
}

function infiniteText(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}

/** Python writes at least two digits: `1e+05`. */
function pythonExponent(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2')
}

/**
 * As `%.{digits}g` of C: at most so many digits in all, without zeros at the end.
 *
 * @param limit - the exponent from which on it is written
 */
export function generalText(value: number, digits: number, keepZeros = false, limit = digits || 1): string {
  const wanted = digits || 1
  if (!Number.isFinite(value)) return infiniteText(value)
  const scientific = exponentialText(value, wanted - 1)
  const exponent = Number(scientific.slice(scientific.indexOf('e') + 1))
  if (exponent < -4 || exponent >= limit) {
    const [mantissa, power] = scientific.split('e') as [string, string]
    return pythonExponent(`${keepZeros ? mantissa : withoutZeros(mantissa)}e${power}`)
  }
  const text = fixedText(value, wanted - 1 - exponent)
  return keepZeros ? text : withoutZeros(text)
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** A number in its parts, for signs, groups and filling. */
interface Parts {
  negative: boolean
  /** `0x` */
  prefix: string
  digits: string
  /** The point and all after it. */
  rest: string
}

/**
 * A function that formats whole numbers.
 *
 * @param field - for the error
 * @throws {FluxError} `EINVAL` a type or precision that a whole number cannot have
 */
export function wholeFormatter(spec: Spec, field: string): (value: number | bigint) => string {
  const { type } = spec
  if ('eEfFgG%'.includes(type) && type !== '') {
    const format = floatFormatter(spec, field)
    return (value) => format(Number(value))
  }
  if (type !== '' && !'bcdnoxX'.includes(type)) throw unknownType(type, field, 'whole numbers')
  if (spec.precision !== undefined) throw formatError(`{${field}}: a whole number has no precision`, 'add an f')
  if (spec.positiveZero) throw formatError(`{${field}}: 'z' is for numbers with a fraction`)
  if (type === 'c') {
    const { width = 0 } = spec
    if (spec.sign !== '' || spec.alternate || spec.grouping !== '') {
      throw formatError(`{${field}}: the type 'c' takes no sign, '#' or '${spec.grouping || ','}'`)
    }
    const fill = spec.fill || (spec.zero ? '0' : ' ')
    const align = spec.align === '=' || spec.align === '' ? '>' : spec.align
    return (value) => padded(characterOf(value), width, align, fill)
  }
  if (spec.grouping === ',' && 'boxXn'.includes(type || 'd')) {
    throw formatError(`{${field}}: ',' does not go with the type '${type}'`)
  }
  if (spec.grouping === '_' && type === 'n') throw formatError(`{${field}}: '_' does not go with the type 'n'`)
  const [radix, prefix, group] = RADIX[type] ?? [10, '', 3]
  const lead = spec.alternate ? prefix : ''
  const finish = finisher(spec, group)
  return (value) => {
    const negative = value < 0
    const text = (negative ? -value : value).toString(radix)
    return finish({ negative, prefix: lead, digits: type === 'X' ? text.toUpperCase() : text, rest: '' })
  }
}

const RADIX: Readonly<Record<string, readonly [radix: number, prefix: string, group: number]>> = {
  b: [2, '0b', 4],
  o: [8, '0o', 4],
  x: [16, '0x', 4],
  X: [16, '0X', 4],
}

/** The largest code point of Unicode. */
const LAST_CHARACTER = 0x10ffff

function characterOf(value: number | bigint): string {
  const code = Number(value)
  return code >= 0 && code <= LAST_CHARACTER ? String.fromCodePoint(code) : '\ufffd'
}

/**
 * A function that formats floating point numbers.
 *
 * @param field - for the error
 * @throws {FluxError} `EINVAL` a type that such a number cannot have
 */
export function floatFormatter(spec: Spec, field: string): (value: number) => string {
  const { type, precision } = spec
  if (type !== '' && !'eEfFgGn%'.includes(type)) throw unknownType(type, field, 'numbers with a fraction')
  if (spec.grouping !== '' && type === 'n') {
    throw formatError(`{${field}}: '${spec.grouping}' does not go with the type 'n'`)
  }
  const digits = precision ?? 6
  const text = (value: number): string => {
    if (!Number.isFinite(value)) return infiniteText(value)
    switch (type) {
      case 'f':
      case 'F':
        return withPoint(fixedText(value, digits), spec.alternate)
      case '%':
        return Number.isFinite(value * 100)
          ? withPoint(fixedText(value * 100, digits), spec.alternate)
          : infiniteText(value * 100)
      case 'e':
      case 'E':
        return withPoint(pythonExponent(exponentialText(value, digits)), spec.alternate)
      case '':
        if (precision === undefined) return floatText(value)
        return withFraction(generalText(value, precision, spec.alternate, (precision || 1) - 1))
      default:
        return withPoint(generalText(value, digits, spec.alternate), spec.alternate)
    }
  }
  const isUpper = type === 'E' || type === 'F' || type === 'G'
  const finish = finisher(spec, 3)
  return (value) => {
    const found = text(value)
    const whole = isUpper ? found.toUpperCase() : found
    const [, minus, digits, rest] = /^(-?)(\d*|inf|nan|INF|NAN)(.*)$/s.exec(whole) as unknown as string[]
    const isZero = spec.positiveZero && Number(whole) === 0
    const negative = minus === '-' && !isZero
    return finish({
      negative,
      prefix: '',
      digits: digits as string,
      rest: type === '%' ? `${rest}%` : (rest as string),
    })
  }
}

function withPoint(text: string, wanted: boolean): string {
  return wanted && !text.includes('.') ? text.replace(/^(-?\d+)/, '$1.') : text
}

/** Without a type, a number in plain form has at least one digit after its point. */
function withFraction(text: string): string {
  return /^-?\d+$/.test(text) ? `${text}.0` : text.endsWith('.') ? `${text}0` : text
}

function unknownType(type: string, field: string, what: string): Error {
  return formatError(`{${field}}: there is no type '${type}' for ${what}`)
}

/** Puts the parts of a number together. @param group - digits between separators */
function finisher(spec: Spec, group: number): (parts: Parts) => string {
  const { sign, width = 0, grouping } = spec
  const fill = spec.fill || (spec.zero ? '0' : ' ')
  const align = spec.align || (spec.zero && spec.fill === '' ? '=' : '>')
  const plus = sign === '-' ? '' : sign
  return ({ negative, prefix, digits, rest }) => {
    const lead = (negative ? '-' : plus) + prefix
    const isFilled = align === '=' && fill === '0'
    const least = isFilled ? width - lead.length - rest.length : 0
    const grouped = grouping === '' ? digits.padStart(least, isFilled ? '0' : ' ') : grouped3(digits, least)
    if (align === '=') return lead + padded(grouped + rest, width - lead.length, '>', fill)
    return padded(lead + grouped + rest, width, align, fill)
  }

  /** Digits in groups; as many zeros come first as a width needs. */
  function grouped3(digits: string, least: number): string {
    const lengthWith = (count: number) => count + Math.floor((count - 1) / group)
    let count = digits.length
    while (lengthWith(count) < least) count++
    const all = digits.padStart(count, '0')
    const parts: string[] = []
    for (let end = all.length; end > 0; end -= group) parts.unshift(all.slice(Math.max(0, end - group), end))
    return parts.join(grouping)
  }
}
