import type { Member } from '../archive/index.ts'
import type { ContentWriter, StoringBatch } from '../content/index.ts'
import { pieceBytesOf } from '../kvs/index.ts'

/** Where a restore stores blobs. */
export interface BlobWriter extends Pick<ContentWriter, 'hash' | 'storeBatch'> {
  /**
   * Store blobs of which some lie in the archive. If there is this method, it is called for the values of an archive that is
   * a file, not compressed, and whole.
   *
   * @param offsets - where each blob lies in the file; undefined for one that does not lie there as it is
   */
  storeFromArchive?(blobs: readonly Uint8Array[], offsets: readonly (number | undefined)[]): StoringBatch
}

/** Stores blobs, and keeps account of those that are not stored yet. */
export class ValueStore {
  readonly #writer: Omit<BlobWriter, 'hash'>
  readonly #onStored: (blobs: number) => void
  /** Stores that are pending or have failed. */
  readonly #pending = new Set<Promise<void>>()
  #failure: unknown

  /** @param onStored - called with the number of blobs that have been stored */
  constructor(writer: Omit<BlobWriter, 'hash'>, onStored: (blobs: number) => void) {
    this.#writer = writer
    this.#onStored = onStored
  }

  /**
   * Store blobs, and wait only until there is room for more.
   *
   * @param handedOver - as for {@link ContentWriter.storeBatch}
   * @param offsets - as for {@link BlobWriter.storeFromArchive}, if the blobs are in the archive
   * @returns their blobrefs, in order
   * @throws {FluxError} these or earlier blobs cannot be stored
   */
  async store(
    blobs: readonly Uint8Array[],
    handedOver = false,
    offsets?: readonly (number | undefined)[],
  ): Promise<string[]> {
    const writer = this.#writer
    const { blobrefs, stored, room } =
      offsets !== undefined && writer.storeFromArchive
        ? writer.storeFromArchive(blobs, offsets)
        : writer.storeBatch(blobs, handedOver)
    const counted = stored.then(() => {
      this.#onStored(blobrefs.length)
      this.#pending.delete(counted)
    })
    counted.catch((error) => {
      this.#failure ??= error
    })
    this.#pending.add(counted)
    await room
    if (this.#failure !== undefined) throw this.#failure
    return blobrefs
  }

  /**
   * Store a streamed value: as one blob if it is small enough, else in pieces.
   *
   * @param isInFile - true when the member's offset is one in the file, as for {@link BlobWriter.storeFromArchive}
   * @returns the blobrefs
   */
  async storeLarge({ size, stream, contentOffset }: Member, isInFile = false): Promise<string[]> {
    const pieceBytes = pieceBytesOf(size)
    const blobrefs: string[] = []
    let piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, size))
    let filled = 0
    let left = size
    const end = async () => {
      const offsets = isInFile ? [contentOffset === undefined ? undefined : contentOffset + size - left] : undefined
      blobrefs.push(...(await this.store([piece.subarray(0, filled)], true, offsets)))
      // One at a time, since they are large.
      await this.settled()
      left -= filled
      filled = 0
      piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, left))
    }
    for await (const chunk of stream?.() ?? []) {
      for (let at = 0; at < chunk.length; ) {
        const length = Math.min(chunk.length - at, piece.length - filled)
        piece.set(chunk.subarray(at, at + length), filled)
        filled += length
        at += length
        if (filled === piece.length) await end()
      }
    }
    return blobrefs
  }

  /** Resolves when all blobs are stored. @throws {FluxError} one cannot be stored */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }

  /** Wait for pending stores, however they end, so that none fails as an unhandled rejection. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#pending)
  }
}
