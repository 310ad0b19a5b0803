// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/**
 * Make a key, path or message safe to show: on one line, and without characters that move the cursor, colour the screen
 * or reverse the text. Any user can put such characters into a key. They come out as `\n`, `\t`, `\x1b`, `\u202e`.
 */
export function printable(text: string): string {
  if (!UNPRINTABLE.test(text)) return text
  return text.replace(new RegExp(UNPRINTABLE, 'g'), (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    const code = character.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** As {@link printable}, for text of many lines: newlines and tabs stay. */
export function printableLines(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printable(part)))
    .join('')
}
