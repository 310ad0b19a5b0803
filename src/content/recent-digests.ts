import { DIGEST_BYTES, type HashName } from './blobref.ts'

/** Bits of a digest that choose its place. There are as many places as these bits can say. */
const PLACE_BITS = 17

/**
 * Remembers digests of blobs that were stored or queued lately, so that they are not stored again. For example, jobs
 * submitted together share a jobspec. A digest is forgotten when another takes its place. It takes 2.6 MB for sha1, 4 MB
 * for sha256, and makes no object for a digest.
 */
export class RecentDigests {
  readonly #words: number
  readonly #table: Int32Array

  constructor(hash: HashName) {
    this.#words = DIGEST_BYTES[hash] / Int32Array.BYTES_PER_ELEMENT
    this.#table = new Int32Array(this.#words << PLACE_BITS)
  }

  /**
   * True for a digest that is not remembered; it is remembered from now on.
   *
   * @param digests - digests of the same algorithm, one after another
   * @param index - which of them
   */
  isNew(digests: Int32Array, index: number): boolean {
    const table = this.#table
    const words = this.#words
    const from = index * words
    // Digests are evenly distributed, so any of their bits will do.
    const place = ((digests[from] as number) >>> (32 - PLACE_BITS)) * words
    let differs = 0
    for (let i = 0; i < words; i++) {
      const word = digests[from + i] as number
      differs |= (table[place + i] as number) ^ word
      table[place + i] = word
    }
    return differs !== 0
  }
}
