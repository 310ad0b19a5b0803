/**
 * JSON with whole numbers of 64 bits, such as Flux's job ids and sizes. `JSON.parse` silently rounds those above 2^53.
 * Here they become bigints; all other numbers stay numbers.
 */

import { FluxError } from '../errors/index.ts'

/** `JSON.parse` with source text access, and `JSON.rawJSON`. Node has both since version 21; the types lack them. */
interface SourceJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown): unknown
  rawJSON(text: string): object
}

const source = JSON as unknown as SourceJson

/** A number of 16 digits or more, which may not be a safe integer. A match inside a string only costs time. */
const LONG_NUMBER = /(?:^|[\s[:,])-?\d{16}/

/** How deep arrays and objects may be nested: jansson, with which Flux reads JSON, refuses more (`JSON_PARSER_MAX_DEPTH`). */
const DEEPEST = 2048

const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/**
 * As `JSON.parse`, but a whole number that is not a safe integer, positive or negative, becomes a bigint.
 *
 * @throws {SyntaxError} not JSON, or nested more than 2048 levels deep: functions that call themselves for each level
 *   would run out of stack
 */
export function parseJson(text: string): unknown {
  if (isNestedTooDeeply(text)) throw new SyntaxError(`nested more than ${DEEPEST} levels deep`)
  // A reviver is called for each value, which makes parsing several times slower. Few texts need it.
  if (!LONG_NUMBER.test(text)) return JSON.parse(text)
  return source.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value,
  )
}

/** True for a text of JSON that is nested deeper than Flux reads. */
export function isNestedTooDeeply(text: string): boolean {
  // Few texts have so many brackets, so hardly any is looked at character by character.
  if (text.length <= DEEPEST || !hasManyBrackets(text)) return false
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (isInString) {
      if (char === BACKSLASH) at++
      else if (char === QUOTE) isInString = false
    } else if (char === QUOTE) isInString = true
    // '[' and '{', ']' and '}' differ in one bit.
    else if ((char & ~0x20) === 0x5b) {
      if (++depth > DEEPEST) return true
    } else if ((char & ~0x20) === 0x5d) depth--
  }
  return false
}

function hasManyBrackets(text: string): boolean {
  let count = 0
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > DEEPEST) return true
    }
  }
  return false
}

/**
 * As `JSON.stringify`, but a bigint is written as a plain number, so it comes out as {@link parseJson} read it.
 *
 * @param space - columns to indent by; without it, everything is on one line
 * @throws {FluxError} `EOVERFLOW` the value is nested too deeply, or its text would be too long
 */
export function stringifyJson(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, undefined, space)
  } catch (error) {
    // The value holds a bigint, or a cycle, which throws again below.
    if (error instanceof TypeError) return stringifyExact(value, space)
    throw tooDeep(error)
  }
}

function stringifyExact(value: unknown, space: number | undefined): string {
  try {
    return JSON.stringify(
      value,
      (_name, member) => (typeof member === 'bigint' ? source.rawJSON(String(member)) : member),
      space,
    )
  } catch (error) {
    throw tooDeep(error)
  }
}

/** The error for a value that cannot be written as JSON: anything but a `RangeError` comes back as it is. */
export function tooDeep(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error
  return new FluxError('EOVERFLOW', 'the JSON is nested too deeply, or is too long', { cause: error })
}
