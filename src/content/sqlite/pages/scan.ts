/**
 * Finds the blobs in the pages of a database, whatever became of the rest of it.
 *
 * A row of `objects` is recognised by its own bytes: the serial type of its hash, followed by types that fit. Nothing else
 * is needed, no table, no page header and no cell pointer, so rows are found in leaf pages, in pages on the freelist, in the
 * free blocks of a page, and in pages that are used for other things now. The hash of the bytes proves that it is a blob.
 *
 * SQLite writes over the first four bytes of a deleted row. With a short row these are not only its length and rowid, but
 * also the length of its header, and the type of its hash.
 */
import { DIGEST_BYTES, type HashName } from '../../blobref.ts'
import { MAX_CHECKPOINTS } from '../../checkpoint.ts'
import { type FoundCheckpoint, findCheckpoints, inOrder } from './checkpoint-text.ts'
import { DigestIndex } from './digest-index.ts'
import { endsWithVarint, INTEGER_BYTES, rowidBefore, SERIAL } from './layout.ts'
import { MORE_COLUMNS, ObjectCell } from './object-cell.ts'
import { type PageFile, type PageFiles, VIEWS } from './page-files.ts'
import { Payload } from './payload.ts'

/** Bytes that are read at a time. */
const CHUNK = 1 << 20

/** Where a row is: see {@link placeOf}. */
const PLACE = { MORE: 4, VIEW: VIEWS } as const

/** The address of a row in a number, with what it takes to read it. @param address - of the type of `size` */
function placeOf(address: number, more: number, view: number): number {
  return (address * PLACE.MORE + more) * PLACE.VIEW + view
}

/** The parts of what {@link placeOf} has made. */
export function addressOf(place: number): number {
  return Math.floor(place / (PLACE.MORE * PLACE.VIEW))
}

export function moreOf(place: number): number {
  return Math.floor(place / PLACE.VIEW) % PLACE.MORE
}

export function viewOf(place: number): number {
  return place % PLACE.VIEW
}

/** The types of a hash, as a text and, in the first versions of Flux, as a blob. */
const HASH_TYPES: Readonly<Record<HashName, readonly number[]>> = {
  sha1: [SERIAL.TEXT + 2 * DIGEST_BYTES.sha1, SERIAL.BLOB + 2 * DIGEST_BYTES.sha1],
  sha256: [SERIAL.TEXT + 2 * DIGEST_BYTES.sha256, SERIAL.BLOB + 2 * DIGEST_BYTES.sha256],
}

/** The type of the size of a blob that is not compressed. */
const SHORT_SIZE = 1

/** What is behind a byte: nothing, a type of a hash, or {@link SHORT_SIZE}. */
const KIND = { NONE: 0, HASH: 1, SHORT: 2 } as const

/** Checkpoints that are kept until the newest of them are chosen. A row may be found many times. */
const MANY_CHECKPOINTS = 5 * MAX_CHECKPOINTS

/** What was found in a database. */
export interface Found {
  index: DigestIndex
  /** Those that are whole: see {@link inOrder}. */
  checkpoints: FoundCheckpoint[]
  /** Number of rows whose bytes do not have their digest, and that are not found elsewhere either. */
  damaged: number
}

/** The algorithm of the first blob that is found; undefined when there is none. */
export function findHash(files: PageFiles): HashName | undefined {
  const scans = (['sha1', 'sha256'] as const).map((hash) => new Scan(files, hash))
  for (const file of files.files) {
    for (const chunk of chunksOf(file, files)) {
      for (const scan of scans) if (scan.read(chunk).index.size > 0) return scan.hash
    }
  }
  return undefined
}

/** Read all pages. @param onFound - called with the number of blobs so far */
export function scanPages(files: PageFiles, hash: HashName, onFound: (blobs: number) => void = () => {}): Found {
  const scan = new Scan(files, hash)
  for (const file of files.files) for (const chunk of chunksOf(file, files)) onFound(scan.read(chunk).index.size)
  return scan.finish()
}

/** Some pages of a file. One object, filled again. */
interface Chunk {
  readonly bytes: Buffer
  /** The address of the first byte. */
  address: number
  readonly stride: number
  /** Where the pages end in `bytes`. */
  end: number
}

function* chunksOf(file: PageFile, files: PageFiles): Generator<Chunk> {
  const { stride, pages, start, first } = file
  const most = Math.max(1, Math.min(pages, Math.floor(CHUNK / stride)))
  const chunk: Chunk = { bytes: Buffer.alloc(most * stride), address: 0, stride, end: 0 }
  for (let page = 0; page < pages; page += most) {
    chunk.address = start + first + page * stride
    const end = files.read(chunk.address, chunk.bytes, 0, chunk.bytes.length)
    // Nothing of the pages before may be found again.
    chunk.bytes.fill(0, end, chunk.end)
    chunk.end = end
    yield chunk
  }
}

class Scan {
  readonly hash: HashName
  readonly #digestBytes: number
  readonly #usable: number
  readonly #hasView: readonly boolean[]
  readonly #kinds = new Uint8Array(256)
  readonly #cell = new ObjectCell()
  readonly #payload: Payload
  readonly #found: Found
  readonly #damaged: DigestIndex

  constructor(files: PageFiles, hash: HashName) {
    this.hash = hash
    this.#digestBytes = DIGEST_BYTES[hash]
    this.#usable = files.usable
    this.#hasView = Array.from({ length: VIEWS }, (_, view) => files.hasView(view))
    for (const type of HASH_TYPES[hash]) this.#kinds[type] = KIND.HASH
    this.#kinds[SHORT_SIZE] = KIND.SHORT
    this.#payload = new Payload(files)
    this.#found = { index: new DigestIndex(this.#digestBytes), checkpoints: [], damaged: 0 }
    this.#damaged = new DigestIndex(this.#digestBytes)
  }

  /** @returns what has been found so far */
  read(chunk: Chunk): Found {
    const { bytes, end, stride } = chunk
    for (let page = 0; page < end; page += stride) this.#readPage(chunk, page, Math.min(page + this.#usable, end))
    const { checkpoints } = this.#found
    findCheckpoints(bytes.subarray(0, end), stride, (found) => checkpoints.push(found))
    if (checkpoints.length > MANY_CHECKPOINTS) this.#found.checkpoints = inOrder(checkpoints)
    return this.#found
  }

  finish(): Found {
    const found = this.#found
    found.checkpoints = inOrder(found.checkpoints)
    found.index.finish()
    this.#damaged.finish()
    const { size } = this.#damaged
    const digests = this.#damaged.digests(0, size)
    for (let i = 0; i < size; i++) if (found.index.find(digests, i * this.#digestBytes) < 0) found.damaged++
    return found
  }

  #readPage(chunk: Chunk, page: number, end: number): void {
    const { bytes } = chunk
    const kinds = this.#kinds
    for (let at = page + 1; at < end - 1; at++) {
      const kind = kinds[bytes[at] as number]
      if (kind === KIND.NONE) continue
      const isRow = kind === KIND.HASH ? this.#readRow(chunk, page, end, at) : this.#readShortRow(chunk, page, end, at)
      // In the bytes of a row there is no other.
      if (isRow) at = this.#cell.localEnd - 1
    }
  }

  /** A row whose `hash` has its type at a place. @returns false when there is none */
  #readRow(chunk: Chunk, page: number, end: number, at: number): boolean {
    const { bytes } = chunk
    const cell = this.#cell
    if (!cell.readTypes(bytes, at + 1, end)) return false
    const header = bytes[at - 1] as number
    const more = cell.record + header - cell.typesEnd
    const isHeader = more >= 0 && more <= MORE_COLUMNS
    if (isHeader && this.#prove(chunk, page, end, more, true)) return true
    if (isIndexEntry(bytes, at, this.#digestBytes)) return false
    // The length of the header may be lost. Rows have four columns, and had three.
    for (const columns of [1, 0]) {
      if (isHeader && columns === more) continue
      if (this.#prove(chunk, page, end, columns)) return true
    }
    return false
  }

  /**
   * A deleted row of which even the type of the hash is lost: one of the first 127, of less than 128 bytes. Its `size`, which
   * is -1, has its type at a place. The four bytes before are those of a free block: the next one, and the size.
   */
  #readShortRow(chunk: Chunk, page: number, end: number, at: number): boolean {
    const { bytes } = chunk
    const cell = this.#cell
    if (at - page < 4 || this.#kinds[bytes[at - 1] as number] === KIND.HASH) return false
    const block = ((bytes[at - 2] as number) << 8) | (bytes[at - 1] as number)
    if (block <= this.#digestBytes || block > this.#usable) return false
    if (!cell.readTypes(bytes, at, end)) return false
    for (const columns of [1, 0]) {
      if (bytes[cell.typesEnd + columns + this.#digestBytes] !== 0xff) continue
      if (this.#prove(chunk, page, end, columns)) return true
    }
    return false
  }

  /**
   * Add the row to the index if its bytes have the digest that it names.
   *
   * @param isWhole - true when nothing of the row seems lost: then it counts as damaged
   */
  #prove(chunk: Chunk, page: number, end: number, more: number, isWhole = false): boolean {
    const { bytes } = chunk
    const cell = this.#cell
    if (!cell.readRow(bytes, end, more, this.#digestBytes, this.#usable)) return false
    const rowid = rowidBefore(bytes, page, cell.record, cell.payload)
    for (let view = 0; view < VIEWS; view++) {
      if (!this.#hasView[view] || (view > 0 && !cell.overflows)) continue
      if (!this.#payload.isIntact(bytes, cell, view, this.hash, this.#digestBytes)) continue
      const address = chunk.address + cell.record + 2
      this.#found.index.add(bytes, cell.digestAt, placeOf(address, more, view), rowid ?? 0)
      return true
    }
    if (isWhole && rowid !== undefined) this.#damaged.add(bytes, cell.digestAt, 0, 0)
    return false
  }
}

/** True for an entry of the index on `hash`: a record of a digest and a rowid. @param at - of the type of the digest */
function isIndexEntry(bytes: Uint8Array, at: number, digestBytes: number): boolean {
  if (bytes[at - 1] !== 3) return false
  const type = bytes[at + 1] as number
  return endsWithVarint(bytes, at - 1, 3 + digestBytes + (INTEGER_BYTES[type] ?? 0))
}
