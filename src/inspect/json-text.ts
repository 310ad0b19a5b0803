/**
 * JSON text as the C tools print it. They decode it and encode it again (jansson, compact). This keeps 64-bit integers
 * exact, keeps `1.0` apart from `1`, and writes reals with 17 digits. JSON.parse would lose all three, so this file
 * rewrites the text token by token.
 */
import { jsonString } from '../kvs/index.ts'

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

/** JSON text in compact form. @param text - text that JSON.parse accepts */
export function compactJson(text: string): string {
  let compact = ''
  for (const [token] of text.matchAll(TOKEN)) compact += compactToken(token)
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
  for (const [token] of text.matchAll(TOKEN)) {
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
  return /[.eE]/.test(token) ? realText(Number(token)) : token === '-0' ? '0' : token
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
