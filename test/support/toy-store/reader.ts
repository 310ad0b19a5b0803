import { readFileSync } from 'node:fs'
import { blobrefOf, type Checkpoint, decodeCheckpoint, type HashName } from '../../../src/content/index.ts'
import {
  BLOB,
  type BlobFailure,
  type BlobReader,
  type BlobStream,
  type CheckedBatch,
  type CheckedRange,
  type PackedBatch,
} from '../../../src/content/packed-batch.ts'
import type { StoreTotals } from '../../../src/content/store-on-disk.ts'
import type { ToyContent } from './index.ts'

export function openReader({ path, verify }: { path: string; verify: boolean }): BlobReader {
  return new ToyReader(JSON.parse(readFileSync(path, 'utf8')), path, verify)
}

class ToyReader implements BlobReader {
  readonly hash: HashName
  readonly #blobs: Map<string, Uint8Array>
  readonly #checkpoints: Checkpoint[]
  readonly #verify: boolean
  readonly #marked = new Set<string>()

  constructor(content: ToyContent, path: string, verify: boolean) {
    this.hash = content.hash
    this.#checkpoints = content.checkpoints.map((value) => decodeCheckpoint(value, path))
    this.#verify = verify
    this.#blobs = new Map(Object.entries(content.blobs).map(([hex, text]) => [hex, Buffer.from(text, 'base64')]))
  }

  get objects(): number {
    return this.#blobs.size
  }

  checkpoints(): Checkpoint[] {
    return this.#checkpoints
  }

  readBatch(digests: Uint8Array, count: number, _budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const large = new Map<number, Uint8Array>()
    const status = Uint8Array.from(this.#hexOf(digests, count), (digest, i) => {
      const blob = this.#blobs.get(digest)
      if (blob === undefined) return BLOB.MISSING
      if (blob.length > maxBlobBytes) return BLOB.TOO_LARGE
      if (this.#verify && blobrefOf(this.hash, blob) !== `${this.hash}-${digest}`) return BLOB.ALTERED
      large.set(i, new Uint8Array(blob))
      return BLOB.LARGE
    })
    const none = new Uint32Array()
    return { status, start: none, end: none, arena: new Uint8Array(), large, reasons: new Map() }
  }

  checkBatch(digests: Uint8Array, count: number): CheckedBatch {
    return this.readBatch(digests, count, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  openStream(digest: Uint8Array): BlobStream | BlobFailure {
    let left = this.#blobs.get(Buffer.from(digest).toString('hex'))
    if (left === undefined) return { status: BLOB.MISSING }
    return {
      isWhole: true,
      next() {
        const piece = left?.subarray(0, 10)
        left = left?.subarray(10)
        return piece?.length ? piece : undefined
      },
      close() {},
    }
  }

  sizes(digests: Uint8Array, count: number): Float64Array {
    return Float64Array.from(this.#hexOf(digests, count), (digest) => this.#blobs.get(digest)?.length ?? -1)
  }

  checkRange(from: number, count: number, onlyMarked: boolean): CheckedRange {
    const range: CheckedRange = { isLast: from + count >= this.#blobs.size, checked: 0, bad: [] }
    for (const hex of [...this.#blobs.keys()].slice(from, from + count)) {
      if (onlyMarked && !this.#marked.has(hex)) continue
      range.checked++
      const digest = Buffer.from(hex, 'hex')
      const status = this.checkBatch(digest, 1).status[0] as number
      if (status !== BLOB.LARGE) range.bad.push({ digest, status })
    }
    return range
  }

  list(from: number, count: number): Uint8Array {
    return Buffer.from([...this.#blobs.keys()].slice(from, from + count).join(''), 'hex')
  }

  mark(digests: Uint8Array, count: number): number {
    const found = this.#hexOf(digests, count).filter((digest) => this.#blobs.has(digest))
    for (const digest of found) this.#marked.add(digest)
    return found.length
  }

  totals(): StoreTotals {
    const all = this.#add([...this.#blobs.keys()])
    const marked = this.#add([...this.#marked].filter((digest) => this.#blobs.has(digest)))
    return { all, marked, unreadable: 0, fileBytes: all.bytes, freeBytes: 0 }
  }

  close(): void {}

  #add(digests: string[]) {
    const bytes = digests.reduce((sum, digest) => sum + (this.#blobs.get(digest)?.length ?? 0), 0)
    return { objects: digests.length, bytes, storedBytes: bytes, compressed: 0, compressibleBytes: 0 }
  }

  #hexOf(digests: Uint8Array, count: number): string[] {
    const hex = Buffer.from(digests).toString('hex')
    const digits = hex.length / count
    return Array.from({ length: count }, (_, i) => hex.slice(i * digits, (i + 1) * digits))
  }
}
