/**
 * The loads of a walk: which blobs are requested, and what becomes of those that arrive. Blobs are requested in the order
 * of the queue, several batches at a time, bounded in blobs (the store's window) and in bytes.
 */
import { BlobRequest, ContentError, type ContentStore, type LoadedBlobs, loadBlobs } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { DecodedDir } from './dir-entries.ts'
import type { Dir } from './entry.ts'
import { countStored } from './path-count.ts'
import { PlainDir } from './plain-dir.ts'
import { refAt, requestRef } from './refs.ts'
import { TreeError } from './tree-error.ts'
import { decodeDir, missingDir, missingValue } from './tree-faults.ts'
import { type DirObj, dirrefOf, MAX_DIR_BYTES } from './treeobj.ts'
import { isTooLarge } from './value-stream.ts'
import type { LimitCount } from './walk-limits.ts'
import type { WalkOptions } from './walk-options.ts'
import { addPart, dropParts, type Loading, nodeKey, type WalkQueue } from './walk-queue.ts'

/** Blobs requested at a time. A larger batch is no faster, and makes the walk wait longer for its directories. */
export const MAX_LOAD = 512

/** Bytes loaded and not yielded yet; each batch of loads gets a share of this budget. */
const WINDOW_BYTES = 64 << 20

/** Depth down to which each directory is compared with all directories above it. */
const LOOP_CHECK_DEPTH = 1024

/** A value larger than this is streamed instead of held. */
const LARGE_VALUE = 16 << 20

export class WalkLoads {
  /** The first error that ends the walk. */
  failure: unknown
  readonly #store: ContentStore
  readonly #root: string | DirObj
  readonly #queue: WalkQueue
  readonly #options: WalkOptions
  readonly #limit: LimitCount
  readonly #windowBytes: number
  /** Blobs that the store left out of a batch. They are requested again before any other. */
  #deferred: { node: Loading; index: number }[] = []
  #inFlight = 0
  /** Bytes loaded for nodes that have not been yielded. */
  #heldBytes = 0
  /** The load of the last large directory: those too large to load beside others are loaded one after another. */
  #largeDirs: Promise<void> = Promise.resolve()
  #wake: (() => void) | undefined

  constructor(store: ContentStore, root: string | DirObj, queue: WalkQueue, options: WalkOptions, limit: LimitCount) {
    this.#store = store
    this.#root = root
    this.#queue = queue
    this.#options = options
    this.#limit = limit
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
  }

  /** Settles when blobs have arrived, or at {@link wake}. */
  async arrival(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  /** End the wait for an arrival. */
  wake(): void {
    this.#wake?.()
  }

  /** The bytes of a node are yielded, and no longer held here. */
  release(node: Loading): void {
    this.#heldBytes -= node.bytes
  }

  /** Drop the bytes of a node that will not be yielded with them. */
  forget(node: Loading): void {
    this.#heldBytes -= node.bytes
    node.bytes = 0
    dropParts(node)
  }

  /** Request blobs, in order, until the window is full. */
  fill(): void {
    let from: Loading | undefined
    while (this.failure === undefined) {
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
    else if (head.requested < head.refCount) this.#load([head], [head.requested++], 1)
  }

  #load(nodes: readonly Loading[], indexes: readonly number[], budgetBytes: number): void {
    this.#inFlight += nodes.length
    const request = new BlobRequest(this.#store.hash, nodes.length)
    for (let i = 0; i < nodes.length; i++) requestRef(request, nodes[i] as Loading, indexes[i] as number)
    loadBlobs(this.#store, request, budgetBytes, LARGE_VALUE)
      .then((blobs) => {
        this.#inFlight -= nodes.length
        this.#options.onLoaded?.(nodes.length)
        for (let i = 0; i < nodes.length; i++) this.#arrived(nodes[i] as Loading, indexes[i] as number, blobs, i)
        this.fill()
      })
      .catch((error) => {
        this.failure ??= error
      })
      .finally(() => this.wake())
  }

  #arrived(node: Loading, index: number, blobs: LoadedBlobs, place: number): void {
    const size = blobs.sizeOf(place)
    if (size < 0) {
      this.#notArrived(node, index, blobs.errorOf(place))
      return
    }
    if (node.error !== undefined || node.large) return
    if (node.kind === 'dir') {
      this.#expand(node, blobs.bytesOf(place))
      return
    }
    addPart(node, index, { blobs, place })
    node.loaded++
    node.bytes += size
    this.#heldBytes += size
    if (node.bytes > LARGE_VALUE && node.refCount > 1) {
      this.forget(node)
      node.large = true
    }
  }

  #notArrived(node: Loading, index: number, error: ContentError | undefined): void {
    if (error === undefined) this.#deferred.push({ node, index })
    else if (node.error !== undefined || node.large) return
    else if (isTooLarge(error)) this.#arrivedLarge(node)
    else node.error = blobError(node, index, error)
  }

  /**
   * A blob was not returned because it is too large to hold beside others. A directory is then loaded alone; a value is
   * streamed.
   */
  #arrivedLarge(node: Loading): void {
    if (node.kind === 'value') {
      this.forget(node)
      node.large = true
      return
    }
    this.#inFlight++
    this.#largeDirs = this.#largeDirs
      .then(async () => {
        if (this.failure !== undefined) return
        const [result] = await this.#store.loadBatch([refAt(node, 0, this.#store.hash)], 1, MAX_DIR_BYTES)
        this.#inFlight--
        if (result instanceof ContentError) node.error = blobError(node, 0, result)
        else this.#expand(node, result as Uint8Array)
        this.fill()
      })
      .catch((error) => {
        this.failure ??= error
      })
      .finally(() => this.wake())
  }

  #expand(node: Loading, blob: Uint8Array): void {
    const { hash } = this.#store
    const { parent } = node
    const blobref = refAt(node, 0, hash)
    if (parent && contains(parent, blobref)) {
      const at = { key: nodeKey(node), blobref, kind: 'bad-treeobj' as const }
      node.error = new TreeError('ELOOP', at, 'directory contains itself')
      return
    }
    try {
      const { reverse = false } = this.#options
      const bytes = ownBytes(blob)
      const entries =
        PlainDir.of(bytes, hash, reverse) ??
        new DecodedDir(
          decodeDir(bytes, () => nodeKey(node), blobref),
          reverse,
        )
      // The root is no entry.
      if (parent) this.#limit.add(1)
      if (this.#limit.isCountDue(blobref)) void this.#countTree()
      this.#queue.expand(node, blobref, entries)
    } catch (error) {
      if (!(error instanceof FluxError)) throw error
      node.error = error
    }
  }

  /** Count the keys of the tree while the walk goes on, and end it when they are too many. */
  async #countTree(): Promise<void> {
    const { filter, signal } = this.#options
    const root = typeof this.#root === 'string' ? dirrefOf(this.#root) : this.#root
    // Any other filter needs the key of each directory: the keys of the whole tree are counted then.
    const isSelected = filter !== undefined && filter.byDepth !== true
    try {
      const { countable } = this.#limit
      const options = { filter: isSelected ? undefined : filter, signal, isOver: () => this.failure !== undefined }
      const counting = countStored(this.#store, root, countable, options)
      // It may fail where the walk does not go.
      this.#limit.judge(await (isSelected ? counting.catch(() => undefined) : counting), isSelected)
    } catch (error) {
      this.failure ??= error
      this.wake()
    }
  }
}

/**
 * The bytes of a directory, apart from the blobs that it was loaded with: those would stay in memory as long as the
 * directory is walked.
 */
function ownBytes(blob: Uint8Array): Buffer {
  const isAlone = 2 * blob.length > blob.buffer.byteLength
  return isAlone ? Buffer.from(blob.buffer, blob.byteOffset, blob.length) : Buffer.from(blob)
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
