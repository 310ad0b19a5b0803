import { closeSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { FluxError } from '../../errors/index.ts'
import { blobrefHex, blobrefOf, DIGEST_BYTES, type HashName } from '../blobref.ts'
import type { ContentWriter, StoringBatch } from '../content-writer.ts'
import { DigestTable, MAGIC, TRAILER, TRAILER_BYTES } from './layout.ts'

const CHUNK_BYTES = 1 << 20
const DONE = Promise.resolve()

/**
 * Writes blobs to a temporary file that is read soon: uncompressed, without a thread, and not flushed to disk. Memory
 * holds 40 bytes for each blob.
 */
export class PackWriter implements Pick<ContentWriter, 'hash' | 'storeBatch'> {
  readonly hash: HashName
  readonly #path: string
  readonly #fd: number
  readonly #table: DigestTable
  #starts = new Float64Array(1 << 12)
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #used = 0
  #written = 0
  #isOpen = true

  /**
   * @param path - the file to make
   * @throws {FluxError} the errno of the file system
   */
  constructor(path: string, hash: HashName) {
    this.hash = hash
    this.#path = path
    this.#table = new DigestTable(hash)
    try {
      this.#fd = openSync(path, 'wx', 0o600)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /** See {@link ContentWriter.storeBatch}. @throws {FluxError} the errno of the file system */
  storeBatch(blobs: readonly Uint8Array[]): StoringBatch {
    const digest = Buffer.alloc(DIGEST_BYTES[this.hash])
    const blobrefs = blobs.map((blob) => {
      const blobref = blobrefOf(this.hash, blob)
      digest.write(blobrefHex(blobref), 'hex')
      if (this.#table.add(digest)) this.#append(blob)
      return blobref
    })
    return { blobrefs, stored: DONE, room: DONE }
  }

  /** Write the tables. The pack is complete afterwards. @throws {FluxError} the errno of the file system */
  finish(): void {
    const { count, bytes } = this.#table
    this.#setStart(count)
    const digests = bytes.subarray(0, count * DIGEST_BYTES[this.hash])
    const starts = Buffer.from(this.#starts.buffer, 0, (count + 1) * Float64Array.BYTES_PER_ELEMENT)
    const trailer = Buffer.alloc(TRAILER_BYTES)
    trailer.write(MAGIC, 'latin1')
    trailer.write(this.hash, TRAILER.hash)
    trailer.writeDoubleLE(count, TRAILER.blobs)
    trailer.writeUInt32LE(crc32(starts, crc32(digests)), TRAILER.crc)
    for (const part of [this.#chunk.subarray(0, this.#used), digests, starts, trailer]) this.#write(part)
    this.close()
  }

  /** Close the file. May be called twice. */
  close(): void {
    if (this.#isOpen) closeSync(this.#fd)
    this.#isOpen = false
  }

  /** The same as {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** The last digest of the table is that of the blob. */
  #append(blob: Uint8Array): void {
    this.#setStart(this.#table.count - 1)
    if (blob.length > CHUNK_BYTES - this.#used) {
      this.#write(this.#chunk.subarray(0, this.#used))
      this.#used = 0
    }
    if (blob.length > CHUNK_BYTES) {
      this.#write(blob)
    } else {
      this.#chunk.set(blob, this.#used)
      this.#used += blob.length
    }
  }

  #setStart(place: number): void {
    if (place === this.#starts.length) {
      const starts = new Float64Array(2 * place)
      starts.set(this.#starts)
      this.#starts = starts
    }
    this.#starts[place] = this.#written + this.#used
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    } catch (error) {
      throw this.#explain(error)
    }
    this.#written += bytes.length
  }

  #explain(error: unknown): FluxError {
    return FluxError.fromSystem(error, `cannot write a temporary file ${this.#path}`, {
      hint: 'TMPDIR names another directory',
    })
  }
}
