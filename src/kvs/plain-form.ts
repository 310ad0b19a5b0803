/**
 * The text that Flux writes for a directory, to the byte: members in order, no white space, no escapes, all blobrefs of
 * one algorithm, one blobref in each dirref. A text that passes the check can be read at fixed offsets, without further
 * checks: see {@link PlainDir}. Flux writes names in ascending order; any other order passes too.
 */
import { isUtf8 } from 'node:buffer'
import { DIGEST_BYTES, type HashName } from '../content/index.ts'

export const HEAD = Buffer.from('{"data":{')
export const TAIL = Buffer.from('},"type":"dir","ver":1}')
/** What follows the name of an entry, before its data. */
export const DATA = Buffer.from('":{"data":')
export const VAL_END = Buffer.from('","type":"val","ver":1}')
export const VALREF_END = Buffer.from('],"type":"valref","ver":1}')
export const DIRREF_END = Buffer.from('],"type":"dirref","ver":1}')
export const NAMESPACE = Buffer.from('{"namespace":"')
export const NAMESPACE_END = Buffer.from('","target":"')
export const TARGET = Buffer.from('{"target":"')
export const LINK_END = Buffer.from('"},"type":"symlink","ver":1}')

/** What comes before the digits of a blobref. */
export const REF_START: Readonly<Record<HashName, Buffer>> = {
  sha1: Buffer.from('"sha1-'),
  sha256: Buffer.from('"sha256-'),
}

/** From the start of a blobref to that of the next one in the same entry. */
export function refStride(hash: HashName): number {
  return REF_START[hash].length + 2 * DIGEST_BYTES[hash] + '",'.length
}

export const QUOTE = 0x22
export const COMMA = 0x2c
export const BRACKET = 0x5b
const BACKSLASH = 0x5c

/** The value of each lower-case hex digit; 16 for any other byte. */
const HEX = new Uint8Array(256).fill(16)
for (let digit = 0; digit < 16; digit++) HEX[digit.toString(16).charCodeAt(0)] = digit

/** What the check of a text has found. */
export interface PlainText {
  /** Number of entries. */
  readonly count: number
  readonly isAscii: boolean
  /** True when the names are in strictly ascending order of their bytes. */
  readonly isSorted: boolean
}

/** Check the text of a directory. @returns undefined when it is not in Flux's form */
export function checkPlainForm(bytes: Uint8Array, hash: HashName): PlainText | undefined {
  return new Check(bytes, hash).run()
}

/** Each step checks what begins at an offset. It returns the offset after it, or -1. */
class Check {
  readonly #bytes: Uint8Array
  readonly #refStart: Uint8Array
  readonly #digits: number
  /** Where the entries end. */
  readonly #end: number
  /** All bytes of strings, or-ed. */
  #union = 0
  #nameStart = 0
  #nameEnd = 0
  #isSorted = true

  constructor(bytes: Uint8Array, hash: HashName) {
    this.#bytes = bytes
    this.#refStart = REF_START[hash]
    this.#digits = DIGEST_BYTES[hash] * 2
    this.#end = bytes.length - TAIL.length
  }

  run(): PlainText | undefined {
    const bytes = this.#bytes
    const end = this.#end
    if (end < HEAD.length || !holds(bytes, 0, HEAD) || !holds(bytes, end, TAIL)) return undefined
    let count = 0
    for (let at = HEAD.length; at < end; at++) {
      at = this.#entry(at, count === 0)
      if (at < 0 || at > end) return undefined
      count++
      if (at === end) break
      if (bytes[at] !== COMMA || at + 1 === end) return undefined
    }
    const isAscii = this.#union < 0x80
    return isAscii || isUtf8(bytes) ? { count, isAscii, isSorted: this.#isSorted } : undefined
  }

  #entry(start: number, isFirst: boolean): number {
    const bytes = this.#bytes
    if (bytes[start] !== QUOTE) return -1
    const nameStart = start + 1
    const nameEnd = this.#string(nameStart)
    if (nameEnd < 0 || !holds(bytes, nameEnd, DATA)) return -1
    if (!isFirst && compareNames(bytes, this.#nameStart, this.#nameEnd, nameStart, nameEnd) >= 0) this.#isSorted = false
    this.#nameStart = nameStart
    this.#nameEnd = nameEnd
    const at = nameEnd + DATA.length
    switch (bytes[at]) {
      case BRACKET:
        return this.#refs(at + 1)
      case QUOTE:
        return this.#after(this.#string(at + 1), VAL_END)
      default:
        return this.#link(at)
    }
  }

  #refs(start: number): number {
    const bytes = this.#bytes
    const digits = this.#digits
    let at = start
    let refs = 0
    while (true) {
      at = this.#after(at, this.#refStart)
      if (at < 0 || at + digits >= this.#end) return -1
      let union = 0
      for (const stop = at + digits; at < stop; at++) union |= HEX[bytes[at] as number] as number
      if (union > 15 || bytes[at] !== QUOTE) return -1
      refs++
      at++
      if (bytes[at] !== COMMA) break
      at++
    }
    // A dirref with more blobrefs is an error.
    if (holds(bytes, at, VALREF_END) || (refs === 1 && holds(bytes, at, DIRREF_END))) return at + VALREF_END.length
    return -1
  }

  #link(start: number): number {
    let at = start
    if (holds(this.#bytes, at, NAMESPACE)) at = this.#after(this.#string(at + NAMESPACE.length), NAMESPACE_END)
    else at = this.#after(at, TARGET)
    return at < 0 ? -1 : this.#after(this.#string(at), LINK_END)
  }

  /** The bytes of a string without escapes. @returns the offset of the quote that ends it */
  #string(start: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let union = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if (byte === QUOTE) {
        this.#union |= union
        return at
      }
      if (byte < 0x20 || byte === BACKSLASH) return -1
      union |= byte
    }
    return -1
  }

  #after(at: number, text: Uint8Array): number {
    return at >= 0 && holds(this.#bytes, at, text) ? at + text.length : -1
  }
}

/** True when `text` is at `at`. */
function holds(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at + text.length > bytes.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

/** Negative when the name from `a` comes before the one from `b`, in the order of bytes; 0 when they are equal. */
export function compareNames(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b)
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
    if (difference !== 0) return difference
  }
  return aEnd - a - (bEnd - b)
}
