import { blobrefHash, blobrefHex, DIGEST_BYTES, type HashName } from './blobref.ts'

/** The value of each hex digit, by its character code. */
const DIGIT = new Uint8Array(256)
for (let digit = 0; digit < 16; digit++) DIGIT[digit.toString(16).charCodeAt(0)] = digit

/** Blobs to load together, by their digests. */
export class BlobRequest {
  readonly hash: HashName
  /** The digests, one after another. */
  readonly digests: Uint8Array
  count = 0
  readonly #width: number
  /** Blobrefs of another algorithm, by their place. */
  #foreign: Map<number, string> | undefined

  /**
   * @param hash - the algorithm of the store's blobrefs
   * @param most - how many blobs it can hold
   */
  constructor(hash: HashName, most: number) {
    this.hash = hash
    this.#width = DIGEST_BYTES[hash]
    this.digests = new Uint8Array(most * this.#width)
  }

  /** Add a blob. @param blobref - valid, of any algorithm */
  add(blobref: string): void {
    if (blobrefHash(blobref) === this.hash) {
      this.addHex(Buffer.from(blobrefHex(blobref), 'latin1'), 0)
      return
    }
    // No blob has a digest of zeros.
    this.#foreign ??= new Map()
    this.#foreign.set(this.count++, blobref)
  }

  /** Add a blob of the store's algorithm. @param at - where the lower-case hex digits of its digest are */
  addHex(bytes: Uint8Array, at: number): void {
    const { digests } = this
    const end = ++this.count * this.#width
    for (let to = end - this.#width, from = at; to < end; to++, from += 2) {
      digests[to] = ((DIGIT[bytes[from] as number] as number) << 4) | (DIGIT[bytes[from + 1] as number] as number)
    }
  }

  /** The blobref at a place. */
  blobref(place: number): string {
    const foreign = this.#foreign?.get(place)
    if (foreign !== undefined) return foreign
    const digest = this.digests.subarray(place * this.#width, (place + 1) * this.#width)
    return `${this.hash}-${Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('hex')}`
  }

  /** All blobrefs, in order. */
  blobrefs(): string[] {
    return Array.from({ length: this.count }, (_, place) => this.blobref(place))
  }
}
