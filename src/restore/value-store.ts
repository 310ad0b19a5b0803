import type { Member } from '../archive/index.ts'
import type { ContentWriter } from '../content/index.ts'
import { pieceBytesOf } from '../kvs/index.ts'

/** Stores blobs, and keeps account of those that are not stored yet. */
export class ValueStore {
  readonly #writer: Pick<ContentWriter, 'storeBatch'>
  readonly #onStored: (blobs: number) => void
  /** Stores that are pending or have failed. */
  readonly #pending = new Set<Promise<void>>()
  #failure: unknown

  /** @param onStored - called with the number of blobs that have been stored */
  constructor(writer: Pick<ContentWriter, 'storeBatch'>, onStored: (blobs: number) => void) {
    this.#writer = writer
    this.#onStored = onStored
  }

  /**
   * Store blobs, and wait only until there is room for more.
   *
   * @param handedOver - as for {@link ContentWriter.storeBatch}
   * @returns their blobrefs, in order
   * @throws {FluxError} these or earlier blobs cannot be stored
   */
  async store(blobs: readonly Uint8Array[], handedOver = false): Promise<string[]> {
    const { blobrefs, stored, room } = this.#writer.storeBatch(blobs, handedOver)
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

  /** Store a streamed value: as one blob if it is small enough, else in pieces. @returns the blobrefs */
  async storeLarge({ size, stream }: Member): Promise<string[]> {
    const pieceBytes = pieceBytesOf(size)
    const blobrefs: string[] = []
    let piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, size))
    let filled = 0
    let left = size
    const end = async () => {
      blobrefs.push(...(await this.store([piece.subarray(0, filled)], true)))
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
