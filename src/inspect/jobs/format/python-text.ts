/** Values as Python's `str`, `repr`, `ascii` and `json.dumps` write them. Annotations of a job may be any JSON. */
import { isRecord } from '../../json.ts'
import { floatText } from './format-number.ts'

/** As `str`. @param value - parsed JSON; undefined is nothing */
export function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

/** As `repr`: a text is in quotes. An object is written as JSON, as Flux does with annotations. */
export function pythonRepr(value: unknown): string {
  if (value === undefined) return ''
  if (value === null) return 'None'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (Array.isArray(value)) return `[${value.map(itemText).join(', ')}]`
  return isRecord(value) ? pythonJson(value) : String(value)
}

/** Inside an array, an object is written as Python writes it. */
function itemText(value: unknown): string {
  if (!isRecord(value)) return pythonRepr(value)
  const members = Object.entries(value).map(([name, member]) => `${quoted(name)}: ${itemText(member)}`)
  return `{${members.join(', ')}}`
}

/** As `json.dumps`: a space after each comma and colon, and only ASCII. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (isRecord(value)) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${asciiJson(name)}: ${pythonJson(member)}`)
      .join(', ')}}`
  }
  if (typeof value === 'number') return numberText(value)
  return typeof value === 'string' ? asciiJson(value) : String(value)
}

function numberText(value: number): string {
  // A larger whole number was a bigint, if it was written as one.
  return Number.isSafeInteger(value) ? String(value) : floatText(value)
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
}

/** A text in quotes, as `repr` writes it. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inner = text.replace(/[\\'"]|[\p{C}\p{Z}]/gu, (char) => {
    if (char === ' ' || ((char === "'" || char === '"') && char !== quote)) return char
    if (char === '\\' || char === quote) return `\\${char}`
    if (char === '\n') return '\\n'
    if (char === '\r') return '\\r'
    if (char === '\t') return '\\t'
    return escapeOf(char.codePointAt(0) as number)
  })
  return quote + inner + quote
}

/** As `ascii` writes what `repr` gave. */
export function asciiOnly(text: string): string {
  return text.replace(/[\u0080-\u{10ffff}]/gu, (char) => escapeOf(char.codePointAt(0) as number))
}

function escapeOf(code: number): string {
  if (code < 0x100) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
