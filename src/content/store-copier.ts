import { throwIfAborted } from '../errors/index.ts'
import { DIGEST_BYTES } from './blobref.ts'
import type { ChosenSize } from './chosen-blobs.ts'
import type { NewFile } from './new-file.ts'
import type { PackedBatch } from './packed-batch.ts'
import type { StoreReader } from './store-reader.ts'

/** Copies chosen blobs of a store on disk to a new store: the caller's side of a {@link BlobCopier}. */
export class StoreCopier {
  readonly #reader: StoreReader
  readonly #newCopy: (path: string) => NewFile

  /** @param newCopy - begins the new store */
  constructor(reader: StoreReader, newCopy: (path: string) => NewFile) {
    this.#reader = reader
    this.#newCopy = newCopy
  }

  /** Blobs that have been copied so far. */
  get copied(): number {
    return this.#reader.copied
  }

  /**
   * Choose blobs.
   *
   * @param digests - one after another
   * @returns the places of those that are missing
   */
  async choose(digests: Uint8Array): Promise<number[]> {
    const missing = await this.#reader.ask('choose', { digests })
    this.#reader.counts.marked += digests.length / DIGEST_BYTES[this.#reader.hash]
    return missing
  }

  /**
   * Choose blobs, and read those that had not been chosen before. The status of the others is {@link BLOB.CHOSEN}.
   *
   * @param digests - one after another, not more than {@link MAX_BATCH}
   */
  async read(digests: Uint8Array, budgetBytes: number, maxBlobBytes: number): Promise<PackedBatch> {
    const batch = await this.#reader.ask('readChosen', { digests, budgetBytes, maxBlobBytes })
    this.#reader.counts.loaded += batch.status.length
    return batch
  }

  /** The size of the chosen blobs. */
  measure(): Promise<ChosenSize> {
    return this.#reader.ask('measureChosen', undefined)
  }

  /**
   * Make a new store of the chosen blobs and the newest checkpoints. It gets its name when it is on disk.
   *
   * @param checkpoints - how many
   * @throws {FluxError} `EEXIST` there is something of that name; `EBADMSG` a blob is damaged; `ENOSPC` and the like.
   *   Nothing is left then
   */
  async copy(path: string, checkpoints: number, signal?: AbortSignal): Promise<void> {
    const file = this.#newCopy(path)
    try {
      await this.#reader.ask('copyChosen', { path: file.path, name: path, checkpoints })
      throwIfAborted(signal)
      file.commit()
    } finally {
      file.remove()
    }
  }
}
