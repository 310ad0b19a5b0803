import { DIGEST_BYTES, type HashName } from '../../content/index.ts'

/** The byte of two hex digits, by their character codes in big-endian order; -1 for anything else. */
const BYTE = new Int16Array(1 << 16).fill(-1)
for (let byte = 0; byte < 256; byte++) BYTE[Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16BE()] = byte

/** Initial number of slots. At most two thirds of them are used. */
const SLOTS = 1 << 12

/**
 * The blobs of a store, numbered from 0 in the order in which they are added: 32 to 40 bytes for each with SHA-1. Blobs
 * are looked up by the text of their blobrefs in a buffer, so that no string is made for a reference.
 */
export class DigestTable {
  /** The characters of a blobref. */
  readonly blobrefBytes: number
  readonly #hash: HashName
  readonly #prefix: Buffer
  /** 32-bit words of a digest. */
  readonly #width: number
  readonly #wanted: Uint32Array
  readonly #text: Buffer
  #words: Uint32Array
  /** Ordinal plus 1 of the digest in a slot; 0 for an empty slot. */
  #slots = new Uint32Array(SLOTS)
  #size = 0

  constructor(hash: HashName) {
    this.#hash = hash
    this.#prefix = Buffer.from(`${hash}-`)
    this.#width = DIGEST_BYTES[hash] / 4
    this.blobrefBytes = this.#prefix.length + 2 * DIGEST_BYTES[hash]
    this.#wanted = new Uint32Array(this.#width)
    this.#text = Buffer.alloc(this.blobrefBytes)
    this.#words = new Uint32Array(SLOTS * this.#width)
  }

  /** Number of blobs. */
  get size(): number {
    return this.#size
  }

  /** Add a blob. One that is there already is not added again. @param blobref - of the algorithm of the table */
  add(blobref: string): void {
    this.#text.write(blobref, 'latin1')
    if (this.find(this.#text, 0) !== -1) return
    const at = this.#size * this.#width
    if (at + this.#width > this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2)
      words.set(this.#words)
      this.#words = words
    }
    this.#words.set(this.#wanted, at)
    this.#size++
    if (this.#size * 3 > this.#slots.length * 2) this.#grow()
    else this.#insert(this.#size - 1)
  }

  /**
   * The ordinal of a blob.
   *
   * @param text - holds the blobref at `at`, in Latin-1
   * @returns -1 when the table does not have the blob; -2 when the text is not a blobref of the algorithm of the table
   */
  find(text: Uint8Array, at: number): number {
    const prefix = this.#prefix
    const wanted = this.#wanted
    if (at + this.blobrefBytes > text.length) return -2
    for (let i = 0; i < prefix.length; i++) if (text[at + i] !== prefix[i]) return -2
    let from = at + prefix.length
    let any = 0
    for (let word = 0; word < wanted.length; word++) {
      const first = byteAt(text, from)
      const second = byteAt(text, from + 2)
      const third = byteAt(text, from + 4)
      const fourth = byteAt(text, from + 6)
      any |= first | second | third | fourth
      wanted[word] = (first << 24) | (second << 16) | (third << 8) | fourth
      from += 8
    }
    if (any < 0) return -2
    const words = this.#words
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (wanted[0] as number) & mask; ; slot = (slot + 1) & mask) {
      const ordinal = (slots[slot] as number) - 1
      if (ordinal < 0) return -1
      const base = ordinal * wanted.length
      let word = 0
      while (word < wanted.length && words[base + word] === wanted[word]) word++
      if (word === wanted.length) return ordinal
    }
  }

  /** The ordinal of a blobref, or -1. */
  ordinalOf(blobref: string): number {
    if (blobref.length !== this.blobrefBytes) return -1
    this.#text.write(blobref, 'latin1')
    return Math.max(this.find(this.#text, 0), -1)
  }

  /** The blobref of an ordinal. */
  blobrefOf(ordinal: number): string {
    let hex = ''
    for (let i = 0; i < this.#width; i++) {
      hex += (this.#words[ordinal * this.#width + i] as number).toString(16).padStart(8, '0')
    }
    return `${this.#hash}-${hex}`
  }

  #insert(ordinal: number): void {
    const mask = this.#slots.length - 1
    let slot = (this.#words[ordinal * this.#width] as number) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = ordinal + 1
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2)
    for (let ordinal = 0; ordinal < this.#size; ordinal++) this.#insert(ordinal)
  }
}

function byteAt(text: Uint8Array, at: number): number {
  return BYTE[((text[at] as number) << 8) | (text[at + 1] as number)] as number
}
