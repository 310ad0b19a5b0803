/**
 * System use entries (SUSP), by which extensions add data to a directory record. A record has at most 254 bytes.
 * Entries that do not fit go to a continuation area after the directory, and a CE entry points to it (SUSP 5.1).
 */
import { putBoth32 } from './fields.ts'
import { CE, CE_BYTES, ENTRY_HEADER_BYTES, SECTOR } from './layout.ts'

/** Most bytes of an entry: its length is one byte. */
export const MAX_ENTRY_BYTES = 255

/** The continuation areas of one directory, in the sectors that follow its records. */
export class ContinuationArea {
  bytes: Buffer = Buffer.alloc(SECTOR)
  used = 0
  /** Position of its first sector in the image. */
  sector = 0

  reset(sector: number): void {
    this.bytes.fill(0, 0, this.used)
    this.used = 0
    this.sector = sector
  }

  /** Bytes left in the current sector. An area must not cross a sector border; readers refuse one that does. */
  get left(): number {
    return SECTOR - (this.used % SECTOR)
  }

  /** Begin a new sector. */
  turn(): void {
    if (this.used % SECTOR > 0) this.used += this.left
  }

  /** Reserve `bytes` bytes. @returns their offset */
  take(bytes: number): number {
    const at = this.used
    this.used += bytes
    if (this.used > this.bytes.length) {
      const grown = Buffer.alloc(Math.ceil(Math.max(this.used, 2 * this.bytes.length) / SECTOR) * SECTOR)
      this.bytes.copy(grown)
      this.bytes = grown
    }
    return at
  }
}

/** Collects the entries of one directory record. */
export class SystemUse {
  #bytes = Buffer.allocUnsafeSlow(4096)
  #used = 0
  /** End offset of each entry. */
  #ends: number[] = []

  reset(): void {
    this.#used = 0
    this.#ends.length = 0
  }

  /** Begin an entry with `length` bytes of data. @returns the buffer; write the data from {@link at} on */
  entry(signature: string, length: number): Buffer {
    const total = ENTRY_HEADER_BYTES + length
    if (this.#used + total > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(this.#bytes.length * 2)
      this.#bytes.copy(grown, 0, 0, this.#used)
      this.#bytes = grown
    }
    const at = this.#used
    this.#bytes[at] = signature.charCodeAt(0)
    this.#bytes[at + 1] = signature.charCodeAt(1)
    this.#bytes[at + 2] = total
    this.#bytes[at + 3] = 1
    this.#used = at + total
    this.#ends.push(this.#used)
    return this.#bytes
  }

  /** Offset of the last entry's data, which have `length` bytes. */
  at(length: number): number {
    return this.#used - length
  }

  /** Add a complete entry. */
  add(entry: Uint8Array): void {
    this.entry('  ', entry.length - ENTRY_HEADER_BYTES).set(entry, this.#used - entry.length)
  }

  /**
   * Write the entries after the identifier of a record, as many as fit, and the others into `area`.
   *
   * @returns number of bytes written to the record
   */
  place(record: Buffer, at: number, room: number, area: ContinuationArea): number {
    if (this.#used <= room) {
      this.#bytes.copy(record, at, 0, this.#used)
      return this.#used
    }
    let placed = this.#fitting(0, room - CE_BYTES)
    this.#bytes.copy(record, at, 0, placed)
    const used = placed + CE_BYTES
    let pointer = record
    let pointerAt = at + placed
    while (placed < this.#used) {
      const rest = this.#used - placed
      if (rest > area.left) area.turn()
      const end = rest <= SECTOR ? this.#used : this.#fitting(placed, SECTOR - CE_BYTES)
      const length = end - placed + (end < this.#used ? CE_BYTES : 0)
      const to = area.take(length)
      // The area may just have replaced its buffer by a larger one.
      if (pointer !== record) pointer = area.bytes
      putContinuation(pointer, pointerAt, area.sector + Math.floor(to / SECTOR), to % SECTOR, length)
      this.#bytes.copy(area.bytes, to, placed, end)
      pointer = area.bytes
      pointerAt = to + end - placed
      placed = end
    }
    return used
  }

  /** End offset of the last entry that fits into `room` bytes after `from`. */
  #fitting(from: number, room: number): number {
    let fitting = from
    for (const end of this.#ends) if (end > from && end - from <= room) fitting = end
    return fitting
  }
}

function putContinuation(to: Buffer, at: number, sector: number, offset: number, length: number): void {
  to.write('CE', at, 'latin1')
  to[at + 2] = CE_BYTES
  to[at + 3] = 1
  putBoth32(to, at + CE.sector, sector)
  putBoth32(to, at + CE.offset, offset)
  putBoth32(to, at + CE.length, length)
}
