/**
 * The scan: a question asked of every object below some roots, in no order that depends on keys. Directories are loaded
 * many at a time, several batches under way; the one who asks says of each reference whether it is gone into, so that
 * a directory that many keys lead to need be read only once. For entries in the order of their keys, see the walk.
 *
 * Nothing here is a promise, a stream or an event for each entry: what is under way are batches.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { type BadPart, type Checked, ScanBatches, type ToCheck } from './scan-batch.ts'
import { TreeError } from './tree-error.ts'
import { badDirref, badEntry, decodeDir, missingDir } from './tree-faults.ts'
import {
  type DirObj,
  type Dirref,
  dirBlobref,
  type EntryObj,
  type Symlink,
  sortedNames,
  type Val,
  type Valref,
} from './treeobj.ts'

/** How many batches are under way. */
const BATCHES = 4

/** What was taken off the front of a queue is let go of, this many at a time. */
const LET_GO = 65_536

/**
 * Called for what a scan comes to. A place is whatever the visitor keeps of a directory; `name` is an entry of it. The
 * entries of one directory come without anything of another between them, but for directories that stand inline in it.
 */
export interface ScanVisitor<Place> {
  /** An entry, whatever it is, before anything else is said of it. */
  onEntry?(place: Place, name: string): void
  /** A directory in a blob. @returns its place if it is to be read; undefined to pass it over */
  onDirref(place: Place, name: string, blobref: string): Place | undefined
  /** A directory that stands in another. @returns its place */
  onInlineDir(place: Place, name: string): Place
  /**
   * A directory has been read, and its entries follow.
   *
   * @param bytes - of its blob; 0 for one that stands inline
   */
  onDir(place: Place, bytes: number): void
  onValue(place: Place, name: string, obj: Val | Valref): void
  onLink(place: Place, name: string, obj: Symlink): void
  /** A value has blobs that are missing, altered or unreadable; only of a scan that checks values. */
  onBadValue?(place: Place, name: string, blobrefs: readonly string[], bad: readonly BadPart[]): void
  /**
   * A part of the tree cannot be read.
   *
   * @param name - the entry that is at fault; undefined when it is the directory of the place as a whole
   */
  onFault(error: TreeError, place: Place, name: string | undefined, blobrefs: readonly string[]): void
  /** The key of a place or an entry of it, for messages. */
  keyOf(place: Place, name: string | undefined): string
  /** Is this directory inside of itself? It is asked before a directory is gone into. */
  isLoop?(place: Place, blobref: string): boolean
  /** Called after each batch; the scan goes on when it has settled. */
  afterBatch?(): Promise<void> | undefined
}

/** How a {@link TreeScan} goes about it. */
export interface ScanOptions {
  /** Compare the blobs of values with their blobrefs, where they lie. */
  checkValues?: boolean | undefined
  /** Go through a tree level by level; without it depth first, which keeps less in memory. */
  byLevel?: boolean | undefined
  /** Visit the names of each directory in the order of their bytes. */
  sorted?: boolean | undefined
  /** Blobs asked for at a time (default: as many as suit the store). */
  most?: number | undefined
  /** Batches under way (default 4). */
  batches?: number | undefined
  signal?: AbortSignal | undefined
}

/** A directory to be loaded, or a value to be checked. */
interface Pending<Place> extends ToCheck {
  readonly place: Place
  readonly name: string
}

/** Asks a question of every object below some directories. */
export class TreeScan<Place> {
  readonly #visitor: ScanVisitor<Place>
  readonly #options: ScanOptions
  readonly #batches: ScanBatches
  #pending: Pending<Place>[] = []
  /** Where the queue begins, of a scan by level. */
  #next = 0
  /** Found in the batch that is being gone through. */
  #found: Pending<Place>[] = []

  constructor(store: ContentStore, visitor: ScanVisitor<Place>, options: ScanOptions = {}) {
    this.#visitor = visitor
    this.#options = options
    this.#batches = new ScanBatches(store, options.most)
  }

  /**
   * Scan what is below some directories, and themselves.
   *
   * @throws {FluxError} when the store as a whole fails
   * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
   */
  async run(roots: Iterable<readonly [obj: DirObj | Dirref, place: Place]>): Promise<void> {
    const { signal, batches = BATCHES } = this.#options
    for (const [obj, place] of roots) this.#root(obj, place)
    await this.#settleBatch()
    const underWay: { batch: Pending<Place>[]; results: Promise<Checked[]> }[] = []
    while (true) {
      throwIfAborted(signal)
      while (underWay.length < batches) {
        const batch = this.#batches.take(() => this.#nextPending())
        if (batch.length === 0) break
        const results = this.#batches.batch(batch)
        results.catch(() => {})
        underWay.push({ batch, results })
      }
      const first = underWay.shift()
      if (first === undefined) return
      const results = await abortable(first.results, signal)
      for (const [i, result] of results.entries()) {
        // One that was too large to be loaded beside others.
        const whole = result instanceof ContentError ? await abortable(this.#batches.whole(result), signal) : result
        this.#complete(first.batch[i] as Pending<Place>, whole)
      }
      await this.#settleBatch()
    }
  }

  async #settleBatch(): Promise<void> {
    this.#queueFound()
    const after = this.#visitor.afterBatch?.()
    if (after !== undefined) await abortable(after, this.#options.signal)
  }

  #root(obj: DirObj | Dirref, place: Place): void {
    if (obj.type === 'dir') {
      this.#enter(place, obj, 0)
      return
    }
    const blobref = dirBlobref(obj)
    if (blobref === undefined) this.#fault(badDirref(this.#visitor.keyOf(place, undefined)), place, undefined, obj.data)
    else this.#found.push({ type: 'dir', place, name: '', blobrefs: obj.data })
  }

  #nextPending(): Pending<Place> | undefined {
    if (!this.#options.byLevel) return this.#pending.pop()
    if (this.#next > LET_GO) {
      this.#pending = this.#pending.slice(this.#next)
      this.#next = 0
    }
    return this.#next < this.#pending.length ? this.#pending[this.#next++] : undefined
  }

  /** What was found first is to come first, in a stack too. */
  #queueFound(): void {
    if (this.#options.byLevel) for (const pending of this.#found) this.#pending.push(pending)
    else for (let i = this.#found.length - 1; i >= 0; i--) this.#pending.push(this.#found[i] as Pending<Place>)
    this.#found = []
  }

  #complete({ type, place, name, blobrefs }: Pending<Place>, result: Checked): void {
    if (type === 'value') {
      if (result !== undefined) this.#visitor.onBadValue?.(place, name, blobrefs, result as BadPart[])
      return
    }
    const key = () => this.#visitor.keyOf(place, undefined)
    const blobref = blobrefs[0] as string
    if (result instanceof ContentError) {
      this.#fault(missingDir(key(), result), place, undefined, blobrefs)
      return
    }
    if (this.#visitor.isLoop?.(place, blobref)) {
      const at = { key: key(), blobref, kind: 'bad-treeobj' as const }
      this.#fault(new TreeError('ELOOP', at, 'directory contains itself'), place, undefined, blobrefs)
      return
    }
    const blob = result as Uint8Array
    let dir: DirObj
    try {
      dir = decodeDir(blob, key, blobref)
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#fault(error, place, undefined, blobrefs)
      return
    }
    this.#enter(place, dir, blob.length)
  }

  /** Visit the entries of a directory, and of those that stand in it. */
  #enter(top: Place, dir: DirObj, bytes: number): void {
    const visitor = this.#visitor
    const open = [this.#open(top, dir, bytes)]
    for (let level = open.at(-1); level; level = open.at(-1)) {
      const { place, data, names } = level
      let inline: DirObj | undefined
      while (level.at < names.length && inline === undefined) {
        const name = names[level.at++] as string
        const obj = data[name] as EntryObj
        visitor.onEntry?.(place, name)
        if (obj.type !== 'dir') this.#entry(place, name, obj)
        else open.push(this.#open(visitor.onInlineDir(place, name), (inline = obj), 0))
      }
      if (inline === undefined) open.pop()
    }
  }

  #open(place: Place, dir: DirObj, bytes: number) {
    this.#visitor.onDir(place, bytes)
    return { place, data: dir.data, names: this.#options.sorted ? sortedNames(dir) : Object.keys(dir.data), at: 0 }
  }

  #entry(place: Place, name: string, obj: Exclude<EntryObj, DirObj>): void {
    const visitor = this.#visitor
    switch (obj.type) {
      case 'symlink':
        visitor.onLink(place, name, obj)
        return
      case 'val':
        visitor.onValue(place, name, obj)
        return
      case 'valref':
        visitor.onValue(place, name, obj)
        if (this.#options.checkValues) this.#found.push({ type: 'value', place, name, blobrefs: obj.data })
        return
      case 'invalid':
        this.#fault(badEntry(visitor.keyOf(place, name), obj), place, name, [])
        return
      default: {
        const blobref = dirBlobref(obj)
        if (blobref === undefined) {
          this.#fault(badDirref(visitor.keyOf(place, name)), place, name, obj.data)
          return
        }
        const inside = visitor.onDirref(place, name, blobref)
        if (inside !== undefined) this.#found.push({ type: 'dir', place: inside, name, blobrefs: obj.data })
      }
    }
  }

  #fault(error: TreeError, place: Place, name: string | undefined, blobrefs: readonly string[]): void {
    this.#visitor.onFault(error, place, name, blobrefs)
  }
}
