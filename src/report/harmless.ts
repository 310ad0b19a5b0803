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

/** Members that are copied to a shell. They are made of a path that the reader has given, and are no good with a gap. */
const COPIED: ReadonlySet<string> = new Set(['arguments', 'command'])

/** A copy in which each string is printable, and short unless it belongs to a command line. Numbers stay as they are. */
export function harmless<T>(value: T): T {
  return copyOf(value, harmlessText) as T
}

function copyOf(value: unknown, textOf: (text: string) => string): unknown {
  if (typeof value === 'string') return textOf(value)
  if (Array.isArray(value)) return value.map((element) => copyOf(element, textOf))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
  return Object.fromEntries(
    members.map(([name, member]) => [name, copyOf(member, COPIED.has(name) ? visible : textOf)]),
  )
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
