/** Reads the bytes of a blob from its row: those in the page, then those in its chain of overflow pages. */
import { createHash, hash as digestHex } from 'node:crypto'
import { lz4DecodeBlock } from '../../../bytes/index.ts'
import type { HashName } from '../../blobref.ts'
import { LargeBlob } from '../large-blobs.ts'
import { PAGE_NUMBER_BYTES } from './layout.ts'
import type { ObjectCell } from './object-cell.ts'
import type { PageFiles } from './page-files.ts'

/** Blobs of more bytes, stored or expanded, are read piece by piece. */
export const WHOLE_BYTES = 4 << 20

/** Bytes of a piece. */
const PIECE_BYTES = 1 << 20

/** Reads blobs, one at a time, with buffers that it uses again. */
export class Payload {
  readonly #files: PageFiles
  readonly #page: Buffer
  /** The stored bytes, from {@link from} on, after {@link gather}. */
  bytes: Uint8Array = new Uint8Array()
  from = 0
  #gathered = Buffer.alloc(0)
  #expanded = Buffer.alloc(0)

  constructor(files: PageFiles) {
    this.#files = files
    this.#page = Buffer.alloc(files.pageBytes)
  }

  /** True when the bytes of a row have the digest that stands in it. @param view - how page numbers are meant */
  isIntact(page: Buffer, cell: ObjectCell, view: number, hash: HashName, digestBytes: number): boolean {
    // Only a chain of pages that comes back to itself has more bytes than the files.
    if (cell.stored > this.#files.bytes) return false
    const wanted = page.toString('hex', cell.digestAt, cell.digestAt + digestBytes)
    if (cell.stored > WHOLE_BYTES || cell.size > WHOLE_BYTES)
      return this.#isStreamIntact(page, cell, view, hash, wanted)
    if (!this.gather(page, cell, view)) return false
    const { bytes, from } = this
    if (cell.size === -1) return digestHex(hash, bytes.subarray(from, from + cell.stored), 'hex') === wanted
    if (this.#expanded.length < cell.size) this.#expanded = Buffer.allocUnsafeSlow(Math.max(cell.size, 1 << 16))
    if (!lz4DecodeBlock(bytes, from, cell.stored, this.#expanded, 0, cell.size)) return false
    return digestHex(hash, this.#expanded.subarray(0, cell.size), 'hex') === wanted
  }

  /** Find the stored bytes of a row, of {@link WHOLE_BYTES} at most. @returns false when its chain is broken */
  gather(page: Buffer, cell: ObjectCell, view: number): boolean {
    if (!cell.overflows) {
      this.bytes = page
      this.from = cell.storedAt
      return true
    }
    if (this.#gathered.length < cell.stored) this.#gathered = Buffer.allocUnsafeSlow(Math.max(cell.stored, 1 << 16))
    let done = page.copy(this.#gathered, 0, cell.storedAt, Math.min(cell.localEnd, cell.storedAt + cell.stored))
    let next = page.readUInt32BE(cell.localEnd)
    while (done < cell.stored) {
      const bytes = this.#overflow(next, view)
      if (bytes === 0) return false
      done += this.#page.copy(
        this.#gathered,
        done,
        PAGE_NUMBER_BYTES,
        PAGE_NUMBER_BYTES + Math.min(bytes, cell.stored - done),
      )
      next = this.#page.readUInt32BE(0)
    }
    this.bytes = this.#gathered
    this.from = 0
    return true
  }

  /** The blob of a row, piece by piece. */
  open(page: Buffer, cell: ObjectCell, view: number): LargeBlob {
    const first = Uint8Array.prototype.slice.call(
      page,
      cell.storedAt,
      Math.min(cell.localEnd, cell.storedAt + cell.stored),
    )
    let next = cell.overflows ? page.readUInt32BE(cell.localEnd) : 0
    const { stored, size } = cell
    const inPage = this.#files.usable - PAGE_NUMBER_BYTES
    const most = Math.floor(PIECE_BYTES / inPage) * inPage
    // Called for the bytes in their order.
    const slice = (from: number): Uint8Array => {
      if (from < first.length) return first
      const piece = new Uint8Array(Math.min(most, stored - from))
      let done = 0
      while (done < piece.length) {
        const bytes = Math.min(this.#overflow(next, view), piece.length - done)
        // A damaged chain ends the blob, which then has not its digest.
        if (bytes === 0) break
        piece.set(this.#page.subarray(PAGE_NUMBER_BYTES, PAGE_NUMBER_BYTES + bytes), done)
        done += bytes
        next = this.#page.readUInt32BE(0)
      }
      return piece.subarray(0, done)
    }
    return new LargeBlob(slice, stored, size)
  }

  #isStreamIntact(page: Buffer, cell: ObjectCell, view: number, hash: HashName, wanted: string): boolean {
    const blob = this.open(page, cell, view)
    const digest = createHash(hash)
    for (let piece = blob.next(); piece; piece = blob.next()) digest.update(piece)
    return blob.isWhole && digest.digest('hex') === wanted
  }

  /** Read an overflow page. @returns bytes of the blob in it; 0 when there is no such page */
  #overflow(page: number, view: number): number {
    const address = this.#files.address(page, view)
    if (address === undefined) return 0
    const bytes = this.#files.read(address, this.#page, 0, this.#files.usable)
    return Math.max(0, bytes - PAGE_NUMBER_BYTES)
  }
}
