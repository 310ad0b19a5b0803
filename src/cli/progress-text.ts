/** The words of the line that shows how far something is. */
import { partTexts } from '../errors/index.ts'
import { textWidth } from './text-width.ts'

/** How far something is. */
export interface Status {
  /** What is being done, as the line begins: `Reading`. */
  doing: string
  /** To what: a path or URI. */
  name: string
  /** How much of it is done, from 0 to 1; undefined where nobody knows. */
  part?: number | undefined
  /** How exact that is for the time that is left: `at most` where it may be less to go than `part` says. */
  left?: 'about' | 'at most' | undefined
  /** What that is a part of: `of the store`. */
  of?: string | undefined
  /** How many have been counted, the most important first. */
  counts: readonly string[]
}

/** Below this, a name says nothing any more. */
const LEAST_NAME = 12

/**
 * One line, with what matters most first: `Reading kvs.tgz: about 12 s left, 43% of the archive, 120,000 keys`. Where
 * there is no room for all of it, first the beginning of the name goes, then the counts, the last first.
 *
 * @param seconds - since it began
 * @param columns - the most it may take
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

/** The end of a name, which says more than where it begins. */
function lastOf(name: string, columns: number): string {
  const characters = [...name]
  while (textWidth(characters.join('')) > columns - 1) characters.shift()
  return `…${characters.join('')}`
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
}
