import type stringWidth from 'string-width'

/** Text whose characters all take one column: ASCII, the characters of our bars and ellipses, and that of job ids. */
const PLAIN = /^[\x20-\x7e█░…ƒ]*$/

let measure: typeof stringWidth | undefined

/**
 * Load `string-width` if one of the texts needs it. Loading it and measuring the first text takes 70 ms, so it is not
 * loaded for plain text.
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
 * The width of a text on a terminal, in columns.
 *
 * @param text - without control characters. Pass it to {@link loadTextWidth} first; otherwise each character may count
 *   as one column.
 */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  return measure ? measure(text) : [...text].length
}
