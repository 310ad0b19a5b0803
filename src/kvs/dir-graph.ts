/**
 * The directories below some roots as a graph: each directory once, however many keys lead to it, with its children.
 * Sums over all that a directory contains are computed on the graph, one step for each directory. A walk by keys could
 * take exponential time, because each level may refer to the next one twice.
 */

import { grown, release } from '../bytes/index.ts'
import { blobrefHex, DIGEST_BYTES, type HashName } from '../content/index.ts'
import { DigestMap } from './digest-map.ts'

/** Sums stop here: larger numbers are not exact. */
const MOST = Number.MAX_SAFE_INTEGER

export class DirGraph {
  readonly #known: Partial<Record<HashName, Known>> = {}
  readonly #columns: number
  #size = 0
  /** `columns` numbers for each directory. */
  #own = new Float64Array(1 << 12)
  /** For each directory: where its children begin in `edges`, and how many there are. */
  #first = new Float64Array(1 << 10)
  #count = new Uint32Array(1 << 10)
  #edges = new Uint32Array(1 << 10)
  #used = 0

  /** @param columns - how many numbers to keep for each directory */
  constructor(columns: number) {
    this.#columns = columns
  }

  /** Number of directories. Their ordinals are 0 to `size` - 1. */
  get size(): number {
    return this.#size
  }

  /** The ordinal of the directory in a blob. A new one is added; its ordinal is the {@link size} before the call. */
  ordinalOf(blobref: string): number {
    return this.ordinalOfDigest(digestOf(blobref))
  }

  /** The same as {@link ordinalOf}, for the digest of a blobref. */
  ordinalOfDigest(digest: Uint8Array): number {
    const { numbers, ordinals } = this.#knownOf(digest)
    const { size } = numbers
    const number = numbers.add(digest)
    if (number !== size) return ordinals.at[number] as number
    ordinals.at = grown(ordinals.at, size + 1)
    ordinals.at[number] = this.add()
    return this.#size - 1
  }

  /** The ordinal of the directory in a blob; undefined when the graph does not have it. */
  find(blobref: string): number | undefined {
    const digest = digestOf(blobref)
    const { numbers, ordinals } = this.#knownOf(digest)
    const number = numbers.find(digest)
    return number === undefined ? undefined : ordinals.at[number]
  }

  /**
   * The digests of all directories whose blobrefs have an algorithm, one after another.
   *
   * @param most - digests in a piece
   * @yields copies
   */
  *digests(hash: HashName, most: number): Generator<Uint8Array, void, void> {
    yield* this.#known[hash]?.numbers.digests(most) ?? []
  }

  /** Release the memory at once. The graph is of no more use. */
  release(): void {
    for (const { numbers, ordinals } of Object.values(this.#known)) {
      numbers.release()
      release(ordinals.at)
    }
    this.releaseNumbers()
  }

  /** Release the numbers of the directories themselves, when their totals are known. */
  releaseNumbers(): void {
    for (const numbers of [this.#own, this.#first, this.#count, this.#edges]) release(numbers)
    this.#own = new Float64Array(0)
    this.#first = new Float64Array(0)
    this.#count = new Uint32Array(0)
    this.#edges = new Uint32Array(0)
  }

  #knownOf({ length }: Uint8Array): Known {
    const hash = length === DIGEST_BYTES.sha1 ? 'sha1' : 'sha256'
    this.#known[hash] ??= { numbers: new DigestMap(length), ordinals: { at: new Uint32Array(1 << 10) } }
    return this.#known[hash]
  }

  /** Add an inline directory, which has no blob. @returns its ordinal */
  add(): number {
    const ordinal = this.#size++
    this.#own = grown(this.#own, this.#size * this.#columns)
    this.#first = grown(this.#first, this.#size)
    this.#count = grown(this.#count, this.#size)
    return ordinal
  }

  /** Add an amount to one number of a directory. */
  count(ordinal: number, column: number, amount: number): void {
    const at = ordinal * this.#columns + column
    this.#own[at] = (this.#own[at] as number) + amount
  }

  /**
   * Add a child to a directory. Call it once for each reference, and add all children of one directory before those of
   * another.
   */
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
   * A directory and all directories below it, children before their parents.
   *
   * @returns `loops`: the directories that contain themselves, which only an unverified store can hold
   */
  order(root: number): { order: Uint32Array; loops: Set<number> } {
    const order = new Uint32Array(this.#size)
    const loops = new Set<number>()
    let done = 0
    const OPEN = 1
    const DONE = 2
    const state = new Uint8Array(this.#size)
    /** How many children of each directory have been visited. */
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
   * For each directory its own numbers plus those of all its children, once for each reference. Sums stop at 2^53 - 1.
   *
   * @param order - from {@link order}. For a directory that contains itself, the inner reference counts 0.
   * @returns `columns` numbers for each ordinal
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

/** The directories whose blobrefs have one algorithm. */
interface Known {
  readonly numbers: DigestMap
  /** The ordinal of each, by its number. */
  readonly ordinals: { at: Uint32Array }
}

function digestOf(blobref: string): Uint8Array {
  return Buffer.from(blobrefHex(blobref), 'hex')
}
