import { Thread } from '../threads/index.ts'
import type { BlobBatch } from './blob-batch.ts'
import { blobrefOf, DIGEST_BYTES, type HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ContentWriter, StoringBatch } from './content-writer.ts'
import { RecentBlobrefs } from './recent-blobrefs.ts'
import type { WritePlan } from './store-kind.ts'
import type { WriterHandlers, WriterThreadData } from './writer-thread.ts'

/** The most batches that may wait for the thread. */
const BATCHES = 4

/**
 * Stores blobs on disk, without a broker: a thread does the blocking writes. The digests are computed in this thread.
 */
export class OfflineWriter implements ContentWriter {
  readonly name: string
  readonly hash: HashName
  readonly #thread: Thread<WriterHandlers>
  readonly #recent = new RecentBlobrefs()
  readonly #underWay: Promise<void>[] = []
  #failed: Promise<void> = Promise.resolve()

  /**
   * @param name - the name of the store for messages
   * @param plan - what to write, and how
   * @throws {FluxError} the writer cannot open or make the store
   */
  static async open(name: string, { module, data }: WritePlan): Promise<OfflineWriter> {
    const threadData: WriterThreadData = { name, module, data }
    const thread = await Thread.open<WriterHandlers>(name, './writer-thread', import.meta.url, threadData)
    return new OfflineWriter(name, thread, await thread.call('hash', undefined))
  }

  private constructor(name: string, thread: Thread<WriterHandlers>, hash: HashName) {
    this.name = name
    this.hash = hash
    this.#thread = thread
  }

  storeBatch(blobs: readonly Uint8Array[], handedOver = false): StoringBatch {
    const blobrefs = blobs.map((blob) => blobrefOf(this.hash, blob))
    const fresh = blobrefs.flatMap((blobref, i) => (this.#recent.isNew(blobref) ? [i] : []))
    const stored = fresh.length === 0 ? this.#failed : this.#store(blobs, blobrefs, fresh, handedOver)
    this.#underWay.push(stored.catch(() => {}))
    const room = this.#underWay.length < BATCHES ? Promise.resolve() : (this.#underWay.shift() as Promise<void>)
    return { blobrefs, stored, room }
  }

  async commit(checkpoint: Checkpoint): Promise<void> {
    await this.#failed
    await this.#thread.call('commit', checkpoint)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #store(
    blobs: readonly Uint8Array[],
    blobrefs: readonly string[],
    places: readonly number[],
    handedOver: boolean,
  ): Promise<void> {
    const chosen = places.map((i) => blobs[i] as Uint8Array)
    const batch = pack(
      chosen,
      places.map((i) => blobrefs[i] as string),
      this.hash,
      handedOver,
    )
    try {
      await this.#thread.call('store', batch, [batch.bytes.buffer as ArrayBuffer])
    } catch (error) {
      // Later batches leave out blobs that `#recent` has, and those may be lost now. So they must fail too.
      this.#failed = Promise.reject(error)
      this.#failed.catch(() => {})
      throw error
    }
  }
}

function pack(
  blobs: readonly Uint8Array[],
  blobrefs: readonly string[],
  hash: HashName,
  handedOver: boolean,
): BlobBatch {
  const hex = blobrefs.map((blobref) => blobref.slice(hash.length + 1)).join('')
  const digests = Buffer.allocUnsafeSlow(blobs.length * DIGEST_BYTES[hash])
  digests.write(hex, 'hex')
  const start = new Float64Array(blobs.length)
  const end = new Float64Array(blobs.length)
  const place = (i: number, at: number, length: number): number => {
    start[i] = at
    end[i] = at + length
    return at + length
  }
  if (handedOver) {
    for (const [i, blob] of blobs.entries()) place(i, blob.byteOffset, blob.length)
    return { bytes: new Uint8Array((blobs[0] as Uint8Array).buffer), start, end, digests }
  }
  const bytes = Buffer.allocUnsafeSlow(blobs.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const [i, blob] of blobs.entries()) {
    bytes.set(blob, at)
    at = place(i, at, blob.length)
  }
  return { bytes, start, end, digests }
}
