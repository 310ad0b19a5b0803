import { grown, release } from '../bytes/index.ts'

/** Initial number of slots. At least a third of them is always free. */
const SLOTS = 1 << 10

/** Numbers digests in the order in which they are added: 24 to 56 bytes for each, without an object. */
export class DigestMap {
  readonly #width: number
  #digests: Uint8Array
  /** The number of the digest plus 1, or 0. */
  #slots = new Uint32Array(SLOTS)
  #size = 0

  /** @param width - bytes of a digest */
  constructor(width: number) {
    this.#width = width
    this.#digests = new Uint8Array(width * (SLOTS >> 1))
  }

  /** Number of digests. Their numbers are 0 to `size` - 1. */
  get size(): number {
    return this.#size
  }

  /** The number of the digest at `at` in `digests`; undefined when it was not added. */
  find(digests: Uint8Array, at = 0): number | undefined {
    const found = this.#slots[this.#slotOf(digests, at)] as number
    return found === 0 ? undefined : found - 1
  }

  /** Add a digest, unless it is there. @returns its number: a new one has the {@link size} before the call */
  add(digests: Uint8Array, at = 0): number {
    const slot = this.#slotOf(digests, at)
    const found = this.#slots[slot] as number
    if (found !== 0) return found - 1
    const width = this.#width
    const end = (this.#size + 1) * width
    this.#digests = grown(this.#digests, end)
    for (let to = end - width, from = at; to < end; to++, from++) this.#digests[to] = digests[from] as number
    this.#slots[slot] = ++this.#size
    if (this.#size * 3 > this.#slots.length * 2) this.#grow()
    return this.#size - 1
  }

  /**
   * All digests, one after another, in the order of their numbers, in pieces.
   *
   * @param most - digests in a piece
   * @yields copies
   */
  *digests(most: number): Generator<Uint8Array, void, void> {
    for (let from = 0; from < this.#size; from += most) {
      const to = Math.min(this.#size, from + most)
      yield this.#digests.slice(from * this.#width, to * this.#width)
    }
  }

  /** Release the memory at once. The map is of no more use. */
  release(): void {
    release(this.#digests)
    release(this.#slots)
  }

  /** The slot of a digest, or the free slot where it belongs. */
  #slotOf(digests: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1
    let slot = startOf(digests, at) & mask
    while (true) {
      const found = this.#slots[slot] as number
      if (found === 0 || this.#isAt(found - 1, digests, at)) return slot
      slot = (slot + 1) & mask
    }
  }

  #isAt(number: number, digests: Uint8Array, at: number): boolean {
    const from = number * this.#width
    for (let i = 0; i < this.#width; i++) if (this.#digests[from + i] !== digests[at + i]) return false
    return true
  }

  #grow(): void {
    const { length } = this.#slots
    release(this.#slots)
    this.#slots = new Uint32Array(length * 2)
    const mask = this.#slots.length - 1
    for (let number = 0; number < this.#size; number++) {
      let slot = startOf(this.#digests, number * this.#width) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = number + 1
    }
  }
}

/** Where to begin to look for a digest. Digests are spread evenly. */
function startOf(digests: Uint8Array, at: number): number {
  return (
    (digests[at] as number) |
    ((digests[at + 1] as number) << 8) |
    ((digests[at + 2] as number) << 16) |
    ((digests[at + 3] as number) << 24)
  )
}
