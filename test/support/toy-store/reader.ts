import { readFileSync } from 'node:fs'
import { blobrefOf, type Checkpoint, decodeCheckpoint, type HashName } from '../../../src/content/index.ts'
import {
  BLOB,
  type BlobFailure,
  type BlobReader,
  type BlobStream,
  type CheckedBatch,
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

  readBatch(hex: string, count: number, _budgetBytes: number, maxBlobBytes: number): PackedBatch {
    const large = new Map<number, Uint8Array>()
    const status = Uint8Array.from(this.#digests(hex, count), (digest, i) => {
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

  checkBatch(hex: string, count: number): CheckedBatch {
    return this.readBatch(hex, count, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  openStream(hex: string): BlobStream | BlobFailure {
    let left = this.#blobs.get(hex)
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

  sizes(hex: string, count: number): Float64Array {
    return Float64Array.from(this.#digests(hex, count), (digest) => this.#blobs.get(digest)?.length ?? -1)
  }

  list(from: number, count: number): string {
    return [...this.#blobs.keys()].slice(from, from + count).join('')
  }

  mark(hex: string, count: number): void {
    for (const digest of this.#digests(hex, count)) this.#marked.add(digest)
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

  #digests(hex: string, count: number): string[] {
    const digits = hex.length / count
    return Array.from({ length: count }, (_, i) => hex.slice(i * digits, (i + 1) * digits))
  }
}
