/**
 * Reads large blobs of a `content.sqlite` piece by piece. Only a slice of the stored bytes is in memory, never the
 * whole expanded blob. SQLite assembles the whole row for each slice, so slices are as large as memory allows.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Lz4Stream } from '../../bytes/index.ts'
import type { BlobStream } from '../packed-batch.ts'
import { SIZE_SQL } from './schema.ts'

/** Stored bytes in a slice. A blob that compresses well is read as one slice. */
const SLICE = 64 << 20

/** Bytes of a piece of an uncompressed blob. */
const PIECE = 1 << 20

export class LargeBlobs {
  readonly #sizes: StatementSync
  readonly #slices: StatementSync

  constructor(db: DatabaseSync) {
    this.#sizes = db.prepare(`SELECT ${SIZE_SQL}, octet_length(object) FROM objects WHERE rowid = ?`)
    this.#slices = db.prepare('SELECT substr(CAST(object AS BLOB), ?, ?) FROM objects WHERE rowid = ?')
    for (const statement of [this.#sizes, this.#slices]) statement.setReturnArrays(true)
  }

  /** @returns undefined when the row is missing, or its size cannot be right */
  open(rowid: number): LargeBlob | undefined {
    const row = this.#sizes.get(rowid) as unknown as [number, number | null] | undefined
    const [size, length] = [row?.[0], row?.[1] ?? 0]
    if (size === undefined || !Number.isSafeInteger(size) || size < -1) return undefined
    // LZ4 compresses at most 255 to 1.
    if (size > length * 255) return undefined
    return new LargeBlob((from) => this.#slice(rowid, from), length, size)
  }

  #slice(rowid: number, from: number): Uint8Array {
    return (this.#slices.get(from + 1, SLICE, rowid) as unknown as [Uint8Array])[0]
  }
}

export class LargeBlob implements BlobStream {
  readonly #slice: (from: number) => Uint8Array
  readonly #length: number
  readonly #expander: Lz4Stream | undefined
  #from = 0
  #raw: Uint8Array = new Uint8Array()

  /**
   * @param slice - returns stored bytes from an offset
   * @param length - number of stored bytes
   * @param size - the size that it must expand to; -1 for an uncompressed blob
   */
  constructor(slice: (from: number) => Uint8Array, length: number, size: number) {
    this.#slice = slice
    this.#length = length
    this.#expander = size === -1 ? undefined : new Lz4Stream(() => this.#stored(), size)
  }

  get isWhole(): boolean {
    return this.#expander?.isWhole ?? true
  }

  next(): Uint8Array | undefined {
    if (this.#expander) return this.#expander.next()
    if (this.#raw.length === 0) this.#raw = this.#stored() ?? this.#raw
    const piece = this.#raw.subarray(0, PIECE)
    this.#raw = this.#raw.subarray(piece.length)
    return piece.length > 0 ? piece : undefined
  }

  close(): void {
    this.#raw = new Uint8Array()
    this.#from = this.#length
  }

  #stored(): Uint8Array | undefined {
    if (this.#from >= this.#length) return undefined
    const slice = this.#slice(this.#from)
    this.#from += slice.length
    return slice.length > 0 ? slice : undefined
  }
}
