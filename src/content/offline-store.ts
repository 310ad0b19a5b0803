import { Worker } from 'node:worker_threads'
import { FluxError } from '../errors/index.ts'
import { DIGEST_BYTES, type HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type BlobResult, ContentError, type ContentStore } from './content-store.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'
import type { ReaderReply, ReaderRequest, ReaderThreadData } from './reader-thread.ts'

/**
 * Batches of a few hundred blobs hide the cost of crossing between threads; more only lengthen the wait for a directory
 * that the walk needs next. Two in flight keep the thread busy while one is being used.
 */
const WINDOW = 1024

interface Pending {
  resolve: (reply: ReaderReply) => void
  reject: (error: unknown) => void
}

/** A request without its number: one type for each message, or the union would lose what belongs to which. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

/** A content store on disk, with no broker: a blocking reader in a thread of its own. */
export class OfflineStore implements ContentStore {
  readonly name: string
  readonly window = WINDOW
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #assertUnchanged: () => void
  #hash: HashName = 'sha1'
  #objects: number | undefined
  #nextId = 1
  #failure: unknown
  #closed = false

  /**
   * @param data - what to read, and how
   * @param assertUnchanged - throws when the files on disk are no longer what they were
   * @throws {FluxError} what the reader says when it cannot open the store
   */
  static async open(data: ReaderThreadData, assertUnchanged: () => void): Promise<OfflineStore> {
    const store = new OfflineStore(data, assertUnchanged)
    try {
      const reply = await store.#reply(0)
      if (reply.type === 'opened') store.#hash = reply.hash
      return store
    } catch (error) {
      await store.#worker.terminate()
      throw error
    }
  }

  private constructor(data: ReaderThreadData, assertUnchanged: () => void) {
    this.name = data.name
    this.#assertUnchanged = assertUnchanged
    const file = import.meta.url.endsWith('.ts') ? './reader-thread.ts' : './reader-thread.js'
    // Node 22 calls node:sqlite experimental, on stderr.
    const execArgv = ['--disable-warning=ExperimentalWarning']
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: data, execArgv })
    this.#worker.on('message', (reply: ReaderReply) => this.#settle(reply))
    this.#worker.on('error', (error) =>
      this.#fail(FluxError.fromSystem(error, `${this.name}: the reading thread failed`)),
    )
    this.#worker.on('exit', () => this.#fail(new FluxError('EIO', `${this.name}: the reading thread ended`)))
  }

  get hash(): HashName {
    return this.#hash
  }

  get objects(): number | undefined {
    return this.#objects
  }

  async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const prefix = `${this.#hash}-`
    const digits = DIGEST_BYTES[this.#hash] * 2
    let hex = ''
    for (const blobref of blobrefs) {
      // A blobref of the other algorithm cannot be in this store: ask for a digest that cannot be either.
      hex += blobref.startsWith(prefix) ? blobref.slice(prefix.length) : ''.padEnd(digits, '0')
    }
    const reply = await this.#request({ type: 'batch', hex, count: blobrefs.length, budgetBytes })
    if (reply.type !== 'batch') throw new FluxError('EIO', `${this.name}: unexpected reply of the reading thread`)
    this.#objects = reply.objects
    return blobrefs.map((blobref, i) => resultOf(reply.batch, i, blobref))
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const reply = await this.#request({ type: 'checkpoints' })
    const checkpoints = reply.type === 'checkpoints' ? reply.checkpoints : []
    if (checkpoints.length === 0) {
      throw new FluxError('ENOENT', `${this.name}: no checkpoint in this store`, {
        hint: 'an instance writes one when it shuts down; --root BLOBREF dumps any directory',
      })
    }
    return checkpoints
  }

  async assertUnchanged(): Promise<void> {
    this.#assertUnchanged()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#failure === undefined) await this.#request({ type: 'close' }).catch(() => {})
    await this.#worker.terminate()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #request(request: Unnumbered<ReaderRequest>): Promise<ReaderReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const id = this.#nextId++
    const reply = this.#reply(id)
    this.#worker.postMessage({ ...request, id })
    return reply
  }

  #reply(id: number): Promise<ReaderReply> {
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  #settle(reply: ReaderReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.type === 'error') {
      const { code, message, hint } = reply.error
      pending?.reject(new FluxError(code, message, { hint }))
    } else {
      pending?.resolve(reply)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

function resultOf(batch: PackedBatch, i: number, blobref: string): BlobResult {
  switch (batch.status[i]) {
    case BLOB.PACKED:
      return batch.arena.subarray(batch.start[i], batch.end[i])
    case BLOB.LARGE:
      return batch.large.get(i)
    case BLOB.DEFERRED:
      return undefined
    case BLOB.MISSING:
      return new ContentError('ENOENT', blobref, 'No such file or directory')
    case BLOB.ALTERED:
      return new ContentError('EBADMSG', blobref, 'altered: the stored bytes do not match the blobref')
    default:
      return new ContentError('EIO', blobref, batch.reasons.get(i) ?? 'Input/output error')
  }
}
