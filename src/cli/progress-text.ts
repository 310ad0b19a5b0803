/** The text of the progress line. */
import { partTexts } from '../errors/index.ts'
import { textWidth } from './text-width.ts'

/** The state of the work. */
export interface Status {
  /** The first word of the line: `Reading`. */
  doing: string
  /** What is read: a path or URI. */
  name: string
  /** The part that is done, from 0 to 1; undefined if unknown. */
  part?: number | undefined
  /** How exact the time left is: `at most` when less may be left than `part` says. */
  left?: 'about' | 'at most' | undefined
  /** What `part` is a part of: `of the store`. */
  of?: string | undefined
  /** Counts, the most important first. */
  counts: readonly string[]
}

/** Names that would be cut shorter than this are left out. */
const LEAST_NAME = 12

/**
 * One line, the most important facts first: `Reading kvs.tgz: about 12 s left, 43% of the archive, 120,000 keys`. If it
 * is too wide, first the beginning of the name is cut, then the counts are left out, the last one first.
 *
 * @param seconds - seconds since the start
 * @param columns - maximum width of the line
 */
export function progressText(status: Status, seconds: number, columns: number): string {
  const { doing, name, part, left = 'about', of = '' } = status
  const facts = [...partTexts({ part, seconds, left, of }), ...status.counts]
  while (true) {
    const rest = facts.length === 0 ? '' : `: ${facts.join(', ')}`
    const room = columns - doing.length - 1 - rest.length
    if (textWidth(name) <= room) return `${doing} ${name}${rest}`
    if (room >= LEAST_NAME) return `${doing} ${lastOf(name, room)}${rest}`
    if (facts.length <= 1) return cut(`${doing}${rest}`, columns)
    if (doing.length + rest.length <= columns) return doing + rest
    facts.pop()
  }
}

/** The end of a name: it tells more than the beginning. */
function lastOf(name: string, columns: number): string {
  const characters = [...name]
  while (textWidth(characters.join('')) > columns - 1) characters.shift()
  return `…${characters.join('')}`
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
}
