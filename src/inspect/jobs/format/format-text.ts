/** Texts as Python formats them: aligned in a width, and cut. Lengths are counted in characters of Unicode. */
import { formatError } from './parse.ts'
import type { Spec } from './spec.ts'

const SURROGATE = /[\ud800-\udfff]/

/** The number of characters. */
export function lengthOf(text: string): number {
  if (!SURROGATE.test(text)) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}

/** The first characters of a text. */
export function firstOf(text: string, count: number): string {
  if (text.length <= count) return text
  return SURROGATE.test(text) ? [...text].slice(0, count).join('') : text.slice(0, count)
}

/** A text without its last character, and with a plus sign in its place: how Flux marks what it has cut. */
export function withPlus(text: string): string {
  return `${firstOf(text, Math.max(0, lengthOf(text) - 1))}+`
}

/** Fill a text up to a width. @param align - `<`, `>` or `^`, as in a specification */
export function padded(text: string, width: number, align: string, fill: string): string {
  const missing = width - lengthOf(text)
  if (missing <= 0) return text
  if (align === '>') return fill.repeat(missing) + text
  if (align === '<') return text + fill.repeat(missing)
  const left = missing >> 1
  return fill.repeat(left) + text + fill.repeat(missing - left)
}

/**
 * A function that formats texts.
 *
 * @param field - for the error
 * @throws {FluxError} `EINVAL` a specification that only a number can have
 */
export function textFormatter(spec: Spec, field: string): (text: string) => string {
  const { type, width = 0, precision } = spec
  const refuse = (what: string) => formatError(`{${field}}: ${what} is for numbers, and this is text`)
  if (type !== '' && type !== 's') throw refuse(`the type '${type}'`)
  if (spec.sign !== '') throw refuse(`the sign '${spec.sign}'`)
  if (spec.positiveZero) throw refuse("'z'")
  if (spec.alternate) throw refuse("'#'")
  if (spec.grouping !== '') throw refuse(`'${spec.grouping}'`)
  if (spec.align === '=') throw refuse("the alignment '='")
  const align = spec.align || '<'
  const fill = spec.fill || (spec.zero ? '0' : ' ')
  const pad = width > 0 ? (text: string) => padded(text, width, align, fill) : (text: string) => text
  return precision === undefined ? pad : (text) => pad(firstOf(text, precision))
}
