/**
 * Splits a format string of `flux jobs -o` into texts and fields.
 *
 * @see Python, "Format String Syntax"; flux-jobs(1), "OUTPUT FORMAT"
 */
import { FluxError } from '../../../errors/index.ts'

/** One field, and the text before it. The last part of a format may be text alone. */
export interface FormatPart {
  /** The text before the field. Doubled braces are single here. */
  text: string
  /** Name of the field: `id.f58`; empty when there is only text. */
  field: string
  /** The letter after `!`; empty without one. */
  conversion: string
  /** All after the colon. */
  spec: string
}

/** A format that cannot be used. @param what - the part that is wrong, and what is wrong with it */
export function formatError(what: string, hint?: string): FluxError {
  return new FluxError('EINVAL', what, { hint })
}

/** @throws {FluxError} `EINVAL` a brace without its partner, or a conversion of more than one letter */
export function parseFormat(format: string): FormatPart[] {
  const parts: FormatPart[] = []
  let text = ''
  let at = 0
  while (at < format.length) {
    const char = format[at] as string
    if (char !== '{' && char !== '}') {
      text += char
      at++
    } else if (format[at + 1] === char) {
      text += char
      at += 2
    } else if (char === '}') {
      throw formatError(`${format}: a single '}' at character ${at + 1}`, 'write }} for a brace that is text')
    } else {
      const end = endOfField(format, at)
      parts.push({ text, ...fieldOf(format.slice(at + 1, end)) })
      text = ''
      at = end + 1
    }
  }
  if (text !== '') parts.push({ text, field: '', conversion: '', spec: '' })
  return parts
}

/** @returns where the brace is that closes the field which begins at `start` */
function endOfField(format: string, start: number): number {
  let depth = 0
  for (let at = start; at < format.length; at++) {
    if (format[at] === '{') depth++
    else if (format[at] === '}' && --depth === 0) return at
  }
  throw formatError(`${format}: no '}' for the '{' at character ${start + 1}`, 'write {{ for a brace that is text')
}

function fieldOf(inner: string): Omit<FormatPart, 'text'> {
  const [, field = '', mark, rest = ''] = /^((?:[^!:[]|\[[^\]]*\]?)*)([!:])?(.*)$/s.exec(inner) ?? []
  if (/\[[^\]]*$/.test(field)) throw formatError(`{${inner}}: a '[' without its ']'`)
  if (rest.includes('{') || field.includes('{')) {
    throw formatError(`{${inner}}: a field inside a field`, 'give the width as a number')
  }
  if (mark !== '!') return { field, conversion: '', spec: rest }
  const [, conversion, spec = ''] = /^(.)(?::(.*))?$/su.exec(rest) ?? []
  if (conversion === undefined) {
    throw formatError(`{${inner}}: '!' takes one letter, and then a colon or the end of the field`)
  }
  return { field, conversion, spec }
}
