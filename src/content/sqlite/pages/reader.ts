/**
 * Blocking reads of what is left of a damaged `content.sqlite`, without SQLite: see `scan.ts`.
 *
 * The whole file is read once, when the first blob or checkpoint is asked for. Only blobs whose bytes have their digest are
 * found then, so there is none that cannot be read.
 */
import { hash as digestHex } from 'node:crypto'
import { lz4DecodeBlock } from '../../../bytes/index.ts'
import { FluxError } from '../../../errors/index.ts'
import { DIGEST_BYTES, type HashName } from '../../blobref.ts'
import type { Checkpoint } from '../../checkpoint.ts'
import {
  BLOB,
  type BlobFailure,
  type BlobReader,
  type BlobStream,
  type CheckedBatch,
  type CheckedRange,
  emptyBatch,
  type PackedBatch,
} from '../../packed-batch.ts'
import { SHARED, type SharedCounts } from '../../read-counts.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../../store-on-disk.ts'
import { ObjectCell } from './object-cell.ts'
import { PageFiles } from './page-files.ts'
import { Payload, WHOLE_BYTES } from './payload.ts'
import { addressOf, type Found, findHash, moreOf, scanPages, viewOf } from './scan.ts'

/** The database to read. */
export interface PagesReading {
  path: string
  /** The name for messages. */
  name: string
  verify: boolean
}

/** See {@link ReaderModule}. */
export function openReader(data: PagesReading): BlobReader {
  return new PagesReader(data)
}

export class PagesReader implements BlobReader {
  readonly hash: HashName
  readonly #files: PageFiles
  readonly #digestBytes: number
  readonly #verify: boolean
  readonly #cell = new ObjectCell()
  readonly #payload: Payload
  readonly #page: Buffer
  #pageAddress = -1
  #pageEnd = 0
  #found: Found | undefined

  /** @throws {FluxError} `EINVAL` no blob is left in it; or the errno of the file system */
  constructor({ path, name, verify }: PagesReading) {
    this.#verify = verify
    try {
      this.#files = new PageFiles(path)
      const hash = findHash(this.#files)
      if (hash === undefined) {
        this.#files.close()
        throw new FluxError('EINVAL', `${name}: no blob of a content store is left in it`)
      }
      this.hash = hash
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot read ${name}`)
    }
    this.#digestBytes = DIGEST_BYTES[this.hash]
    this.#payload = new Payload(this.#files)
    this.#page = Buffer.alloc(this.#files.pageBytes)
  }

  /** Number of blobs, once the file has been read; before that undefined. */
  get objects(): number | undefined {
    return this.#found?.index.size
  }

  /** The checkpoints that are whole, newest first: those of deleted rows, too. */
  checkpoints(): Checkpoint[] {
    return this.#scanned.checkpoints.map(({ checkpoint }) => checkpoint)
  }

  readBatch(digests: Uint8Array, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const batch = emptyBatch(count)
    const places = this.#places(digests, count)
    const order = fileOrder(places)
    let arena: Buffer = Buffer.allocUnsafeSlow(order.length * 1024)
    let used = 0
    let bytes = 0
    for (const [n, i] of order.entries()) {
      const before = n > 0 ? (order[n - 1] as number) : -1
      if (before >= 0 && places[before] === places[i]) {
        copyResult(batch, before, i)
        continue
      }
      if (bytes > 0 && bytes >= budgetBytes) {
        batch.status[i] = BLOB.DEFERRED
        continue
      }
      const size = this.#load(places[i] as number)
      if (size < 0) continue
      if (size > maxBlobBytes) {
        batch.status[i] = BLOB.TOO_LARGE
        continue
      }
      bytes += Math.max(1, size)
      if (size > WHOLE_BYTES || this.#cell.stored > WHOLE_BYTES) {
        const blob = this.#whole(places[i] as number, size)
        batch.status[i] = this.#isIntact(blob, digests, i) ? BLOB.LARGE : BLOB.ALTERED
        if (batch.status[i] === BLOB.LARGE) batch.large.set(i, blob)
        continue
      }
      if (used + size > arena.length) arena = grown(arena, used, used + size)
      const isWhole = this.#expand(places[i] as number, arena, used, size)
      batch.status[i] =
        isWhole && this.#isIntact(arena.subarray(used, used + size), digests, i) ? BLOB.PACKED : BLOB.ALTERED
      batch.start[i] = used
      used += size
      batch.end[i] = used
    }
    batch.arena = arena
    return batch
  }

  checkBatch(digests: Uint8Array, count: number): CheckedBatch {
    // What is in the index has been verified.
    const status = Uint8Array.from(this.#places(digests, count), (place) => (place < 0 ? BLOB.MISSING : BLOB.PACKED))
    return { status, reasons: new Map() }
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    const [place] = this.#places(digest, 1) as unknown as [number]
    if (place < 0 || this.#load(place) < 0) return { status: BLOB.MISSING }
    return this.#payload.open(this.#page, this.#cell, viewOf(place))
  }

  sizes(digests: Uint8Array, count: number): Float64Array {
    const places = this.#places(digests, count)
    const sizes = new Float64Array(count).fill(-1)
    for (const i of fileOrder(places)) sizes[i] = this.#load(places[i] as number)
    return sizes
  }

  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange {
    const { index } = this.#scanned
    const marks = index.marks(from, count)
    const checked = onlyMarked ? marks.filter((mark) => mark === 1).length : marks.length
    return { isLast: from + count >= index.size, checked, bad: [] }
  }

  list(from: number, count: number): Uint8Array {
    return this.#scanned.index.digests(from, count)
  }

  mark(digests: Uint8Array, count: number): number {
    let found = 0
    const { index } = this.#scanned
    for (let i = 0; i < count; i++) if (index.mark(digests, i * this.#digestBytes)) found++
    return found
  }

  totals(shared: SharedCounts): StoreTotals {
    const all = emptyTotals()
    const marked = emptyTotals()
    const { index, damaged } = this.#scanned
    shared[SHARED.OBJECTS] = index.size
    const batch = 8192
    for (let from = 0; from < index.size; from += batch) {
      const places = index.places(from, batch)
      const marks = index.marks(from, batch)
      for (const [i, place] of places.entries()) {
        const bytes = this.#load(place)
        add(all, bytes, this.#cell)
        if (marks[i] === 1) add(marked, bytes, this.#cell)
      }
      shared[SHARED.ADDED_UP] = from + places.length
    }
    const fileBytes = this.#files.files[0]?.bytes ?? 0
    return { all, marked, unreadable: damaged, fileBytes, freeBytes: 0 }
  }

  close(): void {
    this.#files.close()
  }

  get #scanned(): Found {
    this.#found ??= scanPages(this.#files, this.hash)
    return this.#found
  }

  #places(digests: Uint8Array, count: number): Float64Array {
    const { index } = this.#scanned
    const places = new Float64Array(count)
    for (let i = 0; i < count; i++) places[i] = index.find(digests, i * this.#digestBytes)
    return places
  }

  /** Read the page of a blob, and its row. @returns its expanded size; -1 when the file has changed */
  #load(place: number): number {
    const address = addressOf(place)
    const page = this.#files.pageOf(address)
    if (page !== this.#pageAddress) {
      this.#pageEnd = this.#files.read(page, this.#page, 0, this.#files.usable)
      this.#pageAddress = page
    }
    const cell = this.#cell
    if (!cell.readTypes(this.#page, address - page, this.#pageEnd)) return -1
    if (!cell.readRow(this.#page, this.#pageEnd, moreOf(place), this.#digestBytes, this.#files.usable)) return -1
    return cell.size === -1 ? cell.stored : cell.size
  }

  /** Expand the blob that {@link #load} has found. */
  #expand(place: number, target: Buffer, at: number, size: number): boolean {
    const cell = this.#cell
    if (!this.#payload.gather(this.#page, cell, viewOf(place))) return false
    const { bytes, from } = this.#payload
    if (cell.size !== -1) return lz4DecodeBlock(bytes, from, cell.stored, target, at, size)
    target.set(bytes.subarray(from, from + size), at)
    return true
  }

  /** Expand a large blob that {@link #load} has found. */
  #whole(place: number, size: number): Buffer {
    const blob = Buffer.allocUnsafeSlow(size)
    const stream = this.#payload.open(this.#page, this.#cell, viewOf(place))
    let at = 0
    for (let piece = stream.next(); piece && at + piece.length <= size; piece = stream.next()) {
      blob.set(piece, at)
      at += piece.length
    }
    return blob.subarray(0, at)
  }

  #isIntact(blob: Uint8Array, digests: Uint8Array, i: number): boolean {
    if (!this.#verify) return true
    const at = digests.byteOffset + i * this.#digestBytes
    return digestHex(this.hash, blob, 'hex') === Buffer.from(digests.buffer, at, this.#digestBytes).toString('hex')
  }
}

/** Those that have a place, in the order in which they lie in the file. */
function fileOrder(places: Float64Array): Uint32Array {
  const order = Uint32Array.from(places.keys()).filter((i) => (places[i] as number) >= 0)
  return order.sort((a, b) => (places[a] as number) - (places[b] as number) || a - b)
}

function grown(arena: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, arena.length * 2))
  arena.copy(larger, 0, 0, used)
  return larger
}

/** Copy a blob's result to another place. */
function copyResult(batch: PackedBatch, from: number, to: number): void {
  batch.status[to] = batch.status[from] as number
  batch.start[to] = batch.start[from] as number
  batch.end[to] = batch.end[from] as number
  const blob = batch.large.get(from)
  if (blob) batch.large.set(to, blob)
}

function add(totals: Totals, bytes: number, { stored, size }: ObjectCell): void {
  totals.objects++
  totals.storedBytes += stored
  totals.bytes += bytes
  if (size < 0) return
  totals.compressed++
  totals.compressibleBytes += size
}
