/** Keys that jobs are sorted by: `--sort`, and `sort:` at the beginning of a format. */
import { lengthOf } from './format-text.ts'
import { formatError } from './parse.ts'

/** One key: a field, and whether the order is reversed. */
export interface SortKey {
  readonly field: string
  readonly isReversed: boolean
}

/** @param text - fields with commas between; a hyphen before one reverses its order */
export function parseSortKeys(text: string): SortKey[] {
  return text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
    .map((key) => ({ field: key.replace(/^-/, ''), isReversed: key.startsWith('-') }))
}

/**
 * Take the sort keys from the beginning of a format.
 *
 * @throws {FluxError} `EINVAL` there are none after `sort:`
 */
export function withoutSortKeys(format: string): { format: string; keys: SortKey[] } {
  if (!format.startsWith('sort:')) return { format, keys: [] }
  const [all, keys] = /^sort:([^{\s]+) ?/.exec(format) ?? []
  if (all === undefined || keys === undefined) {
    throw formatError(`${format}: no keys after sort:`, 'it looks like sort:-t_submit {id} {name}')
  }
  return { format: format.slice(all.length), keys: parseSortKeys(keys) }
}

/** A value by which rows are sorted: nothing comes first, then numbers, then texts. */
export type Sortable = undefined | number | string

const NUMBER = /^\s*[-+]?(?:(?:\d+(?:_\d+)*)?\.?(?:\d+(?:_\d+)*)?(?:e[-+]?\d+)?|inf(?:inity)?|nan)\s*$/i

/**
 * @param value - of a field
 * @param text - of the value, for those that are neither a number nor a text
 */
export function sortable(value: unknown, text: (value: unknown) => string): Sortable {
  if (value === null || value === '' || value === '-') return undefined
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  const found = typeof value === 'string' ? value : text(value)
  return numberOf(found) ?? found
}

/** The number that Python's `float` reads from a text. */
function numberOf(text: string): number | undefined {
  if (!NUMBER.test(text) || !/\d|inf|nan/i.test(text)) return undefined
  const plain = text.trim().replaceAll('_', '').toLowerCase()
  if (plain.endsWith('nan')) return undefined
  const number = plain.includes('inf') ? Number.POSITIVE_INFINITY * (plain.startsWith('-') ? -1 : 1) : Number(plain)
  return Number.isNaN(number) ? undefined : number
}

/** Negative if `a` comes before `b`. */
export function compareSortable(a: Sortable, b: Sortable): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b || (a === b ? 0 : a < b ? -1 : 1)
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  return rank(a) - rank(b)
}

function rank(value: Sortable): number {
  return value === undefined ? 0 : typeof value === 'number' ? 1 : 2
}

/** By characters of Unicode. JavaScript compares halves of those beyond 16 bits. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  if (lengthOf(a) === a.length && lengthOf(b) === b.length) return a < b ? -1 : 1
  const [left, right] = [[...a], [...b]]
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference =
      ((left[at] as string).codePointAt(0) as number) - ((right[at] as string).codePointAt(0) as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
