/**
 * Blocking reads of a `content.files` directory (module content-files): each blob is a file named by its blobref, as it
 * is, and the one checkpoint is the file `kvs-primary`.
 */
import { createHash, hash as digestHex } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import { blobrefHash, blobrefHex, DIGEST_BYTES, type HashName, isBlobref } from '../blobref.ts'
import { type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../content-store.ts'
import { BLOB, type BlobReader, type CheckedBatch, type PackedBatch } from '../packed-batch.ts'
import { readAt, withRegularFile } from './regular-file.ts'

/** The file that holds the checkpoint. */
export const CHECKPOINT_FILE = 'kvs-primary'

/** The most that a checkpoint has: three short members. */
const CHECKPOINT_BYTES = 64 << 10

/** The largest blob. @see flux-core `content.blob-size-limit` */
const BLOB_BYTES = 2 ** 30

/** What is only checked is read in pieces of this size. */
const PIECE_BYTES = 1 << 20

export class FilesReader implements BlobReader {
  readonly hash: HashName
  readonly #dir: string
  readonly #verify: boolean
  readonly #digests: readonly string[]
  readonly #marked = new Set<string>()
  #piece: Buffer | undefined

  /** @throws {FluxError} when the directory cannot be listed */
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

  /** At most one. @throws {FluxError} `EPROTO` when it is damaged */
  checkpoints(): Checkpoint[] {
    const path = join(this.#dir, CHECKPOINT_FILE)
    let text: string
    try {
      text = withRegularFile(path, CHECKPOINT_BYTES, (fd, size) => wholeFile(fd, size).toString())
    } catch (error) {
      if (error instanceof FluxError && error.code === 'ENOENT') return []
      throw error
    }
    try {
      return [decodeCheckpoint(JSON.parse(text), path)]
    } catch (error) {
      throw new FluxError('EPROTO', `${path}: not a checkpoint object`, { cause: error })
    }
  }

  readBatch(hex: string, count: number, budgetBytes: number): PackedBatch {
    const digits = DIGEST_BYTES[this.hash] * 2
    const status = new Uint8Array(count)
    const large = new Map<number, Uint8Array>()
    const reasons = new Map<number, string>()
    let left = budgetBytes
    for (let i = 0; i < count; i++) {
      if (left <= 0 && large.size > 0) {
        status[i] = BLOB.DEFERRED
        continue
      }
      const digest = hex.slice(i * digits, (i + 1) * digits)
      try {
        const blob = this.#readOne(join(this.#dir, `${this.hash}-${digest}`), left, large.size === 0)
        if (blob === undefined) {
          status[i] = BLOB.DEFERRED
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
        status[i] = statusOf(error)
        if (status[i] === BLOB.UNREADABLE) reasons.set(i, (error as FluxError).message)
      }
    }
    return { status, start: new Uint32Array(), end: new Uint32Array(), arena: new Uint8Array(), large, reasons }
  }

  sizes(hex: string, count: number): Float64Array {
    const digits = DIGEST_BYTES[this.hash] * 2
    const sizes = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const path = join(this.#dir, `${this.hash}-${hex.slice(i * digits, (i + 1) * digits)}`)
      const stats = lstatSync(path, { throwIfNoEntry: false })
      sizes[i] = stats?.isFile() ? stats.size : -1
    }
    return sizes
  }

  checkBatch(hex: string, count: number): CheckedBatch {
    const digits = DIGEST_BYTES[this.hash] * 2
    const status = new Uint8Array(count)
    const reasons = new Map<number, string>()
    for (let i = 0; i < count; i++) {
      const digest = hex.slice(i * digits, (i + 1) * digits)
      try {
        status[i] = this.#isIntact(digest) ? BLOB.PACKED : BLOB.ALTERED
      } catch (error) {
        status[i] = statusOf(error)
        if (status[i] === BLOB.UNREADABLE) reasons.set(i, (error as FluxError).message)
      }
    }
    return { status, reasons }
  }

  list(from: number, count: number): string {
    return this.#digests.slice(from, from + count).join('')
  }

  mark(hex: string, count: number): void {
    const digits = DIGEST_BYTES[this.hash] * 2
    for (let i = 0; i < count; i++) this.#marked.add(hex.slice(i * digits, (i + 1) * digits))
  }

  totals(): StoreTotals {
    const all = emptyTotals()
    const marked = emptyTotals()
    const add = (totals: Totals, size: number) => {
      totals.objects++
      totals.bytes += size
      totals.storedBytes += size
    }
    let unreadable = 0
    for (const digest of this.#digests) {
      const size = this.sizes(digest, 1)[0] as number
      if (size < 0) unreadable++
      else add(all, size)
      if (size >= 0 && this.#marked.has(digest)) add(marked, size)
    }
    return { all, marked, unreadable, fileBytes: all.bytes, freeBytes: 0 }
  }

  close(): void {
    // Nothing is held between batches.
  }

  /** @returns undefined when the file is larger than `left`, unless it is the `first` of its batch */
  #readOne(path: string, left: number, first: boolean): Uint8Array | undefined {
    return withRegularFile(path, BLOB_BYTES, (fd, size) => (!first && size > left ? undefined : wholeFile(fd, size)))
  }

  /** Compare a blob with its digest, holding no more than a piece of it. */
  #isIntact(digest: string): boolean {
    return withRegularFile(join(this.#dir, `${this.hash}-${digest}`), BLOB_BYTES, (fd, size) => {
      if (!this.#verify) return true
      this.#piece ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
      const piece = this.#piece
      if (size < piece.length) return digestHex(this.hash, piece.subarray(0, readAt(fd, piece, 0)), 'hex') === digest
      const hash = createHash(this.hash)
      for (let at = 0, n = piece.length; n === piece.length; at += n) {
        n = readAt(fd, piece, at)
        hash.update(piece.subarray(0, n))
      }
      return hash.digest('hex') === digest
    })
  }
}

/** In a buffer of its own, which can be handed to another thread. */
function wholeFile(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size)
  return bytes.subarray(0, readAt(fd, bytes, 0))
}

/** @throws {FluxError} what says nothing of the file: that this process has too many open */
function statusOf(error: unknown): number {
  if (error instanceof FluxError && error.code === 'EMFILE') throw error
  return error instanceof FluxError && error.code === 'ENOENT' ? BLOB.MISSING : BLOB.UNREADABLE
}
