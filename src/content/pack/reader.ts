/** Blocking reads of a pack. */
import { createHash, hash as digestHex } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { FluxError } from '../../errors/index.ts'
import { DIGEST_BYTES, type HashName } from '../blobref.ts'
import type { Checkpoint } from '../checkpoint.ts'
import {
  BLOB,
  type BlobFailure,
  type BlobReader,
  type BlobStream,
  type CheckedBatch,
  type CheckedRange,
  type PackedBatch,
} from '../packed-batch.ts'
import { SHARED, type SharedCounts } from '../read-counts.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../store-on-disk.ts'
import { ArchiveFile, type ArchiveToRead } from './archive-file.ts'
import { readBlobs, readFully } from './fill.ts'
import { DigestTable, MAGIC, PLACE_BYTES, placeInArchive, SIZE_BYTES, TRAILER, TRAILER_BYTES } from './layout.ts'

/** Blobs that are only checked, or streamed, are read in pieces of this size. */
const PIECE_BYTES = 1 << 20

/** The pack to read, and how. */
export interface PackReading {
  path: string
  /** The name of the store for messages. */
  name: string
  /** Compare each blob of the pack with its blobref. Those in the archive are always compared. */
  verify: boolean
  /** The archive in which blobs may lie. */
  archive?: ArchiveToRead | undefined
  checkpoints: Checkpoint[]
}

/** See {@link ReaderModule}. */
export function openReader(data: PackReading): BlobReader {
  return new PackReader(data)
}

class PackReader implements BlobReader {
  readonly hash: HashName
  readonly #reading: PackReading
  readonly #fd: number
  readonly #fileBytes: number
  readonly #table: DigestTable
  /** Where each blob is: see {@link placeInArchive}. */
  readonly #at: Float64Array
  readonly #sizes: Uint32Array
  readonly #archive: ArchiveFile | undefined
  readonly #marked: Uint8Array

  /** @throws {FluxError} `EBADMSG` it is damaged; or the errno of the file system */
  constructor(reading: PackReading) {
    this.#reading = reading
    this.#fd = openSync(reading.path, 'r')
    try {
      this.#fileBytes = fstatSync(this.#fd).size
      const end = this.#fileBytes - TRAILER_BYTES
      const trailer = this.#read(end, TRAILER_BYTES)
      const hash = trailer.toString('latin1', TRAILER.hash, TRAILER.blobs).replaceAll('\0', '')
      const blobs = trailer.readDoubleLE(TRAILER.blobs)
      if (trailer.toString('latin1', 0, TRAILER.hash) !== MAGIC || !(hash === 'sha1' || hash === 'sha256'))
        throw damaged(reading)
      this.hash = hash
      if (!Number.isSafeInteger(blobs) || blobs < 0) throw damaged(reading)
      const digestsBytes = blobs * DIGEST_BYTES[hash]
      const tables = end - digestsBytes - blobs * (PLACE_BYTES + SIZE_BYTES)
      if (tables < 0) throw damaged(reading)
      const digests = this.#read(tables, digestsBytes)
      const places = this.#read(tables + digestsBytes, blobs * PLACE_BYTES)
      const sizes = this.#read(end - blobs * SIZE_BYTES, blobs * SIZE_BYTES)
      if (crc32(sizes, crc32(places, crc32(digests))) !== trailer.readUInt32LE(TRAILER.crc)) throw damaged(reading)
      this.#table = new DigestTable(hash, digests, blobs)
      this.#at = new Float64Array(places.buffer)
      this.#sizes = new Uint32Array(sizes.buffer)
      this.#marked = new Uint8Array(blobs)
      const isInArchive = trailer.readDoubleLE(TRAILER.inArchive) > 0
      if ((isInArchive && reading.archive === undefined) || !this.#arePlaced(tables, isInArchive))
        throw damaged(reading)
      if (isInArchive) this.#archive = new ArchiveFile(reading.archive as ArchiveToRead)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  /** True when all blobs lie before the tables, or in the archive if some may. */
  #arePlaced(tables: number, mayBeInArchive: boolean): boolean {
    return this.#at.every((at, i) =>
      at < 0
        ? mayBeInArchive && Number.isSafeInteger(at)
        : Number.isSafeInteger(at) && at + (this.#sizes[i] as number) <= tables,
    )
  }

  get objects(): number {
    return this.#table.count
  }

  checkpoints(): Checkpoint[] {
    return this.#reading.checkpoints
  }

  readBatch(digests: Uint8Array, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const places = this.#places(digests, count)
    const status = new Uint8Array(count)
    const start = new Uint32Array(count)
    const end = new Uint32Array(count)
    let bytes = 0
    for (let i = 0; i < count; i++) {
      const size = this.#size(places[i] as number)
      if (size < 0) status[i] = BLOB.MISSING
      else if (size > maxBlobBytes) status[i] = BLOB.TOO_LARGE
      else if (bytes > 0 && bytes + size > budgetBytes) status[i] = BLOB.DEFERRED
      else {
        start[i] = bytes
        bytes += size
        end[i] = bytes
      }
    }
    const arena = Buffer.allocUnsafeSlow(bytes)
    this.#fill(arena, places, status, start, end)
    const { verify } = this.#reading
    if (verify || this.#archive) {
      for (let i = 0; i < count; i++) {
        if (status[i] !== BLOB.PACKED || !(verify || this.#isInArchive(places[i] as number))) continue
        const hex = digestHex(this.hash, arena.subarray(start[i], end[i]), 'hex')
        if (hex !== this.#hexAt(places[i] as number)) status[i] = this.#altered(places[i] as number)
      }
    }
    return { status, start, end, arena, large: new Map(), reasons: new Map() }
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    const place = this.#places(digest, 1)[0] as number
    const status = this.#check(place)
    return status === BLOB.PACKED ? this.#stream(place) : { status }
  }

  sizes(digests: Uint8Array, count: number): Float64Array {
    return Float64Array.from(this.#places(digests, count), (place) => this.#size(place))
  }

  checkBatch(digests: Uint8Array, count: number): CheckedBatch {
    const status = Uint8Array.from(this.#places(digests, count), (place) => this.#check(place))
    return { status, reasons: new Map() }
  }

  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange {
    const end = Math.min(from + count, this.objects)
    const range: CheckedRange = { isLast: from + count >= this.objects, checked: 0, bad: [] }
    for (let place = from; place < end; place++) {
      if (onlyMarked && this.#marked[place] !== 1) continue
      range.checked++
      const status = this.#check(place)
      if (status !== BLOB.PACKED) range.bad.push({ digest: this.list(place, 1), status })
    }
    return range
  }

  list(from: number, count: number): Uint8Array {
    const width = DIGEST_BYTES[this.hash]
    // A copy, which can be transferred.
    return new Uint8Array(this.#table.bytes.subarray(from * width, Math.min(from + count, this.objects) * width))
  }

  mark(digests: Uint8Array, count: number): number {
    let found = 0
    for (const place of this.#places(digests, count)) {
      if (place < 0) continue
      this.#marked[place] = 1
      found++
    }
    return found
  }

  totals(shared: SharedCounts): StoreTotals {
    const all = emptyTotals()
    const marked = emptyTotals()
    const add = (totals: Totals, size: number) => {
      totals.objects++
      totals.bytes += size
      totals.storedBytes += size
    }
    shared[SHARED.OBJECTS] = this.objects
    for (let place = 0; place < this.objects; place++) {
      add(all, this.#size(place))
      if (this.#marked[place] === 1) add(marked, this.#size(place))
    }
    shared[SHARED.ADDED_UP] = this.objects
    return { all, marked, unreadable: 0, fileBytes: this.#fileBytes, freeBytes: 0 }
  }

  close(): void {
    closeSync(this.#fd)
    this.#archive?.close()
  }

  #places(digests: Uint8Array, count: number): Int32Array {
    const width = DIGEST_BYTES[this.hash]
    const view = Buffer.from(digests.buffer, digests.byteOffset, digests.length)
    const places = new Int32Array(count)
    for (let i = 0; i < count; i++) places[i] = this.#table.find(view, i * width)
    return places
  }

  #hexAt(place: number): string {
    const width = DIGEST_BYTES[this.hash]
    return this.#table.bytes.toString('hex', place * width, (place + 1) * width)
  }

  #isInArchive(place: number): boolean {
    return (this.#at[place] as number) < 0
  }

  /** -1 when there is no such blob. */
  #size(place: number): number {
    return place < 0 ? -1 : (this.#sizes[place] as number)
  }

  #stream(place: number): PackStream {
    const at = this.#at[place] as number
    const size = this.#size(place)
    if (!this.#isInArchive(place)) return new PackStream(this.#fd, at, size)
    return new PackStream((this.#archive as ArchiveFile).fd, placeInArchive(at), size)
  }

  /** The status of a blob that does not match its blobref. @throws {FluxError} `EBUSY` its archive was written to */
  #altered(place: number): number {
    if (this.#isInArchive(place)) this.#archive?.assertUnchanged()
    return BLOB.ALTERED
  }

  /** Read the blobs of a batch: those in the pack, and those in the archive. */
  #fill(arena: Buffer, places: Int32Array, status: Uint8Array, start: Uint32Array, end: Uint32Array): void {
    const offsets = new Float64Array(places.length)
    for (const archive of [undefined, this.#archive].slice(0, this.#archive ? 2 : 1)) {
      for (let i = 0; i < places.length; i++) {
        const at = status[i] === BLOB.PACKED ? (this.#at[places[i] as number] as number) : Number.NaN
        // Not a number, if the blob is not read from this file.
        offsets[i] = archive === undefined ? (at >= 0 ? at : Number.NaN) : at < 0 ? placeInArchive(at) : Number.NaN
      }
      readBlobs(archive?.fd ?? this.#fd, arena, { offsets, start, end })
    }
  }

  /** The status of one blob, of which a piece at a time is in memory. */
  #check(place: number): number {
    if (place < 0) return BLOB.MISSING
    if (!this.#reading.verify && !this.#isInArchive(place)) return BLOB.PACKED
    const hash = createHash(this.hash)
    const stream = this.#stream(place)
    for (let piece = stream.next(); piece; piece = stream.next()) hash.update(piece)
    return hash.digest('hex') === this.#hexAt(place) ? BLOB.PACKED : this.#altered(place)
  }

  #read(at: number, length: number): Buffer {
    if (at < 0) throw damaged(this.#reading)
    const bytes = Buffer.allocUnsafeSlow(length)
    readFully(this.#fd, bytes, at)
    return bytes
  }
}

/** Reads a blob piece by piece. */
class PackStream implements BlobStream {
  readonly isWhole = true
  readonly #fd: number
  #at: number
  #left: number

  constructor(fd: number, at: number, bytes: number) {
    this.#fd = fd
    this.#at = at
    this.#left = bytes
  }

  next(): Uint8Array | undefined {
    if (this.#left === 0) return undefined
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.#left))
    readFully(this.#fd, piece, this.#at)
    this.#at += piece.length
    this.#left -= piece.length
    return piece
  }

  close(): void {
    // The file stays open for others.
  }
}

function damaged({ name }: PackReading): FluxError {
  return new FluxError('EBADMSG', `${name}: its temporary file is damaged`)
}
