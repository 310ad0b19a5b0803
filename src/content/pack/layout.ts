/**
 * A pack: blobs one after another, then the digests of all blobs, then where each is, then the size of each, then the
 * trailer. A blob is in the pack or in an archive. The pack is for this host alone, so numbers are in its byte order.
 */
import { DIGEST_BYTES, type HashName } from '../blobref.ts'

export const MAGIC = 'flux-ts pack 2\0\0'

/**
 * Offsets in the trailer: the magic, the name of the algorithm, the number of blobs, how many of them are in the
 * archive, and a checksum of the tables.
 */
export const TRAILER = { hash: 16, blobs: 24, inArchive: 32, crc: 40 } as const
export const TRAILER_BYTES = 48

/** Bytes in the two tables for each blob: its place, a double, and its size. */
export const PLACE_BYTES = Float64Array.BYTES_PER_ELEMENT
export const SIZE_BYTES = Uint32Array.BYTES_PER_ELEMENT

/** The place of a blob that lies in the archive. That of a blob in the pack is its offset. */
export function placeInArchive(offset: number): number {
  return -1 - offset
}

/** Finds digests in a table of them, without an object for each. */
export class DigestTable {
  readonly #width: number
  /** In each slot a place in the table, and one more; 0 for an empty slot. Linear probing. */
  #slots = new Int32Array(1 << 12)
  bytes: Buffer
  count: number

  /** @param bytes - a table of `count` digests */
  constructor(hash: HashName, bytes: Buffer = Buffer.alloc(0), count = 0) {
    this.#width = DIGEST_BYTES[hash]
    this.bytes = bytes
    this.count = count
    if (count > 0) this.#resize()
  }

  /** The place of a digest; -1 when it is not in the table. @param from - its offset in `digests` */
  find(digests: Buffer, from: number): number {
    return (this.#slots[this.#slotOf(digests, from)] as number) - 1
  }

  /** Add a digest. @returns false when it is in the table already */
  add(digest: Buffer): boolean {
    const slot = this.#slotOf(digest, 0)
    if (this.#slots[slot] !== 0) return false
    const at = this.count * this.#width
    if (at === this.bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(2 * at, this.#width << 12))
      this.bytes.copy(bytes)
      this.bytes = bytes
    }
    this.bytes.set(digest, at)
    this.#slots[slot] = ++this.count
    if (2 * this.count > this.#slots.length) this.#resize()
    return true
  }

  #slotOf(digests: Buffer, from: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = digests.readUInt32LE(from) & mask; ; slot = (slot + 1) & mask) {
      const place = (slots[slot] as number) - 1
      if (place < 0) return slot
      const at = place * this.#width
      if (digests.compare(this.bytes, at, at + this.#width, from, from + this.#width) === 0) return slot
    }
  }

  #resize(): void {
    let size = this.#slots.length
    while (size < 4 * this.count) size *= 2
    const slots = new Int32Array(size)
    for (let place = 0; place < this.count; place++) {
      let slot = this.bytes.readUInt32LE(place * this.#width) & (size - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (size - 1)
      slots[slot] = place + 1
    }
    this.#slots = slots
  }
}
