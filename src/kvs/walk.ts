/**
 * The walk yields all values and symlinks below a root, depth first, the names of each directory in byte order.
 *
 * Blobs are loaded ahead of the walk, several batches at a time, in the order in which they will be needed. The
 * load-ahead is bounded in blobs (the store's window) and in bytes. A directory at the front of the queue is loaded
 * before anything that follows it. The order of the entries, and the first error, depend only on the tree.
 *
 * There is no promise, stream or event for each blob or entry: loads and entries come in batches.
 */
import type { ContentStore } from '../content/index.ts'
import { abortable, InterruptedError, throwIfAborted } from '../errors/index.ts'
import { type Dir, type Entry, keyOf, type ValueEntry } from './entry.ts'
import { NO_REFS, refList } from './refs.ts'
import { TreeError } from './tree-error.ts'
import { decodeInline, missingValue } from './tree-faults.ts'
import type { DirObj } from './treeobj.ts'
import { streamValue } from './value-stream.ts'
import { LimitCount, MAX_DEPTH } from './walk-limits.ts'
import { MAX_LOAD, WalkLoads } from './walk-loads.ts'
import type { WalkOptions } from './walk-options.ts'
import { type Inline, type Loading, nodeKey, type Part, WalkQueue } from './walk-queue.ts'

/** A batch ends after this many entries, or when their values reach {@link BATCH_BYTES}. */
const BATCH_ENTRIES = 1024
const BATCH_BYTES = 1 << 20

/**
 * Walk a tree.
 *
 * @param root - a directory, or its blobref
 * @yields batches of entries, never empty. The bytes of values are views that stay valid.
 * @throws {TreeError} see {@link WalkOptions.onFault}
 * @throws {FluxError} `EOVERFLOW` more keys or levels of directories than allowed; `EINTR`, `ETIMEDOUT` or the signal's
 *   reason when it is aborted
 */
export async function* walk(
  store: ContentStore,
  root: string | DirObj,
  options: WalkOptions = {},
): AsyncGenerator<Entry[], void, void> {
  const walker = new Walker(store, root, options)
  try {
    while (true) {
      const batch = await walker.next()
      if (batch === undefined) return
      yield batch
    }
  } finally {
    walker.stop()
  }
}

class Walker {
  readonly #store: ContentStore
  readonly #queue: WalkQueue
  readonly #options: WalkOptions
  readonly #loads: WalkLoads
  readonly #limit: LimitCount
  readonly #onAbort = () => this.#loads.wake()

  constructor(store: ContentStore, root: string | DirObj, options: WalkOptions) {
    const { filter, reverse = false, onDir, maxDepth = MAX_DEPTH, limitHint } = options
    this.#store = store
    const enter = onDir !== undefined
    this.#queue = new WalkQueue(root, { filter, reverse, enter, hash: store.hash, maxDepth, limitHint })
    this.#options = options
    this.#limit = new LimitCount(options)
    this.#loads = new WalkLoads(store, root, this.#queue, options, this.#limit)
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The next entries, or undefined at the end. */
  async next(): Promise<Entry[] | undefined> {
    const loads = this.#loads
    const batch: Entry[] = []
    let bytes = 0
    while (true) {
      throwIfAborted(this.#options.signal)
      if (loads.failure !== undefined) throw loads.failure
      const node = this.#queue.head
      if (node === undefined || batch.length >= BATCH_ENTRIES || bytes >= BATCH_BYTES) {
        loads.fill()
        return batch.length > 0 ? batch : undefined
      }
      if (node.kind === 'span') {
        this.#queue.open(node)
        continue
      }
      if (node.kind === 'enter') {
        this.#queue.remove(node)
        this.#options.onDir?.(node.dir)
        continue
      }
      if (node.kind === 'inline') {
        this.#queue.remove(node)
        this.#limit.add(1)
        const entry = this.#inlineEntry(node)
        if (entry) batch.push(entry)
        continue
      }
      if (node.error !== undefined) {
        this.#queue.remove(node)
        loads.forget(node)
        if (!(node.error instanceof TreeError)) throw node.error
        this.#report(node.error)
        continue
      }
      if (node.kind === 'value' && node.large) {
        if (batch.length > 0) return batch
        const entry = await this.#largeEntry(node)
        this.#queue.remove(node)
        if (entry) return [entry]
        continue
      }
      if (node.kind === 'value' && node.loaded === node.refCount) {
        this.#queue.remove(node)
        this.#limit.add(1)
        loads.release(node)
        bytes += node.bytes
        batch.push(valueEntry(node))
        continue
      }
      loads.fill()
      if (batch.length > 0) return batch
      // An abort or a failure also wakes this. The head's blobs have been requested, since fill() always requests them.
      await loads.arrival()
    }
  }

  /** Stop loading. */
  stop(): void {
    this.#loads.failure ??= new InterruptedError('walk abandoned')
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  #inlineEntry(node: Inline): Entry | undefined {
    const { dir, name, obj } = node
    if (obj.type === 'symlink') {
      return { type: 'symlink', dir, name, target: obj.data.target, namespace: obj.data.namespace }
    }
    try {
      const value = decodeInline(obj, () => keyOf(dir, name))
      return { type: 'value', dir, name, size: value.length, parts: [value], blobs: 0, refs: NO_REFS }
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#report(error)
      return undefined
    }
  }

  /**
   * The entry of a value too large to hold. It is read once here for its size and to check that it is complete, and
   * again when the consumer streams it.
   */
  async #largeEntry(node: Loading): Promise<ValueEntry | undefined> {
    let size: number
    try {
      size = await this.#checkedSize(node)
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#report(error)
      return undefined
    }
    const { parent, name, refCount } = node
    const stream = () => this.#stream(node)
    return {
      type: 'value',
      dir: parent as Dir,
      name,
      size,
      parts: undefined,
      blobs: refCount,
      refs: node,
      stream,
    }
  }

  /**
   * The size of a value in bytes, once all its blobs are verified. A store on disk does both without returning the
   * bytes.
   */
  async #checkedSize(node: Loading): Promise<number> {
    let size = 0
    const blobrefs = refList(node, this.#store.hash)
    const { signal } = this.#options
    const { onDisk } = this.#store
    if (!onDisk) {
      for await (const parts of this.#stream(node)) for (const part of parts) size += part.length
      return size
    }
    for (let at = 0; at < blobrefs.length; at += MAX_LOAD) {
      const some = blobrefs.slice(at, at + MAX_LOAD)
      const errors = await abortable(this.#store.checkBatch(some), signal)
      for (const [i, error] of errors.entries()) if (error) throw missingValue(nodeKey(node), at + i, error)
      for (const bytes of await onDisk.sizes(some)) size += bytes
    }
    return size
  }

  #stream(node: Loading): AsyncGenerator<readonly Uint8Array[], void, void> {
    const blobrefs = refList(node, this.#store.hash)
    return streamValue(this.#store, keyOf(node.parent, node.name), blobrefs, this.#options.signal)
  }

  #report(error: TreeError): void {
    if (this.#options.onFault === undefined) throw error
    this.#options.onFault(error)
  }
}

function valueEntry(node: Loading): ValueEntry {
  const { parent, name, bytes, parts, refCount } = node
  const views: Uint8Array[] = new Array(refCount)
  for (let i = 0; i < refCount; i++) {
    const { blobs, place } = parts[i] as Part
    views[i] = blobs.bytesOf(place)
  }
  return { type: 'value', dir: parent as Dir, name, size: bytes, parts: views, blobs: refCount, refs: node }
}
