/**
 * Strings of a report that are safe to show. Anybody who submits a job chooses names, and those may be a megabyte long, or hold
 * characters that reverse the text around them.
 */
import { cutMiddle, printable } from '../errors/index.ts'

/** Longer strings are cut in the middle. In UTF-16 code units. */
const LONGEST = 300

/** Marks of direction and characters without width, which `printable` leaves, and halves of surrogate pairs. */
const UNSEEN =
  /[\u061c\u200b-\u200f\u2060\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** A copy in which each string is short and printable. Numbers stay as they are. */
export function harmless<T>(value: T): T {
  if (typeof value === 'string') return harmlessText(value) as T
  if (Array.isArray(value)) return value.map(harmless) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, harmless(member)])) as T
}

/** Cut a long text in the middle, say how long it was, and write control characters as escapes: `\u202e`. */
export function harmlessText(text: string): string {
  return visible(cutMiddle(text, LONGEST))
}

/** A text on one line, in which all characters that cannot be seen are written as escapes. */
export function visible(text: string): string {
  return printable(text).replaceAll(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
