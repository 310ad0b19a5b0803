/** Blocking reads of a pack. */
import { createHash, hash as digestHex } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
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
import { DigestTable, MAGIC, startsBytes, TRAILER, TRAILER_BYTES } from './layout.ts'

/** Blobs that are only checked, or streamed, are read in pieces of this size. */
const PIECE_BYTES = 1 << 20

/** The pack to read, and how. */
export interface PackReading {
  path: string
  /** The name of the store for messages. */
  name: string
  verify: boolean
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
  readonly #starts: Float64Array
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
      const digestsBytes = blobs * DIGEST_BYTES[hash]
      const tables = end - digestsBytes - startsBytes(blobs)
      if (!(tables >= 0)) throw damaged(reading)
      const digests = this.#read(tables, digestsBytes)
      const starts = this.#read(tables + digestsBytes, startsBytes(blobs))
      if (crc32(starts, crc32(digests)) !== trailer.readUInt32LE(TRAILER.crc)) throw damaged(reading)
      this.#table = new DigestTable(hash, digests, blobs)
      this.#starts = new Float64Array(starts.buffer)
      this.#marked = new Uint8Array(blobs)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
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
    if (this.#reading.verify) {
      for (let i = 0; i < count; i++) {
        if (status[i] !== BLOB.PACKED) continue
        const hex = digestHex(this.hash, arena.subarray(start[i], end[i]), 'hex')
        if (hex !== this.#hexAt(places[i] as number)) status[i] = BLOB.ALTERED
      }
    }
    return { status, start, end, arena, large: new Map(), reasons: new Map() }
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    const place = this.#places(digest, 1)[0] as number
    const status = this.#check(place)
    return status === BLOB.PACKED ? new PackStream(this.#fd, this.#start(place), this.#size(place)) : { status }
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

  #start(place: number): number {
    return this.#starts[place] as number
  }

  /** -1 when there is no such blob. */
  #size(place: number): number {
    return place < 0 ? -1 : this.#start(place + 1) - this.#start(place)
  }

  /** Read the blobs of a batch. Those that follow each other in the file are read together. */
  #fill(arena: Buffer, places: Int32Array, status: Uint8Array, start: Uint32Array, end: Uint32Array): void {
    let from = -1
    let at = 0
    let to = 0
    for (let i = 0; i < places.length; i++) {
      if (status[i] !== BLOB.PACKED) continue
      const begin = this.#start(places[i] as number)
      if (from < 0 || begin !== from + (to - at)) {
        readFully(this.#fd, arena.subarray(at, to), from)
        from = begin
        at = start[i] as number
      }
      to = end[i] as number
    }
    readFully(this.#fd, arena.subarray(at, to), from)
  }

  /** The status of one blob, of which a piece at a time is in memory. */
  #check(place: number): number {
    if (place < 0) return BLOB.MISSING
    if (!this.#reading.verify) return BLOB.PACKED
    const hash = createHash(this.hash)
    const stream = new PackStream(this.#fd, this.#start(place), this.#size(place))
    for (let piece = stream.next(); piece; piece = stream.next()) hash.update(piece)
    return hash.digest('hex') === this.#hexAt(place) ? BLOB.PACKED : BLOB.ALTERED
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

/** A file that is shorter than expected gives zeros, which do not have the digest. */
function readFully(fd: number, into: Buffer, position: number): void {
  for (let at = 0; at < into.length; ) {
    const read = readSync(fd, into, at, into.length - at, position + at)
    if (read === 0) return void into.fill(0, at)
    at += read
  }
}

function damaged({ name }: PackReading): FluxError {
  return new FluxError('EBADMSG', `${name}: its temporary file is damaged`)
}
