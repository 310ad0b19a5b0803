/**
 * The directories below some roots, each once however many keys lead to it, and which of them is in which. A question whose
 * answer for a directory is a sum over what is in it needs each directory once: the number of keys may be exponential in
 * the number of directories, as each level may refer to the next one twice.
 */

/** What sums stop at: beyond this, numbers are no longer exact. */
const MOST = Number.MAX_SAFE_INTEGER

export class DirGraph {
  readonly #ordinals = new Map<string, number>()
  readonly #columns: number
  #size = 0
  /** `columns` numbers for each directory. */
  #own = new Float64Array(1 << 12)
  /** For each directory: where its children begin in `edges`, and how many they are. */
  #first = new Float64Array(1 << 10)
  #count = new Uint32Array(1 << 10)
  #edges = new Uint32Array(1 << 10)
  #used = 0

  /** @param columns - how many numbers are kept of each directory */
  constructor(columns: number) {
    this.#columns = columns
  }

  /** Number of directories; each has an ordinal below it. */
  get size(): number {
    return this.#size
  }

  /** The ordinal of a directory that has a blob; one that is not known yet is added, as number {@link size}. */
  ordinalOf(blobref: string): number {
    const known = this.#ordinals.get(blobref)
    if (known !== undefined) return known
    const ordinal = this.add()
    this.#ordinals.set(blobref, ordinal)
    return ordinal
  }

  /** The same without adding one. */
  find(blobref: string): number | undefined {
    return this.#ordinals.get(blobref)
  }

  /** Add a directory that has no blob of its own. @returns its ordinal */
  add(): number {
    const ordinal = this.#size++
    this.#own = grown(this.#own, this.#size * this.#columns)
    this.#first = grown(this.#first, this.#size)
    this.#count = grown(this.#count, this.#size)
    return ordinal
  }

  /** Add to a number of a directory. */
  count(ordinal: number, column: number, amount: number): void {
    const at = ordinal * this.#columns + column
    this.#own[at] = (this.#own[at] as number) + amount
  }

  /** Say that a directory is in one, as often as that one refers to it. All of one directory come in a row. */
  addChild(ordinal: number, child: number): void {
    this.#edges = grown(this.#edges, this.#used + 1)
    if (this.#count[ordinal] === 0) this.#first[ordinal] = this.#used
    this.#count[ordinal] = (this.#count[ordinal] as number) + 1
    this.#edges[this.#used++] = child
  }

  childrenOf(ordinal: number): Uint32Array {
    const first = this.#first[ordinal] as number
    return this.#edges.subarray(first, first + (this.#count[ordinal] as number))
  }

  /**
   * All directories below one and itself, each after those that are in it.
   *
   * @returns in `loops` those that contain themselves, which only an unverified store can hold
   */
  order(root: number): { order: Uint32Array; loops: Set<number> } {
    const order = new Uint32Array(this.#size)
    const loops = new Set<number>()
    let done = 0
    const OPEN = 1
    const DONE = 2
    const state = new Uint8Array(this.#size)
    /** How many children of a directory have been looked at. */
    const next = new Uint32Array(this.#size)
    const open = [root]
    state[root] = OPEN
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      const i = next[at] as number
      if (i === this.#count[at]) {
        state[at] = DONE
        order[done++] = at
        open.pop()
        continue
      }
      next[at] = i + 1
      const child = this.#edges[(this.#first[at] as number) + i] as number
      if (state[child] === OPEN) loops.add(child)
      if (state[child] !== 0) continue
      state[child] = OPEN
      open.push(child)
    }
    return { order: order.subarray(0, done), loops }
  }

  /**
   * The numbers of each directory with those of all that is in it, as often as it is in it, `columns` for each. They stop
   * at 2^53 - 1.
   *
   * @param order - as {@link order} gives it. A directory that contains itself is left out in itself.
   */
  totals(order: Uint32Array): Float64Array {
    const columns = this.#columns
    const totals = new Float64Array(this.#size * columns)
    for (const ordinal of order) {
      const at = ordinal * columns
      for (let i = 0; i < columns; i++) totals[at + i] = this.#own[at + i] as number
      for (const child of this.childrenOf(ordinal)) {
        for (let i = 0; i < columns; i++) {
          totals[at + i] = Math.min((totals[at + i] as number) + (totals[child * columns + i] as number), MOST)
        }
      }
    }
    return totals
  }
}

/** An array with room for `size` numbers at least: itself, or a larger one with the same numbers. */
function grown<A extends Float64Array | Uint32Array>(numbers: A, size: number): A {
  if (size <= numbers.length) return numbers
  const larger = new (numbers.constructor as new (length: number) => A)(Math.max(size, numbers.length * 2))
  larger.set(numbers)
  return larger
}
