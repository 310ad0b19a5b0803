/**
 * Sets of numbers, such as ranks or cores, and their text: `0-3,7`.
 *
 * @see RFC 22, "Idset String Representation"
 */

/** A range of ids, including the first and the last. */
type Range = readonly [first: number, last: number]

/** The largest id: Flux keeps ids in 32 bits and refuses larger sets. */
const LAST_ID = 0x7fffffff

const RANGE = /^(0|[1-9][0-9]{0,9})(?:-(0|[1-9][0-9]{0,9}))?$/

/** A set of whole numbers from 0 on. It does not change. */
export class Idset {
  readonly #ranges: readonly Range[]
  /** How many ids there are. */
  readonly size: number

  /** @param ranges - ascending, not touching each other */
  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges
    let size = 0
    for (const [first, last] of ranges) size += last - first + 1
    this.size = size
  }

  /**
   * Read the text of an idset: ids and ranges, in ascending order, with or without brackets around them.
   *
   * @returns undefined when the text is not an idset
   */
  static parse(text: string): Idset | undefined {
    const inside = text.startsWith('[') && text.endsWith(']') && text.length > 1 ? text.slice(1, -1) : text
    const ranges: [number, number][] = []
    for (const part of inside.split(',')) {
      // Flux takes a comma too many.
      if (part === '') continue
      const [, from, to] = RANGE.exec(part) ?? []
      if (from === undefined) return undefined
      const first = Number(from)
      const last = to === undefined ? first : Number(to)
      const before = ranges.at(-1)
      if ((to !== undefined && last <= first) || last > LAST_ID || (before && first <= before[1])) return undefined
      if (before && first === before[1] + 1) before[1] = last
      else ranges.push([first, last])
    }
    return new Idset(ranges)
  }

  /** The set of these ids, in any order, repeated or not. */
  static of(ids: Iterable<number>): Idset {
    return Idset.#joined([...ids].map((id) => [id, id]))
  }

  /** All ids that are in any of some sets. */
  static union(sets: Iterable<Idset>): Idset {
    const ranges: Range[] = []
    for (const set of sets) for (const range of set.#ranges) ranges.push(range)
    return Idset.#joined(ranges)
  }

  static #joined(ranges: Range[]): Idset {
    const joined: [first: number, last: number][] = []
    for (const [first, last] of ranges.sort(([a], [b]) => a - b)) {
      const before = joined.at(-1)
      if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
      else joined.push([first, last])
    }
    return new Idset(joined)
  }

  /** True when the id is in the set. */
  has(id: number): boolean {
    return this.#ranges.some(([first, last]) => first <= id && id <= last)
  }

  /** True when any id is in both sets. */
  intersects(other: Idset): boolean {
    const mine = this.#ranges
    const theirs = other.#ranges
    for (let i = 0, j = 0; i < mine.length && j < theirs.length; ) {
      const [first, last] = mine[i] as Range
      const [otherFirst, otherLast] = theirs[j] as Range
      if (last < otherFirst) i++
      else if (otherLast < first) j++
      else return true
    }
    return false
  }

  /** The ids, ascending. */
  *[Symbol.iterator](): Generator<number, void, void> {
    for (const [first, last] of this.#ranges) for (let id = first; id <= last; id++) yield id
  }

  /** The text with ranges and without brackets: `0-3,7`. */
  toString(): string {
    return this.#ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
  }

  /** The text as Flux shows it in lists: with brackets when there is more than one id. */
  toBracketed(): string {
    return this.size > 1 ? `[${this}]` : this.toString()
  }
}
