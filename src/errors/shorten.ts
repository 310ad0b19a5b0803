/**
 * Long texts of others in messages. A name, a path or the target of a link can have a million characters, which would push
 * the message itself off the screen.
 */
import { printable } from './printable.ts'
import { grouped } from './quantity.ts'

/** The longest line of a message, and the longest word in a line that is too long. In UTF-16 code units. */
const LINE = 1000
const WORD = 200

/** A message as it is printed: on one line, printable, and at most 1,000 characters long. */
export function messageLine(text: string): string {
  const line = printable(text)
  if (line.length <= LINE) return line
  // First what is probably a name or a path, so that the words around it stay.
  return cutMiddle(
    line.replace(/\S+/g, (word) => cutMiddle(word, WORD)),
    LINE,
  )
}

/** Leave out the middle of a text that is too long, not within a character, and say how long it was. */
export function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text
  const note = ` … (${grouped(text.length)} characters) … `
  const room = Math.max(0, most - note.length)
  const end = text.length - Math.floor(room / 3)
  const isHalf = isWithinCharacter(text, end)
  return startOf(text, Math.ceil((room * 2) / 3)) + note + text.slice(isHalf ? end + 1 : end)
}

/** The start of a text: at most so many UTF-16 code units, and no half of a character. */
export function startOf(text: string, most: number): string {
  return text.slice(0, isWithinCharacter(text, most) ? most - 1 : most)
}

/** True between the two halves of a surrogate pair. */
function isWithinCharacter(text: string, at: number): boolean {
  return isSurrogate(text, at - 1, 0xd800) && isSurrogate(text, at, 0xdc00)
}

function isSurrogate(text: string, at: number, first: 0xd800 | 0xdc00): boolean {
  return (text.charCodeAt(at) & 0xfc00) === first
}
