import type stringWidth from 'string-width'

/** Text of which every character takes one column: ASCII, and what our own bars and cuts are drawn with. */
const PLAIN = /^[\x20-\x7e█░…]*$/

let measure: typeof stringWidth | undefined

/**
 * Load `string-width` if one of the texts needs it. It takes 70 ms to load and to measure its first text, so a program that
 * prints plain text does without.
 */
export async function loadTextWidth(texts: Iterable<string>): Promise<void> {
  if (measure) return
  for (const text of texts) {
    if (PLAIN.test(text)) continue
    measure = (await import('string-width')).default
    return
  }
}

/**
 * Columns that a text takes on a terminal.
 *
 * @param text - without control characters. Unless it is plain, give it to {@link loadTextWidth} first: until that is done,
 *   each character counts as one column.
 */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  return measure ? measure(text) : [...text].length
}
