import { closeSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { FluxError } from '../../errors/index.ts'
import { temporaryError } from '../../files/index.ts'
import { blobrefHex, blobrefOf, DIGEST_BYTES, type HashName } from '../blobref.ts'
import type { ContentWriter, StoringBatch } from '../content-writer.ts'
import { DigestTable, MAGIC, PLACE_BYTES, placeInArchive, SIZE_BYTES, TRAILER, TRAILER_BYTES } from './layout.ts'

const CHUNK_BYTES = 1 << 20
const DONE = Promise.resolve()

/**
 * Writes blobs to a temporary file that is read soon: uncompressed, without a thread, and not flushed to disk. Memory
 * holds 48 bytes for each blob.
 */
export class PackWriter implements Pick<ContentWriter, 'hash' | 'storeBatch'> {
  readonly hash: HashName
  readonly #path: string
  readonly #fd: number
  readonly #table: DigestTable
  #places = new Float64Array(1 << 12)
  #sizes = new Uint32Array(1 << 12)
  #blobsInArchive = 0
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

  /** How many blobs are not in the pack, but in the archive. */
  get blobsInArchive(): number {
    return this.#blobsInArchive
  }

  /** See {@link ContentWriter.storeBatch}. @throws {FluxError} the errno of the file system */
  storeBatch(blobs: readonly Uint8Array[]): StoringBatch {
    return this.#store(blobs)
  }

  /**
   * Store blobs of which some lie in an archive. Of these only the place is stored; whoever opens the pack names the
   * archive.
   *
   * @param offsets - where each blob lies in the file of the archive; undefined for one that goes into the pack
   * @throws {FluxError} the errno of the file system
   */
  storeFromArchive(blobs: readonly Uint8Array[], offsets: readonly (number | undefined)[]): StoringBatch {
    return this.#store(blobs, offsets)
  }

  /** Write the tables. The pack is complete afterwards. @throws {FluxError} the errno of the file system */
  finish(): void {
    const { count, bytes } = this.#table
    const digests = bytes.subarray(0, count * DIGEST_BYTES[this.hash])
    const places = Buffer.from(this.#places.buffer, 0, count * PLACE_BYTES)
    const sizes = Buffer.from(this.#sizes.buffer, 0, count * SIZE_BYTES)
    const trailer = Buffer.alloc(TRAILER_BYTES)
    trailer.write(MAGIC, 'latin1')
    trailer.write(this.hash, TRAILER.hash)
    trailer.writeDoubleLE(count, TRAILER.blobs)
    trailer.writeDoubleLE(this.#blobsInArchive, TRAILER.inArchive)
    trailer.writeUInt32LE(crc32(sizes, crc32(places, crc32(digests))), TRAILER.crc)
    for (const part of [this.#chunk.subarray(0, this.#used), digests, places, sizes, trailer]) this.#write(part)
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

  #store(blobs: readonly Uint8Array[], offsets?: readonly (number | undefined)[]): StoringBatch {
    const digest = Buffer.alloc(DIGEST_BYTES[this.hash])
    const blobrefs: string[] = []
    for (let i = 0; i < blobs.length; i++) {
      const blob = blobs[i] as Uint8Array
      const blobref = blobrefOf(this.hash, blob)
      blobrefs.push(blobref)
      digest.write(blobrefHex(blobref), 'hex')
      if (!this.#table.add(digest)) continue
      const offset = offsets?.[i]
      if (offset === undefined) {
        this.#add(this.#written + this.#used, blob.length)
        this.#append(blob)
      } else {
        this.#add(placeInArchive(offset), blob.length)
        this.#blobsInArchive++
      }
    }
    return { blobrefs, stored: DONE, room: DONE }
  }

  #append(blob: Uint8Array): void {
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

  /** Note where the blob of the last digest is. */
  #add(place: number, size: number): void {
    const index = this.#table.count - 1
    if (index === this.#places.length) {
      const [places, sizes] = [new Float64Array(2 * index), new Uint32Array(2 * index)]
      places.set(this.#places)
      sizes.set(this.#sizes)
      this.#places = places
      this.#sizes = sizes
    }
    this.#places[index] = place
    this.#sizes[index] = size
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
    return temporaryError(error, 'cannot write the temporary file', this.#path)
  }
}
