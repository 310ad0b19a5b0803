/**
 * Holds complete directories until all of the archive has been read: as the blobs that they will be, in the order in
 * which they were completed. A few MiB stay in memory, older ones go to a temporary file without a name.
 *
 * A record is the length of the blob and the number of its entries, the digest, the blob, and one number for each entry,
 * whose meaning is the caller's.
 */
import { hash as digestHex } from 'node:crypto'
import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { DIGEST_BYTES, type HashName } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { openNameless, temporaryError } from '../files/index.ts'

/** A chunk ends at one of these. A larger directory has a chunk of its own. */
const CHUNK_BYTES = 512 << 10
const CHUNK_RECORDS = 1024

/** Bytes that are read at once to read a directory back. */
const LOOK_BYTES = 4096

/** Bytes before the digest. */
const COUNTS_BYTES = 8

/** A directory that was read back. */
export interface SpooledDir {
  readonly blob: Uint8Array
  readonly numbers: readonly number[]
}

/** Consecutive records. */
interface Chunk {
  /** Where the first record begins. */
  readonly from: number
  /** Undefined when the chunk is in the file. */
  bytes: Buffer | undefined
  length: number
  records: number
}

export class DirSpool {
  readonly #hash: HashName
  readonly #directory: string
  readonly #heldBytes: number
  readonly #headerBytes: number
  readonly #chunks: Chunk[] = []
  /** How many chunks are in the file. They are the first ones. */
  #inFile = 0
  /** Bytes of the chunks in memory. */
  #unspilled = 0
  #file: FileHandle | undefined
  readonly #looked = Buffer.allocUnsafeSlow(LOOK_BYTES)
  /** Where records are that are not wanted any more. */
  readonly #dropped = new Set<number>()

  /**
   * @param hash - the algorithm of the digests
   * @param directory - where the temporary file is made, if one is needed
   * @param heldBytes - bytes that stay in memory, about, when {@link spill} is called in time
   */
  constructor(hash: HashName, directory: string, heldBytes: number) {
    this.#heldBytes = heldBytes
    this.#hash = hash
    this.#directory = directory
    this.#headerBytes = COUNTS_BYTES + DIGEST_BYTES[hash]
  }

  /**
   * Add a directory.
   *
   * @param text - the text of its blob
   * @param numbers - one for each entry
   * @returns the digest of the blob in hex, and where the record is
   */
  append(text: string, numbers: readonly number[]): { hex: string; offset: number } {
    const header = this.#headerBytes
    // UTF-8 takes up to three bytes for a character.
    const chunk = this.#chunkFor(header + text.length * 3 + numbers.length * 8, text, numbers.length)
    const bytes = chunk.bytes as Buffer
    const at = chunk.length
    const length = bytes.write(text, at + header)
    const end = at + header + length
    const hex = digestHex(this.#hash, bytes.subarray(at + header, end), 'hex')
    bytes.writeUInt32LE(length, at)
    bytes.writeUInt32LE(numbers.length, at + 4)
    bytes.write(hex, at + COUNTS_BYTES, 'hex')
    for (let i = 0; i < numbers.length; i++) bytes.writeDoubleLE(numbers[i] as number, end + i * 8)
    this.#unspilled += end + numbers.length * 8 - at
    chunk.length = end + numbers.length * 8
    chunk.records++
    return { hex, offset: chunk.from + at }
  }

  /**
   * Read a directory back, and drop its record.
   *
   * @returns views that are valid until the next call
   * @throws {FluxError} the temporary file cannot be read
   */
  take(offset: number): SpooledDir {
    this.#dropped.add(offset)
    const chunk = this.#chunks[this.#chunkAt(offset)] as Chunk
    const bytes = chunk.bytes?.subarray(offset - chunk.from) ?? this.#look(offset, chunk.from + chunk.length)
    const blobLength = bytes.readUInt32LE(0)
    const count = bytes.readUInt32LE(4)
    const length = this.#headerBytes + blobLength + count * 8
    const whole = length <= bytes.length ? bytes : this.#read(offset, length)
    const rest = whole.subarray(this.#headerBytes, length)
    const blob = rest.subarray(0, blobLength)
    const numbers = Array.from({ length: count }, (_, i) => rest.readDoubleLE(blob.length + i * 8))
    return { blob, numbers }
  }

  /** True when {@link spill} should be called, to keep memory within its bound. */
  get isFull(): boolean {
    return this.#unspilled > this.#heldBytes
  }

  /**
   * Move all chunks but the last, which is not full, to the temporary file.
   *
   * @throws {FluxError} the temporary file cannot be written
   */
  async spill(): Promise<void> {
    try {
      this.#file ??= await openNameless(this.#directory)
      for (; this.#inFile < this.#chunks.length - 1; this.#inFile++) {
        const chunk = this.#chunks[this.#inFile] as Chunk
        const bytes = chunk.bytes as Buffer
        for (let at = 0; at < chunk.length; ) {
          at += (await this.#file.write(bytes, at, chunk.length - at, chunk.from + at)).bytesWritten
        }
        chunk.bytes = undefined
        this.#unspilled -= chunk.length
      }
    } catch (error) {
      throw this.#failure(error, 'write')
    }
  }

  /**
   * Store all directories that were not dropped, in order. The spool cannot be used afterwards.
   *
   * @param store - stores the blobs, which are views of one buffer that is handed over; returns their blobrefs
   * @throws {FluxError} what `store` throws; `EIO` the temporary file does not hold what was written
   */
  async drain(store: (blobs: readonly Uint8Array[]) => Promise<readonly string[]>): Promise<void> {
    for (const chunk of this.#chunks) {
      const bytes = chunk.bytes ?? this.#read(chunk.from, chunk.length)
      chunk.bytes = undefined
      const blobs: Uint8Array[] = []
      const hexes: string[] = []
      for (let at = 0; at < chunk.length; ) {
        const blobAt = at + this.#headerBytes
        const blobEnd = blobAt + bytes.readUInt32LE(at)
        if (!this.#dropped.has(chunk.from + at)) {
          blobs.push(bytes.subarray(blobAt, blobEnd))
          hexes.push(bytes.toString('hex', at + COUNTS_BYTES, blobAt))
        }
        at = blobEnd + bytes.readUInt32LE(at + 4) * 8
      }
      if (blobs.length === 0) continue
      const blobrefs = await store(blobs)
      if (hexes.some((hex, i) => !blobrefs[i]?.endsWith(hex))) {
        throw new FluxError('EIO', `the temporary file in ${this.#directory} does not hold what was written to it`)
      }
    }
  }

  /** Release the temporary file. May be called at any time, also several times. Never throws. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
  }

  #chunkFor(most: number, text: string, count: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last?.bytes && last.records < CHUNK_RECORDS && last.length + most <= last.bytes.length) return last
    const exact = most > CHUNK_BYTES ? this.#headerBytes + Buffer.byteLength(text) + count * 8 : most
    const chunk: Chunk = {
      from: last === undefined ? 0 : last.from + last.length,
      bytes: Buffer.allocUnsafeSlow(Math.max(exact, CHUNK_BYTES)),
      length: 0,
      records: 0,
    }
    this.#chunks.push(chunk)
    return chunk
  }

  /** The index of the chunk that holds an offset, by bisection. */
  #chunkAt(offset: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#chunks[middle] as Chunk).from <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The first bytes from an offset on: mostly the whole record. They are valid until the next look. */
  #look(position: number, end: number): Buffer {
    return this.#read(position, Math.min(LOOK_BYTES, end - position), this.#looked)
  }

  #read(position: number, length: number, into = Buffer.allocUnsafeSlow(length)): Buffer {
    const bytes = into.subarray(0, length)
    try {
      for (let at = 0; at < length; ) {
        const count = readSync((this.#file as FileHandle).fd, bytes, at, length - at, position + at)
        if (count === 0) throw new FluxError('EIO', `the temporary file in ${this.#directory} has been cut short`)
        at += count
      }
    } catch (error) {
      throw this.#failure(error, 'read')
    }
    return bytes
  }

  #failure(error: unknown, what: 'read' | 'write'): FluxError {
    return temporaryError(error, `cannot ${what} a temporary file in`, this.#directory)
  }
}
