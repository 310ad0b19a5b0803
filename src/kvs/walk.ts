/**
 * The walk yields all values and symlinks below a root, depth first, the names of each directory in byte order.
 *
 * Blobs are loaded ahead of the walk, several batches at a time, in the order in which they will be needed. The
 * load-ahead is bounded in blobs (the store's window) and in bytes. A directory at the front of the queue is loaded
 * before anything that follows it. The order of the entries, and the first error, depend only on the tree.
 *
 * There is no promise, stream or event for each blob or entry: loads and entries come in batches.
 */
import { type BlobResult, ContentError, type ContentStore } from '../content/index.ts'
import { abortable, FluxError, InterruptedError, throwIfAborted } from '../errors/index.ts'
import { type Dir, type Entry, keyOf, type ValueEntry } from './entry.ts'
import { TreeError } from './tree-error.ts'
import { decodeDir, decodeInline, missingDir, missingValue } from './tree-faults.ts'
import { type DirObj, MAX_DIR_BYTES } from './treeobj.ts'
import { isTooLarge, streamValue } from './value-stream.ts'
import { LimitCount, MAX_DEPTH } from './walk-limits.ts'
import type { WalkOptions } from './walk-options.ts'
import { type Inline, type Loading, nodeKey, WalkQueue } from './walk-queue.ts'

/** A batch ends after this many entries, or when their values reach {@link BATCH_BYTES}. */
const BATCH_ENTRIES = 1024
const BATCH_BYTES = 1 << 20

/** Blobs requested at a time. A larger batch is no faster, and makes the walk wait longer for its directories. */
const MAX_LOAD = 512

/** Bytes loaded and not yielded yet; each batch of loads gets a share of this budget. */
const WINDOW_BYTES = 64 << 20

/** Depth down to which each directory is compared with all directories above it. */
const LOOP_CHECK_DEPTH = 1024

/** A value larger than this is streamed instead of held. */
const LARGE_VALUE = 16 << 20

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
  readonly #windowBytes: number
  /** Blobs that the store left out of a batch. They are requested again before any other. */
  #deferred: { node: Loading; index: number }[] = []
  #inFlight = 0
  /** Bytes loaded for nodes that have not been yielded. */
  #heldBytes = 0
  readonly #limit: LimitCount
  /** The load of the last large directory: those too large to load beside others are loaded one after another. */
  #largeDirs: Promise<void> = Promise.resolve()
  #failure: unknown
  #wake: (() => void) | undefined
  readonly #onAbort = () => this.#wake?.()

  constructor(store: ContentStore, root: string | DirObj, options: WalkOptions) {
    const { filter, reverse = false, onDir, maxDepth = MAX_DEPTH } = options
    this.#store = store
    this.#queue = new WalkQueue(root, { filter, reverse, enter: onDir !== undefined, maxDepth })
    this.#options = options
    this.#limit = new LimitCount(options.maxKeys)
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The next entries, or undefined at the end. */
  async next(): Promise<Entry[] | undefined> {
    const batch: Entry[] = []
    let bytes = 0
    while (true) {
      throwIfAborted(this.#options.signal)
      if (this.#failure !== undefined) throw this.#failure
      const node = this.#queue.head
      if (node === undefined || batch.length >= BATCH_ENTRIES || bytes >= BATCH_BYTES) {
        this.#fill()
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
        this.#forget(node)
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
      if (node.kind === 'value' && node.loaded === node.blobrefs.length) {
        this.#queue.remove(node)
        this.#limit.add(1)
        this.#heldBytes -= node.bytes
        bytes += node.bytes
        const { parent, name, bytes: size, parts, blobrefs } = node
        batch.push({ type: 'value', dir: parent as Dir, name, size, parts, blobs: blobrefs.length })
        continue
      }
      this.#fill()
      if (batch.length > 0) return batch
      // An abort or a failure also wakes this. The head's blobs have been requested, since #fill() always requests
      // them.
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  /** Stop loading. */
  stop(): void {
    this.#failure ??= new InterruptedError('walk abandoned')
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Request blobs, in order, until the window is full. */
  #fill(): void {
    let from: Loading | undefined
    while (this.#failure === undefined) {
      const { window } = this.#store
      // At most half of the window at a time, so that one half loads while the other is used.
      const free = Math.min(window - this.#inFlight, MAX_LOAD, Math.ceil(window / 2))
      const budget = this.#windowBytes - this.#heldBytes
      if (free <= 0 || budget <= 0) {
        // The head must be loaded even when the window is full, or nothing would ever leave it.
        if (this.#inFlight === 0) this.#loadForHead()
        return
      }
      const nodes: Loading[] = []
      const indexes: number[] = []
      while (nodes.length < free) {
        const again = this.#deferred.shift()
        if (again !== undefined) {
          if (again.node.error !== undefined || again.node.large) continue
          nodes.push(again.node)
          indexes.push(again.index)
          continue
        }
        from = this.#queue.nextUnrequested(from)
        if (from === undefined) break
        nodes.push(from)
        indexes.push(from.requested++)
      }
      if (nodes.length === 0) return
      this.#load(nodes, indexes, Math.max(budget / 2, 1))
    }
  }

  /** Request one blob that the head waits for. */
  #loadForHead(): void {
    const { head } = this.#queue
    if (head === undefined || head.kind === 'span' || head.kind === 'inline' || head.kind === 'enter') return
    const at = this.#deferred.findIndex(({ node }) => node === head)
    const [deferred] = at < 0 ? [] : this.#deferred.splice(at, 1)
    if (deferred !== undefined) this.#load([head], [deferred.index], 1)
    else if (head.requested < head.blobrefs.length) this.#load([head], [head.requested++], 1)
  }

  #load(nodes: Loading[], indexes: number[], budgetBytes: number): void {
    this.#inFlight += nodes.length
    const blobrefs = nodes.map((node, i) => node.blobrefs[indexes[i] as number] as string)
    this.#store
      .loadBatch(blobrefs, budgetBytes, LARGE_VALUE)
      .then((results) => {
        this.#inFlight -= nodes.length
        this.#options.onLoaded?.(nodes.length)
        for (let i = 0; i < nodes.length; i++) this.#arrived(nodes[i] as Loading, indexes[i] as number, results[i])
        this.#fill()
      })
      .catch((error) => {
        this.#failure ??= error
      })
      .finally(() => this.#wake?.())
  }

  #arrived(node: Loading, index: number, result: BlobResult): void {
    if (result === undefined) {
      this.#deferred.push({ node, index })
      return
    }
    if (node.error !== undefined || node.large) return
    if (isTooLarge(result)) {
      this.#arrivedLarge(node)
      return
    }
    if (result instanceof ContentError) {
      node.error = blobError(node, index, result)
      return
    }
    if (node.kind === 'dir') {
      this.#expand(node, result)
      return
    }
    node.parts[index] = result
    node.loaded++
    node.bytes += result.length
    this.#heldBytes += result.length
    if (node.bytes > LARGE_VALUE && node.blobrefs.length > 1) {
      this.#forget(node)
      node.large = true
    }
  }

  /**
   * A blob was not returned because it is too large to hold beside others. A directory is then loaded alone; a value is
   * streamed.
   */
  #arrivedLarge(node: Loading): void {
    if (node.kind === 'value') {
      this.#forget(node)
      node.large = true
      return
    }
    this.#inFlight++
    this.#largeDirs = this.#largeDirs
      .then(async () => {
        if (this.#failure !== undefined) return
        const [result] = await this.#store.loadBatch(node.blobrefs, 1, MAX_DIR_BYTES)
        this.#inFlight--
        if (result instanceof ContentError) node.error = blobError(node, 0, result)
        else this.#expand(node, result as Uint8Array)
        this.#fill()
      })
      .catch((error) => {
        this.#failure ??= error
      })
      .finally(() => this.#wake?.())
  }

  #expand(node: Loading, blob: Uint8Array): void {
    const { parent, blobrefs } = node
    const blobref = blobrefs[0] as string
    if (parent && contains(parent, blobref)) {
      const at = { key: nodeKey(node), blobref, kind: 'bad-treeobj' as const }
      node.error = new TreeError('ELOOP', at, 'directory contains itself')
      return
    }
    try {
      const obj = decodeDir(blob, () => nodeKey(node), blobref)
      this.#limit.add(1)
      this.#queue.expand(node, obj)
    } catch (error) {
      if (!(error instanceof FluxError)) throw error
      node.error = error
    }
  }

  #inlineEntry(node: Inline): Entry | undefined {
    const { dir, name, obj } = node
    if (obj.type === 'symlink') {
      return { type: 'symlink', dir, name, target: obj.data.target, namespace: obj.data.namespace }
    }
    try {
      const value = decodeInline(obj, () => keyOf(dir, name))
      return { type: 'value', dir, name, size: value.length, parts: [value], blobs: 0 }
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
    const { parent, name, blobrefs } = node
    const stream = () => this.#stream(node)
    return { type: 'value', dir: parent as Dir, name, size, parts: undefined, blobs: blobrefs.length, stream }
  }

  /**
   * The size of a value in bytes, once all its blobs are verified. A store on disk does both without returning the
   * bytes.
   */
  async #checkedSize(node: Loading): Promise<number> {
    let size = 0
    const { blobrefs } = node
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

  #stream({ parent, name, blobrefs }: Loading): AsyncGenerator<readonly Uint8Array[], void, void> {
    return streamValue(this.#store, keyOf(parent, name), blobrefs, this.#options.signal)
  }

  /** Drop the bytes of a node that will not be yielded with them. */
  #forget(node: Loading): void {
    this.#heldBytes -= node.bytes
    node.bytes = 0
    node.parts.length = 0
  }

  #report(error: TreeError): void {
    if (this.#options.onFault === undefined) throw error
    this.#options.onFault(error)
  }
}

/**
 * True when the directory, or one above it, is the one of this blob. Only an unverified store can hold a directory that
 * contains itself.
 */
function contains(inside: Dir, blobref: string): boolean {
  // Deep in the tree, check only at some levels: the check takes time for each level above.
  if (inside.depth > LOOP_CHECK_DEPTH && inside.depth % LOOP_CHECK_DEPTH !== 0) return false
  for (let dir: Dir | undefined = inside; dir; dir = dir.parent) if (dir.blobref === blobref) return true
  return false
}

function blobError(node: Loading, index: number, cause: ContentError): TreeError {
  const key = nodeKey(node)
  return node.kind === 'dir' ? missingDir(key, cause) : missingValue(key, index, cause)
}
