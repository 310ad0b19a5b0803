/**
 * Characters that are legal in JSON, but that control a terminal or hide text: DEL and C1 controls (U+009B begins a
 * control sequence), line separators, and controls of the text direction.
 */
const COMMANDING = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * JSON text with {@link COMMANDING} characters as `\uXXXX`. Any user can put them into a key, so all JSON is printed
 * like this. They occur only in strings, so the value stays the same.
 */
export function escapedJson(text: string): string {
  return text.replace(COMMANDING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
