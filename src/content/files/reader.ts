/**
 * Blocking reads of a `content.files` directory (module content-files): each blob is an uncompressed file named by its
 * blobref, and the only checkpoint is the file `kvs-primary`.
 */
import { createHash, hash as digestHex } from 'node:crypto'
import { closeSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../bytes/index.ts'
import { FluxError } from '../../errors/index.ts'
import { blobrefHash, blobrefHex, DIGEST_BYTES, type HashName, isBlobref } from '../blobref.ts'
import { CHECKPOINT_BYTES, type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'
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
import { CHECKPOINT_FILE } from './checkpoint-file.ts'
import { openRegularFile, readAt, withRegularFile } from './regular-file.ts'

/** The largest blob. @see flux-core `content.blob-size-limit` */
const BLOB_BYTES = 2 ** 30

/** Files that are only checked, or streamed, are read in pieces of this size. */
const PIECE_BYTES = 1 << 20

/** Errors of the checkpoint file itself: not a regular file, too large, not readable by the disk. */
const NO_CHECKPOINT: ReadonlySet<string> = new Set(['EINVAL', 'EFBIG', 'EIO'])

/** The directory to read, and how. */
export interface FilesReading {
  path: string
  verify: boolean
}

/** See {@link ReaderModule}. */
export function openReader(data: FilesReading): BlobReader {
  return new FilesReader(data.path, data)
}

export class FilesReader implements BlobReader {
  readonly hash: HashName
  readonly #dir: string
  readonly #verify: boolean
  readonly #digests: readonly string[]
  /** The digests in the order in which their files were written. */
  #byAge: readonly string[] | undefined
  readonly #marked = new Set<string>()
  /** All digests, once blobs are marked. */
  #known: Set<string> | undefined
  /** Large blobs that were verified, so that a blob that is referenced often is read once. */
  readonly #intact = new Set<string>()

  /** @throws {FluxError} the directory cannot be listed */
  constructor(dir: string, options: { verify: boolean }) {
    this.#dir = dir
    this.#verify = options.verify
    try {
      const blobrefs = readdirSync(dir).filter(isBlobref)
      const hash = blobrefs[0] === undefined ? 'sha1' : blobrefHash(blobrefs[0])
      this.hash = hash
      this.#digests = blobrefs.filter((blobref) => blobrefHash(blobref) === hash).map(blobrefHex)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot read ${dir}`)
    }
  }

  get objects(): number {
    return this.#digests.length
  }

  /** The checkpoint, if there is one. @throws {FluxError} `EPROTO` it is damaged */
  checkpoints(): Checkpoint[] {
    const path = join(this.#dir, CHECKPOINT_FILE)
    let text: string
    try {
      text = withRegularFile(path, CHECKPOINT_BYTES, (fd, size) => wholeFile(fd, size).toString())
    } catch (error) {
      const { code, message } = error as FluxError
      if (code === 'ENOENT') return []
      // What can be no checkpoint is a damaged one: the blobs can be read.
      if (NO_CHECKPOINT.has(code)) throw new FluxError('EPROTO', message, { cause: error })
      throw error
    }
    try {
      return [decodeCheckpoint(parseJson(text), path)]
    } catch (error) {
      throw new FluxError('EPROTO', `${path}: not a checkpoint object`, { cause: error })
    }
  }

  readBatch(digests: Uint8Array, count: number, budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const status = new Uint8Array(count)
    const large = new Map<number, Uint8Array>()
    const reasons = new Map<number, string>()
    let left = budgetBytes
    for (let i = 0; i < count; i++) {
      if (left <= 0 && large.size > 0) {
        status[i] = BLOB.DEFERRED
        continue
      }
      const digest = this.#hexAt(digests, i)
      try {
        const blob = this.#readOne(join(this.#dir, `${this.hash}-${digest}`), {
          left: large.size === 0 ? Number.POSITIVE_INFINITY : left,
          maxBlobBytes,
        })
        if (typeof blob === 'number') {
          status[i] = blob
          continue
        }
        left -= blob.length
        if (this.#verify && digestHex(this.hash, blob, 'hex') !== digest) {
          status[i] = BLOB.ALTERED
        } else {
          status[i] = BLOB.LARGE
          large.set(i, blob)
        }
      } catch (error) {
        const failure = failureOf(error)
        status[i] = failure.status
        if (failure.reason !== undefined) reasons.set(i, failure.reason)
      }
    }
    return { status, start: new Uint32Array(), end: new Uint32Array(), arena: new Uint8Array(), large, reasons }
  }

  sizes(digests: Uint8Array, count: number): Float64Array {
    const sizes = new Float64Array(count)
    for (let i = 0; i < count; i++) sizes[i] = this.#sizeOf(this.#hexAt(digests, i))
    return sizes
  }

  /** The size of a blob; -1 for one that is missing or that no read would take. @param digest - in hex */
  #sizeOf(digest: string): number {
    const stats = lstatSync(join(this.#dir, `${this.hash}-${digest}`), { throwIfNoEntry: false })
    return stats?.isFile() && stats.size <= BLOB_BYTES ? stats.size : -1
  }

  checkBatch(digests: Uint8Array, count: number): CheckedBatch {
    const width = DIGEST_BYTES[this.hash]
    const status = new Uint8Array(count)
    const reasons = new Map<number, string>()
    for (let i = 0; i < count; i++) {
      // One at a time, so that no more than one blob is in memory.
      const one = this.readBatch(digests.subarray(i * width, (i + 1) * width), 1, 1, PIECE_BYTES)
      const { status: state, reason } =
        one.status[0] === BLOB.TOO_LARGE
          ? this.#checkLarge(this.#hexAt(digests, i))
          : { status: one.status[0] as number, reason: one.reasons.get(0) }
      status[i] = state
      if (reason !== undefined) reasons.set(i, reason)
    }
    return { status, reasons }
  }

  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange {
    const some = this.#digests.slice(from, from + count)
    const range: CheckedRange = { isLast: from + count >= this.#digests.length, checked: 0, bad: [] }
    for (const hex of some) {
      if (onlyMarked && !this.#marked.has(hex)) continue
      range.checked++
      const digest = Buffer.from(hex, 'hex')
      const { status, reasons } = this.checkBatch(digest, 1)
      if (status[0] === BLOB.LARGE) continue
      range.bad.push({ digest, status: status[0] as number, reason: reasons.get(0) })
    }
    return range
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    const hex = this.#hexAt(digest, 0)
    const checked = this.#verify ? this.#checkLarge(hex) : undefined
    if (checked && checked.status !== BLOB.LARGE) return checked
    try {
      return new FileStream(join(this.#dir, `${this.hash}-${hex}`))
    } catch (error) {
      return failureOf(error)
    }
  }

  /** Verify a blob piece by piece. */
  #checkLarge(digest: string): BlobFailure {
    if (!this.#verify || this.#intact.has(digest)) return { status: BLOB.LARGE }
    let stream: FileStream | undefined
    try {
      stream = new FileStream(join(this.#dir, `${this.hash}-${digest}`))
      const hash = createHash(this.hash)
      for (let piece = stream.next(); piece; piece = stream.next()) hash.update(piece)
      if (hash.digest('hex') !== digest) return { status: BLOB.ALTERED }
      this.#intact.add(digest)
      return { status: BLOB.LARGE }
    } catch (error) {
      return failureOf(error)
    } finally {
      stream?.close()
    }
  }

  list(from: number, count: number): Uint8Array {
    this.#byAge ??= this.#sortedByAge()
    return Buffer.from(this.#byAge.slice(from, from + count).join(''), 'hex')
  }

  #sortedByAge(): string[] {
    const age = (digest: string) =>
      lstatSync(join(this.#dir, `${this.hash}-${digest}`), { throwIfNoEntry: false })?.mtimeMs ?? 0
    return this.#digests
      .map((digest) => ({ digest, mtimeMs: age(digest) }))
      .sort((a, b) => a.mtimeMs - b.mtimeMs)
      .map(({ digest }) => digest)
  }

  mark(digests: Uint8Array, count: number): number {
    this.#known ??= new Set(this.#digests)
    let found = 0
    for (let i = 0; i < count; i++) {
      const hex = this.#hexAt(digests, i)
      if (!this.#known.has(hex)) continue
      this.#marked.add(hex)
      found++
    }
    return found
  }

  /** A digest in hex. @param i - its place in `digests` */
  #hexAt(digests: Uint8Array, i: number): string {
    const width = DIGEST_BYTES[this.hash]
    return Buffer.from(digests.buffer, digests.byteOffset + i * width, width).toString('hex')
  }

  totals(shared: SharedCounts): StoreTotals {
    const all = emptyTotals()
    const marked = emptyTotals()
    const add = (totals: Totals, size: number) => {
      totals.objects++
      totals.bytes += size
      totals.storedBytes += size
    }
    let unreadable = 0
    let addedUp = 0
    shared[SHARED.OBJECTS] = this.#digests.length
    for (const digest of this.#digests) {
      shared[SHARED.ADDED_UP] = ++addedUp
      const size = this.#sizeOf(digest)
      if (size < 0) unreadable++
      else add(all, size)
      if (size >= 0 && this.#marked.has(digest)) add(marked, size)
    }
    return { all, marked, unreadable, fileBytes: all.bytes, freeBytes: 0 }
  }

  close(): void {
    // Nothing is held between batches.
  }

  /** @returns the bytes; or a status when the file is larger than allowed */
  #readOne(path: string, { left, maxBlobBytes }: { left: number; maxBlobBytes: number }): Uint8Array | number {
    return withRegularFile(path, BLOB_BYTES, (fd, size) => {
      if (size > maxBlobBytes) return BLOB.TOO_LARGE
      return size > left ? BLOB.DEFERRED : wholeFile(fd, size)
    })
  }
}

/** Read a file into its own buffer, which can be transferred to another thread. */
function wholeFile(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size)
  return bytes.subarray(0, readAt(fd, bytes, 0))
}

/** Reads a file piece by piece. */
class FileStream implements BlobStream {
  readonly isWhole = true
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  #at = 0
  #open = true

  /** @throws {FluxError} as {@link openRegularFile} */
  constructor(path: string) {
    this.#fd = openRegularFile(path, BLOB_BYTES).fd
  }

  next(): Uint8Array | undefined {
    const bytes = readAt(this.#fd, this.#buffer, this.#at)
    this.#at += bytes
    return bytes > 0 ? this.#buffer.subarray(0, bytes) : undefined
  }

  close(): void {
    if (this.#open) closeSync(this.#fd)
    this.#open = false
  }
}

/** The failure of one blob. @throws {FluxError} `EMFILE`, which is no fault of the file */
function failureOf(error: unknown): BlobFailure {
  const { code, message } = error as FluxError
  if (error instanceof FluxError && code === 'EMFILE') throw error
  return code === 'ENOENT' ? { status: BLOB.MISSING } : { status: BLOB.UNREADABLE, reason: message }
}
