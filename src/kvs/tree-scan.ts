/**
 * The scan visits every object below some roots, in no particular order of keys. It loads directories in batches,
 * several at a time. The visitor decides for each reference whether to enter it, so a directory that many keys lead to
 * need be read only once. For entries in the order of their keys, use the walk; where no names are needed, use {@link
 * DirScan}.
 *
 * There is no promise, stream or event for each entry, only for each batch.
 */
import { ContentError, type ContentStore, type HashName } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from './dir-entries.ts'
import { PlainDir } from './plain-dir.ts'
import { refAt, refList } from './refs.ts'
import { type BadPart, type Checked, ScanBatches, type ToCheck } from './scan-batch.ts'
import { TreeError } from './tree-error.ts'
import { badDirref, badEntry, decodeDir, missingDir } from './tree-faults.ts'
import { type DirObj, type Dirref, dirBlobref, type Invalid } from './treeobj.ts'

/** Batches in flight. */
const BATCHES = 4

/** The queue drops its used front whenever it is longer than this. */
const COMPACT_AFTER = 65_536

/**
 * The callbacks of a scan. A place is whatever the visitor keeps for a directory; `name` is an entry of it. Calls for
 * the entries of one directory are not mixed with those of another, except for its inline subdirectories.
 */
export interface ScanVisitor<Place> {
  /** Called for each entry of any type, before the call for its type. */
  onEntry?(place: Place, name: string): void
  /** A directory in a blob. @returns its place if the scan should read it; undefined to skip it */
  onDirref(place: Place, name: string, blobref: string): Place | undefined
  /** A directory stored inline in another. @returns its place */
  onInlineDir(place: Place, name: string): Place
  /**
   * A directory has been read, and its entries follow.
   *
   * @param bytes - size of its blob; 0 for an inline directory
   */
  onDir(place: Place, bytes: number): void
  /** @param entry - its type is `ENTRY.VAL` or `ENTRY.VALREF`; it moves on after the call */
  onValue(place: Place, entry: DirEntries): void
  /** @param entry - its type is `ENTRY.SYMLINK`; it moves on after the call */
  onLink(place: Place, entry: DirEntries): void
  /** A value has blobs that are missing, altered or unreadable. Called only with `checkValues`. */
  onBadValue?(place: Place, name: string, blobrefs: readonly string[], bad: readonly BadPart[]): void
  /**
   * A part of the tree cannot be read.
   *
   * @param name - the entry at fault; undefined when the directory of the place itself cannot be read
   */
  onFault(error: TreeError, place: Place, name: string | undefined, blobrefs: readonly string[]): void
  /** The key of a place or an entry of it, for messages. */
  keyOf(place: Place, name: string | undefined): string
  /** True when a directory contains itself. Called before a directory is entered. */
  isLoop?(place: Place, blobref: string): boolean
  /** Called after each batch. The scan goes on when the promise has settled. */
  afterBatch?(): Promise<void> | undefined
}

/** Options of a {@link TreeScan}. */
export interface ScanOptions {
  /** Verify the blobs of values against their blobrefs, without loading them. */
  checkValues?: boolean | undefined
  /** Visit the tree level by level (default: depth first, which needs less memory). */
  byLevel?: boolean | undefined
  /** Blobs requested at a time (default: half of the store's window, 512 at most). */
  most?: number | undefined
  /** Batches in flight (default 4). */
  batches?: number | undefined
  signal?: AbortSignal | undefined
}

/** A directory to load, or a value to verify. */
interface Pending<Place> extends ToCheck {
  readonly place: Place
  readonly name: string
}

/** Visits every object below some directories. */
export class TreeScan<Place> {
  readonly #hash: HashName
  readonly #visitor: ScanVisitor<Place>
  readonly #options: ScanOptions
  readonly #batches: ScanBatches
  #pending: Pending<Place>[] = []
  /** The front of the queue, in a scan by level. */
  #next = 0
  /** What the current batch has found. */
  #found: Pending<Place>[] = []

  constructor(store: ContentStore, visitor: ScanVisitor<Place>, options: ScanOptions = {}) {
    this.#hash = store.hash
    this.#visitor = visitor
    this.#options = options
    this.#batches = new ScanBatches(store, options.most)
  }

  /**
   * Scan some directories and everything below them.
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
        // A directory that was too large to load beside others is loaded here, alone.
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
      this.#enter(place, new DecodedDir(obj, false), 0)
      return
    }
    const blobref = dirBlobref(obj)
    if (blobref === undefined) this.#fault(badDirref(this.#visitor.keyOf(place, undefined)), place, undefined, obj.data)
    else this.#found.push({ type: 'dir', place, name: '', blobrefs: obj.data })
  }

  #nextPending(): Pending<Place> | undefined {
    if (!this.#options.byLevel) return this.#pending.pop()
    if (this.#next > COMPACT_AFTER) {
      this.#pending = this.#pending.slice(this.#next)
      this.#next = 0
    }
    return this.#next < this.#pending.length ? this.#pending[this.#next++] : undefined
  }

  /**
   * Queue what was found so that it is visited in the order in which it was found. A stack needs it pushed in reverse.
   */
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
    let dir: DirEntries
    try {
      const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
      dir = PlainDir.of(bytes, this.#hash) ?? new DecodedDir(decodeDir(bytes, key, blobref), false)
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#fault(error, place, undefined, blobrefs)
      return
    }
    this.#enter(place, dir, blob.length)
  }

  /** Visit the entries of a directory and of its inline subdirectories, names in byte order. */
  #enter(top: Place, dir: DirEntries, bytes: number): void {
    const visitor = this.#visitor
    visitor.onDir(top, bytes)
    const open = [{ place: top, dir }]
    for (let level = open.at(-1); level; level = open.at(-1)) {
      const { place, dir } = level
      if (!dir.next()) {
        open.pop()
        continue
      }
      visitor.onEntry?.(place, dir.name)
      if (dir.type !== ENTRY.DIR) {
        this.#entry(place, dir)
        continue
      }
      const inside = visitor.onInlineDir(place, dir.name)
      visitor.onDir(inside, 0)
      open.push({ place: inside, dir: new DecodedDir(dir.obj as DirObj, false) })
    }
  }

  #entry(place: Place, entry: DirEntries): void {
    const visitor = this.#visitor
    switch (entry.type) {
      case ENTRY.SYMLINK:
        visitor.onLink(place, entry)
        return
      case ENTRY.VAL:
        visitor.onValue(place, entry)
        return
      case ENTRY.VALREF:
        visitor.onValue(place, entry)
        if (this.#options.checkValues) {
          this.#found.push({ type: 'value', place, name: entry.name, blobrefs: refList(entry, this.#hash) })
        }
        return
      case ENTRY.DIRREF: {
        const { name } = entry
        if (entry.refCount !== 1) {
          this.#fault(badDirref(visitor.keyOf(place, name)), place, name, refList(entry, this.#hash))
          return
        }
        const blobref = refAt(entry, 0, this.#hash)
        const inside = visitor.onDirref(place, name, blobref)
        if (inside !== undefined) this.#found.push({ type: 'dir', place: inside, name, blobrefs: [blobref] })
        return
      }
      default: {
        const { name } = entry
        this.#fault(badEntry(visitor.keyOf(place, name), entry.obj as Invalid), place, name, [])
      }
    }
  }

  #fault(error: TreeError, place: Place, name: string | undefined, blobrefs: readonly string[]): void {
    this.#visitor.onFault(error, place, name, blobrefs)
  }
}
