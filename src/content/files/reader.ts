/**
 * Blocking reads of a `content.files` directory (module content-files): each blob is a file named by its blobref, as it
 * is, and the one checkpoint is the file `kvs-primary`.
 */
import { hash as digestHex } from 'node:crypto'
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import { blobrefHash, blobrefHex, DIGEST_BYTES, type HashName, isBlobref } from '../blobref.ts'
import { type Checkpoint, decodeCheckpoint } from '../checkpoint.ts'
import { emptyTotals, type StoreTotals, type Totals } from '../content-store.ts'
import { BLOB, type BlobReader, type CheckedBatch, type PackedBatch } from '../packed-batch.ts'

/** The file that holds the checkpoint. */
export const CHECKPOINT_FILE = 'kvs-primary'

export class FilesReader implements BlobReader {
  readonly hash: HashName
  readonly #dir: string
  readonly #verify: boolean
  readonly #digests: readonly string[]
  readonly #marked = new Set<string>()

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
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw FluxError.fromSystem(error, `cannot read ${path}`)
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
        const { code, message } = error as NodeJS.ErrnoException
        status[i] = code === 'ENOENT' ? BLOB.MISSING : BLOB.UNREADABLE
        if (code !== 'ENOENT') reasons.set(i, message)
      }
    }
    return { status, start: new Uint32Array(), end: new Uint32Array(), arena: new Uint8Array(), large, reasons }
  }

  sizes(hex: string, count: number): Float64Array {
    const digits = DIGEST_BYTES[this.hash] * 2
    const sizes = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const path = join(this.#dir, `${this.hash}-${hex.slice(i * digits, (i + 1) * digits)}`)
      sizes[i] = statSync(path, { throwIfNoEntry: false })?.size ?? -1
    }
    return sizes
  }

  checkBatch(hex: string, count: number): CheckedBatch {
    const digits = DIGEST_BYTES[this.hash] * 2
    const status = new Uint8Array(count)
    const reasons = new Map<number, string>()
    for (let i = 0; i < count; i++) {
      // One at a time: nothing is to be kept.
      const one = this.readBatch(hex.slice(i * digits, (i + 1) * digits), 1, 1)
      status[i] = one.status[0] as number
      const reason = one.reasons.get(0)
      if (reason !== undefined) reasons.set(i, reason)
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
    const fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(fd)
      if (!first && size > left) return undefined
      // A buffer of its own, which can be handed to another thread.
      const blob = Buffer.allocUnsafeSlow(size)
      let at = 0
      for (let n = -1; at < size && n !== 0; at += n) n = readSync(fd, blob, at, size - at, at)
      return blob.subarray(0, at)
    } finally {
      closeSync(fd)
    }
  }
}
