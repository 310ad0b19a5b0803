import { release } from '../../bytes/index.ts'
import type { Bucket, IndexParts } from './index-parts.ts'

/** A place in the row order is the first byte of a digest times this, plus its place in its bucket. */
const BUCKET_BITS = 24
const BUCKET = 1 << BUCKET_BITS

/**
 * Digest to rowid, for every object of a `content.sqlite`, in memory: 24 bytes an object with SHA-1, and 4 more once
 * objects are asked for in the order of their rows.
 *
 * A look-up goes to the digests with the same first two bytes, guesses the
 * place among them (digests are spread evenly), and takes a few steps. Asking SQLite for each digest instead costs five
 * times as much as all the rest of a dump.
 */
export class ObjectIndex {
  /** Number of objects. */
  readonly size: number
  /** See {@link IndexParts}. */
  readonly lost: number
  /** See {@link IndexParts}. */
  readonly isDamaged: boolean
  readonly #buckets: readonly Bucket[]
  readonly #digestBytes: number
  /** For each first two bytes, where their digests begin in the bucket. */
  readonly #starts: Uint32Array
  #order: Uint32Array | undefined
  /** The first rowid, when the rowids follow each other without a gap. */
  #firstOfRun: number | undefined

  /** @param parts - read by {@link readIndex}, perhaps in another thread */
  constructor({ buckets, starts, size, lost, isDamaged }: IndexParts, digestBytes: number) {
    this.#buckets = buckets
    this.#starts = starts
    this.size = size
    this.lost = lost
    this.isDamaged = isDamaged
    this.#digestBytes = digestBytes
  }

  /** What an index of the same objects in another thread is made of. The memory is shared. */
  get parts(): IndexParts {
    const { size, lost, isDamaged } = this
    return { buckets: this.#buckets, starts: this.#starts, size, lost, isDamaged }
  }

  /**
   * True for rows as Flux numbers them: from 1 on, below 2^32, and not far apart. Only an edited or damaged database has
   * others.
   */
  get isDense(): boolean {
    const isNarrow = this.#buckets.every(({ rowids }) => rowids instanceof Uint32Array)
    return isNarrow && this.lost === 0 && this.lastRowid <= this.size * 32 + (1 << 20)
  }

  /** The largest rowid; 0 when there is none. */
  get lastRowid(): number {
    let last = 0
    for (const { rowids } of this.#buckets) for (const rowid of rowids) last = Math.max(last, rowid)
    return last
  }

  /** The rows of some objects, in their order. */
  rowids(from: number, count: number): Float64Array {
    const order = this.#rowOrder().subarray(from, from + count)
    const rowids = new Float64Array(order.length)
    const first = this.#firstOfRun
    for (let i = 0; i < order.length; i++) {
      rowids[i] = first === undefined ? this.#rowidAt(order[i] as number) : first + from + i
    }
    return rowids
  }

  /** The digests of some objects, in the order of their rows, one after another. */
  digests(from: number, count: number): Uint8Array {
    const width = this.#digestBytes >> 2
    const order = this.#rowOrder().subarray(from, from + count)
    const words = new Uint32Array(order.length * width)
    for (let i = 0, to = 0; i < order.length; i++) {
      const packed = order[i] as number
      const bucket = (this.#buckets[packed >>> BUCKET_BITS] as Bucket).words
      const at = (packed & (BUCKET - 1)) * width
      for (let word = at; word < at + width; word++) words[to++] = bucket[word] as number
    }
    return new Uint8Array(words.buffer)
  }

  /** The objects in the order of their rows, each as its first byte times {@link BUCKET} plus its place in the bucket. */
  #rowOrder(): Uint32Array {
    this.#order ??= this.#orderDense() ?? this.#orderSorted()
    return this.#order
  }

  /** For rows as Flux numbers them: from 1 on, with few gaps or none. */
  #orderDense(): Uint32Array | undefined {
    if (this.#buckets.some(({ rowids }) => rowids instanceof Float64Array)) return undefined
    const last = this.lastRowid
    if (last > this.size * 2) return undefined
    /** By rowid, its place in the row order plus 1. */
    const placed = new Uint32Array(last + 1)
    for (const [first, { rowids }] of this.#buckets.entries()) {
      for (let place = 0; place < rowids.length; place++) {
        const rowid = rowids[place] as number
        // Only a damaged index has a row twice.
        if (placed[rowid] !== 0) return undefined
        placed[rowid] = first * BUCKET + place + 1
      }
    }
    if (last + 1 - placed.findIndex((place) => place !== 0) === this.size) {
      this.#firstOfRun = last + 1 - this.size
      for (let rowid = this.#firstOfRun; rowid <= last; rowid++) placed[rowid] = (placed[rowid] as number) - 1
      return placed.subarray(this.#firstOfRun)
    }
    const order = new Uint32Array(this.size)
    let next = 0
    for (let rowid = 0; rowid <= last; rowid++) if (placed[rowid] !== 0) order[next++] = (placed[rowid] as number) - 1
    release(placed)
    return order
  }

  #orderSorted(): Uint32Array {
    const order = new Uint32Array(this.size)
    let next = 0
    for (const [first, { rowids }] of this.#buckets.entries()) {
      for (let place = 0; place < rowids.length; place++) order[next++] = first * BUCKET + place
    }
    return order.sort((a, b) => this.#rowidAt(a) - this.#rowidAt(b) || a - b)
  }

  #rowidAt(packed: number): number {
    return (this.#buckets[packed >>> BUCKET_BITS] as Bucket).rowids[packed & (BUCKET - 1)] as number
  }

  /** The row of the digest at `at` in `digests`, or -1. */
  find(digests: Uint8Array, at: number): number {
    const [first, second] = [digests[at] as number, digests[at + 1] as number]
    const bucket = this.#buckets[first] as Bucket
    let low = this.#starts[(first << 8) | second] as number
    let high = (second === 255 ? bucket.rowids.length : (this.#starts[(first << 8) | (second + 1)] as number)) - 1
    // The first guess is by the next two bytes; after that the rest is halved.
    const key = ((digests[at + 2] as number) << 8) | (digests[at + 3] as number)
    let probe = low + (((high - low + 1) * key) >>> 16)
    // Within a few steps of the guess nearly always: then halve what is left.
    for (let step = 1; low <= high; step *= 2) {
      const order = this.#compare(bucket, probe, digests, at)
      if (order === 0) return bucket.rowids[probe] as number
      if (order < 0) {
        low = probe + 1
        probe = step <= 4 ? Math.min(probe + step, high) : (low + high) >>> 1
      } else {
        high = probe - 1
        probe = step <= 4 ? Math.max(probe - step, low) : (low + high) >>> 1
      }
    }
    return -1
  }

  /** Negative when the digest at `place` comes before the wanted one, 0 when they are equal. */
  #compare({ digests }: Bucket, place: number, wanted: Uint8Array, at: number): number {
    const width = this.#digestBytes
    const from = place * width
    for (let i = 2; i < width; i++) {
      const difference = (digests[from + i] as number) - (wanted[at + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }
}
