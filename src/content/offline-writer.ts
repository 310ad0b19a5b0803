import { hash as digestHex } from 'node:crypto'
import { removeOwnLeftovers } from '../files/index.ts'
import { Thread } from '../threads/index.ts'
import type { BlobBatch } from './blob-batch.ts'
import { DIGEST_BYTES, Digests, type HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ContentWriter, StoringBatch } from './content-writer.ts'
import { RecentDigests } from './recent-digests.ts'
import type { CompressBlob, WritePlan } from './store-kind.ts'
import type { WriterHandlers, WriterThreadData } from './writer-thread.ts'

/** The most batches that may wait for the thread. */
const BATCHES = 4

/** When this many wait, the thread is behind. */
const BEHIND = 2

/** Larger batches are compressed in the thread only, because that could block this one too long. */
const MOST_COMPRESSED_BYTES = 4 << 20

/**
 * Stores blobs on disk, without a broker: a thread does the blocking writes. The digests are computed in this thread. The
 * blobs are compressed in the thread, too, or in this one when the thread is behind.
 */
export class OfflineWriter implements ContentWriter {
  readonly name: string
  readonly hash: HashName
  readonly #thread: Thread<WriterHandlers>
  readonly #recent: RecentDigests
  readonly #compress: CompressBlob | undefined
  readonly #underWay: Promise<void>[] = []
  #failed: Promise<void> = Promise.resolve()

  /**
   * @param name - the name of the store for messages
   * @param plan - what to write, and how
   * @throws {FluxError} the writer cannot open or make the store
   */
  static async open(name: string, { module, data, compress }: WritePlan): Promise<OfflineWriter> {
    const threadData: WriterThreadData = { name, module, data }
    try {
      const thread = await Thread.open<WriterHandlers>(name, './writer-thread', import.meta.url, threadData)
      return new OfflineWriter(name, thread, await thread.call('hash', undefined), compress)
    } catch (error) {
      removeOwnLeftovers(name)
      throw error
    }
  }

  private constructor(
    name: string,
    thread: Thread<WriterHandlers>,
    hash: HashName,
    compress: CompressBlob | undefined,
  ) {
    this.#compress = compress
    this.name = name
    this.hash = hash
    this.#thread = thread
    this.#recent = new RecentDigests(hash)
  }

  storeBatch(blobs: readonly Uint8Array[], handedOver = false): StoringBatch {
    const { blobrefs, digests } = digest(this.hash, blobs)
    const fresh: Uint8Array[] = []
    // The digests of fresh blobs move to the front.
    for (const [i, blob] of blobs.entries()) {
      if (!this.#recent.isNew(digests.words, i)) continue
      const width = DIGEST_BYTES[this.hash]
      if (fresh.length < i) digests.bytes.copyWithin(fresh.length * width, i * width, (i + 1) * width)
      fresh.push(blob)
    }
    const stored = fresh.length === 0 ? this.#failed : this.#store(fresh, digests.bytes, handedOver)
    this.#underWay.push(stored.catch(() => {}))
    const room = this.#underWay.length < BATCHES ? Promise.resolve() : (this.#underWay.shift() as Promise<void>)
    return { blobrefs, stored, room }
  }

  async commit(checkpoint: Checkpoint): Promise<void> {
    await this.#failed
    await this.#thread.call('commit', checkpoint)
  }

  /** Also removes what a thread that has died left of a new store. May be called twice. */
  async close(): Promise<void> {
    const { hasDied } = this.#thread
    await this.#thread.close()
    if (hasDied) removeOwnLeftovers(this.name)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #store(blobs: readonly Uint8Array[], digests: Uint8Array, handedOver: boolean): Promise<void> {
    const compress = this.#thread.pending >= BEHIND ? this.#compress : undefined
    const batch = pack(blobs, digests, { handedOver, compress })
    try {
      await this.#thread.call('store', batch, [batch.bytes.buffer, digests.buffer] as ArrayBuffer[])
    } catch (error) {
      // Later batches leave out blobs that `#recent` has, and those may be lost now. So they must fail too.
      this.#failed = Promise.reject(error)
      this.#failed.catch(() => {})
      throw error
    }
  }
}

function digest(hash: HashName, blobs: readonly Uint8Array[]): { blobrefs: string[]; digests: Digests } {
  const blobrefs: string[] = []
  let all = ''
  for (const blob of blobs) {
    const hex = digestHex(hash, blob, 'hex')
    blobrefs.push(`${hash}-${hex}`)
    all += hex
  }
  return { blobrefs, digests: new Digests(all) }
}

function pack(
  blobs: readonly Uint8Array[],
  digests: Uint8Array,
  { handedOver, compress }: { handedOver: boolean; compress: CompressBlob | undefined },
): BlobBatch {
  let total = 0
  for (const { length } of blobs) total += length
  if (compress !== undefined && total <= MOST_COMPRESSED_BYTES) return compressed(blobs, digests, total, compress)
  const start = new Float64Array(blobs.length)
  const end = new Float64Array(blobs.length)
  const bytes = handedOver ? new Uint8Array((blobs[0] as Uint8Array).buffer) : Buffer.allocUnsafeSlow(total)
  let at = 0
  for (const [i, blob] of blobs.entries()) {
    if (handedOver) at = blob.byteOffset
    else bytes.set(blob, at)
    start[i] = at
    end[i] = at += blob.length
  }
  return { bytes, start, end, digests }
}

function compressed(
  blobs: readonly Uint8Array[],
  digests: Uint8Array,
  total: number,
  compress: CompressBlob,
): BlobBatch {
  const start = new Float64Array(blobs.length)
  const end = new Float64Array(blobs.length)
  const sizes = new Float64Array(blobs.length)
  const bytes = Buffer.allocUnsafeSlow(total)
  let at = 0
  for (const [i, blob] of blobs.entries()) {
    const length = compress(blob, 0, blob.length, bytes, at)
    if (length === 0) bytes.set(blob, at)
    sizes[i] = length === 0 ? -1 : blob.length
    start[i] = at
    end[i] = at += length || blob.length
  }
  return { bytes, start, end, sizes, digests }
}
