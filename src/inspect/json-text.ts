/**
 * JSON text as the C tools print it. They decode it and encode it again (jansson, compact). This keeps 64-bit integers
 * exact, keeps `1.0` apart from `1`, and writes reals with 17 digits. JSON.parse would lose all three, so this file
 * rewrites the text token by token.
 */
import { jsonString } from '../kvs/index.ts'

/** A string is only begun by it: a regular expression for all of one runs out of stack at some ten million characters. */
const TOKEN = /"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

function* tokensOf(text: string): Generator<string, void, void> {
  const next = new RegExp(TOKEN)
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    if (found[0] !== '"') {
      yield found[0]
      continue
    }
    next.lastIndex = stringEnd(text, found.index)
    yield text.slice(found.index, next.lastIndex)
  }
}

/** Where the string ends whose first quote is at `start`: behind the next quote that no backslash escapes. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let from = quote
    while (text[from - 1] === '\\') from--
    if ((quote - from) % 2 === 0) return quote + 1
  }
  return text.length
}

/** JSON text in compact form. @param text - text that JSON.parse accepts */
export function compactJson(text: string): string {
  let compact = ''
  for (const token of tokensOf(text)) compact += compactToken(token)
  return compact
}

/**
 * The members of an object in JSON text, in order; the values are compact text.
 *
 * @param text - text of an object that JSON.parse accepts
 */
export function jsonMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let depth = 0
  let name: string | undefined
  let value = ''
  for (const token of tokensOf(text)) {
    if (token === '}' || token === ']') depth--
    if (depth === 1 && name === undefined) {
      if (token.startsWith('"')) name = JSON.parse(token) as string
    } else if (depth === 0 || (depth === 1 && token === ',')) {
      if (name !== undefined) members.set(name, value)
      name = undefined
      value = ''
    } else if (!(depth === 1 && token === ':' && value === '')) {
      value += compactToken(token)
    }
    if (token === '{' || token === '[') depth++
  }
  return members
}

function compactToken(token: string): string {
  if (token.startsWith('"')) return jsonString(JSON.parse(token) as string)
  if (!/^-?\d/.test(token)) return token
  if (!/[.eE]/.test(token)) return token === '-0' ? '0' : token
  const real = Number(token)
  // Jansson refuses a number beyond the largest. As it is, it is still JSON.
  return Number.isFinite(real) ? realText(real) : token
}

/** As `%.17g` prints it, with `.0` added to tell it from an integer, and no leading zeros or plus in the exponent. */
function realText(real: number): string {
  if (Object.is(real, -0)) return '-0.0'
  const [digits = '', exponentText = '0'] = real.toExponential(16).split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 17) return `${trimZeros(digits)}e${exponent}`
  const fixed = trimZeros(real.toFixed(Math.max(0, 16 - exponent)))
  return fixed.includes('.') ? fixed : `${fixed}.0`
}

function trimZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
