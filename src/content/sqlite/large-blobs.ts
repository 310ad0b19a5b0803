/**
 * Blobs of a `content.sqlite` that are read some bytes at a time. What they expand to is never held, and of what is stored
 * a slice. SQLite puts a row together as a whole for each slice, so these are as large as memory allows.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Lz4Stream } from '../../bytes/index.ts'
import type { BlobStream } from '../packed-batch.ts'
import { SIZE_SQL } from './schema.ts'

/** Stored bytes that are held. Blobs that are compressed well are read in one go. */
const SLICE = 64 << 20

/** Bytes that are handed on in one go. */
const PIECE = 1 << 20

export class LargeBlobs {
  readonly #sizes: StatementSync
  readonly #slices: StatementSync

  constructor(db: DatabaseSync) {
    this.#sizes = db.prepare(`SELECT ${SIZE_SQL}, octet_length(object) FROM objects WHERE rowid = ?`)
    this.#slices = db.prepare('SELECT substr(CAST(object AS BLOB), ?, ?) FROM objects WHERE rowid = ?')
    for (const statement of [this.#sizes, this.#slices]) statement.setReturnArrays(true)
  }

  /** @returns undefined when the row cannot be what it should be */
  open(rowid: number): LargeBlob | undefined {
    const row = this.#sizes.get(rowid) as unknown as [number, number | null] | undefined
    const [size, length] = [row?.[0], row?.[1] ?? 0]
    if (size === undefined || !Number.isSafeInteger(size) || size < -1) return undefined
    // LZ4 cannot shrink more than 255 to 1.
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

  /** @param slice - the stored bytes from a place on; @param size - that it must expand to, -1 for one stored as it is */
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
