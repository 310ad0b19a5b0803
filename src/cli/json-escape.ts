/**
 * Characters that JSON may hold as they are, but that command a terminal or hide what is written: DEL and C1 controls
 * (U+009B begins a control sequence), separators of lines, and controls of the direction of text.
 */
const COMMANDING = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * JSON text with {@link COMMANDING} characters as `\uXXXX`, wherever it is printed: any user can put them into a key. They
 * stand in strings alone, so the text means the same.
 */
export function escapedJson(text: string): string {
  return text.replace(COMMANDING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
