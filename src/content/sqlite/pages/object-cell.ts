import { INTEGER_BYTES, integerAt, localBytes, PAGE_NUMBER_BYTES, SERIAL } from './layout.ts'

/** The most bytes of header that follow the type of `object`: the types of `epoch`, and of columns yet to be invented. */
export const MORE_COLUMNS = 3

/** LZ4 compresses at most 255 to 1. */
const LZ4_RATIO = 255

/** The largest blob. @see content_sqlite_load in flux-core `src/modules/content-sqlite/content-sqlite.c` */
const BLOB_BYTES = 2 ** 32

/**
 * A row of the table `objects`, as it lies in a page: `hash`, `size`, `object`, and in newer stores `epoch`. One object,
 * filled again for each row.
 *
 * A record begins with its header: the number of bytes of the header, and a serial type for each column. Then come the
 * columns. A row is found by the type of its `hash`, and everything is counted from the next byte, the type of `size`: the
 * bytes before may be lost.
 */
export class ObjectCell {
  /** Where the type of `object` ends. */
  typesEnd = 0
  /** Where the record begins. */
  record = 0
  /** Bytes of the record. */
  payload = 0
  /** Where the part of the record ends that lies in this page. */
  localEnd = 0
  /** Where the digest and the stored bytes of the blob begin. */
  digestAt = 0
  storedAt = 0
  /** Stored bytes of the blob. */
  stored = 0
  /** The size to which they expand; -1 for a blob that is not compressed. */
  size = 0
  #sizeType = 0

  /** True when a part of the record lies in overflow pages; the number of the first is at {@link localEnd}. */
  get overflows(): boolean {
    return this.localEnd - this.record < this.payload
  }

  /** Read the types of `size` and `object`. @returns false when Flux would write none such */
  readTypes(bytes: Uint8Array, at: number, end: number): boolean {
    const type = bytes[at] as number
    if (type === SERIAL.NULL || type === SERIAL.FLOAT || type > SERIAL.ONE) return false
    let object = 0
    let next = at + 1
    while (true) {
      const byte = bytes[next++] as number
      object = object * 128 + (byte & 127)
      if (byte < 128) break
      if (next - at > 6) return false
    }
    if (next >= end || (object !== SERIAL.NULL && (object < SERIAL.BLOB || object % 2 !== 0))) return false
    this.#sizeType = type
    this.typesEnd = next
    this.stored = object === SERIAL.NULL ? 0 : (object - SERIAL.BLOB) / 2
    this.record = at - 2
    return true
  }

  /**
   * Read the rest of a row, after {@link readTypes}.
   *
   * @param end - where the usable part of the page ends
   * @param more - bytes of header that follow the type of `object`
   * @param usable - bytes of a page that SQLite uses
   * @returns false when there can be no such row
   */
  readRow(bytes: Uint8Array, end: number, more: number, digestBytes: number, usable: number): boolean {
    const body = this.typesEnd + more
    let later = 0
    for (let at = this.typesEnd; at < body; at++) {
      const type = bytes[at] as number
      if (type > SERIAL.ONE) return false
      later += INTEGER_BYTES[type] as number
    }
    this.digestAt = body
    const sizeAt = body + digestBytes
    this.storedAt = sizeAt + (INTEGER_BYTES[this.#sizeType] as number)
    this.payload = this.storedAt + this.stored + later - this.record
    const local = localBytes(this.payload, usable)
    this.localEnd = this.record + local
    // The digest and the size always lie in the page: the smallest part of a row that does, 39 bytes, is that of pages of 512 bytes.
    if (this.storedAt > this.localEnd) return false
    if (this.localEnd + (local < this.payload ? PAGE_NUMBER_BYTES : 0) > end) return false
    const size = integerAt(bytes, sizeAt, this.#sizeType)
    this.size = size === 0 && this.stored === 0 ? -1 : size
    return size >= -1 && size <= Math.min(BLOB_BYTES, this.stored * LZ4_RATIO)
  }
}
