/**
 * System use entries (SUSP): what extensions add to a directory record. A record has at most 254 bytes in all; entries that
 * find no room in it go to a continuation area behind the directory, which a CE entry points to (SUSP 5.1).
 */
import { putBoth32 } from './fields.ts'
import { CE, CE_BYTES, ENTRY_HEADER_BYTES, SECTOR } from './layout.ts'

/** The length of an entry is one byte. */
export const MAX_ENTRY_BYTES = 255

/** The continuation areas of one directory, in the sectors that follow its records. */
export class ContinuationArea {
  bytes: Buffer = Buffer.alloc(SECTOR)
  used = 0
  /** Where the first of the sectors is in the image. */
  sector = 0

  reset(sector: number): void {
    this.bytes.fill(0, 0, this.used)
    this.used = 0
    this.sector = sector
  }

  /** Bytes left in the sector that was begun: an area may not go beyond it, and readers refuse those that do. */
  get left(): number {
    return SECTOR - (this.used % SECTOR)
  }

  /** Begin another sector. */
  turn(): void {
    if (this.used % SECTOR > 0) this.used += this.left
  }

  /** Room for some bytes. @returns where they go */
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

/** The entries of one directory record, as they come together. */
export class SystemUse {
  #bytes = Buffer.allocUnsafeSlow(4096)
  #used = 0
  /** Where each entry ends. */
  #ends: number[] = []

  reset(): void {
    this.#used = 0
    this.#ends.length = 0
  }

  /** Begin an entry whose data have `length` bytes. @returns the buffer, to write them from {@link at} on */
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

  /** Where the data of the last entry of `length` bytes begin. */
  at(length: number): number {
    return this.#used - length
  }

  /** Add an entry as it is. */
  add(entry: Uint8Array): void {
    this.entry('  ', entry.length - ENTRY_HEADER_BYTES).set(entry, this.#used - entry.length)
  }

  /**
   * Put the entries behind the identifier of a record, as many as there is room for, and the others into `area`.
   *
   * @returns number of bytes in the record
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
      // The buffer of the area may have been replaced by a larger one just now.
      if (pointer !== record) pointer = area.bytes
      putContinuation(pointer, pointerAt, area.sector + Math.floor(to / SECTOR), to % SECTOR, length)
      this.#bytes.copy(area.bytes, to, placed, end)
      pointer = area.bytes
      pointerAt = to + end - placed
      placed = end
    }
    return used
  }

  /** Where the last entry ends that lies wholly within `room` bytes after `from`. */
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
