/**
 * The scan of directories visits every directory below some roots, without names and keys, and reads no values. Where
 * they are not needed, it takes a fraction of the time of a {@link TreeScan}: there is no object or text for an entry, and
 * directories are read from their bytes.
 *
 * Directories are loaded level by level, in large batches: a store on disk reads a batch in the order of its rows.
 */
import { grown } from '../bytes/index.ts'
import { BlobRequest, type ContentStore, DIGEST_BYTES, type LoadedBlobs, loadBlobs } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from './dir-entries.ts'
import { PlainDir } from './plain-dir.ts'
import { type Refs, requestRef } from './refs.ts'
import { TreeError } from './tree-error.ts'
import { decodeDir } from './tree-faults.ts'
import { type DirObj, MAX_DIR_BYTES } from './treeobj.ts'
import { isTooLarge } from './value-stream.ts'

/** Directories requested at a time. */
const BATCH = 1024

/** Bytes of directories loaded at a time. */
const BATCH_BYTES = 16 << 20

/** Batches in flight. */
const BATCHES = 3

/** The callbacks of a scan. A place is a number that the visitor gives to a directory. */
export interface DirVisitor {
  /** A directory has been read, and its entries follow. Also called for each inline directory, with the place around it. */
  onDir(place: number): void
  /**
   * A directory in a blob.
   *
   * @param digest - of its blobref; overwritten after the call
   * @returns its place if it should be read; undefined to skip it
   */
  onDirref(place: number, digest: Uint8Array): number | undefined
  /** @param entry - its type is `ENTRY.VAL` or `ENTRY.VALREF`; it moves on after the call */
  onValue(place: number, entry: DirEntries): void
  onLink(place: number): void
  /** A directory or an entry of it cannot be read. */
  onFault(place: number): void
  /** Called after each batch. The scan goes on when the promise has settled. */
  afterBatch?(): Promise<unknown> | undefined
}

export class DirScan {
  readonly #store: ContentStore
  readonly #visitor: DirVisitor
  readonly #signal: AbortSignal | undefined
  readonly #queue: DigestQueue
  /** Holds the digest of one entry. */
  readonly #one: BlobRequest

  constructor(store: ContentStore, visitor: DirVisitor, signal: AbortSignal | undefined) {
    this.#store = store
    this.#visitor = visitor
    this.#signal = signal
    this.#queue = new DigestQueue(DIGEST_BYTES[store.hash])
    this.#one = new BlobRequest(store.hash, 1)
  }

  /**
   * Scan some directories and everything below them.
   *
   * @param rootrefs - the visitor is asked for the place of each, as for an entry of place 0
   * @throws {FluxError} when the store as a whole fails
   * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
   */
  async run(rootrefs: readonly string[]): Promise<void> {
    const signal = this.#signal
    for (const rootref of rootrefs) this.#dirref(0, { refs: [rootref], refsAt: 0, refCount: 1 })
    const underWay: { request: BlobRequest; places: Uint32Array; loaded: Promise<LoadedBlobs> }[] = []
    while (true) {
      throwIfAborted(signal)
      while (underWay.length < BATCHES && this.#queue.length > 0) {
        const request = new BlobRequest(this.#store.hash, Math.min(BATCH, this.#queue.length))
        const places = this.#queue.take(request)
        const loaded = loadBlobs(this.#store, request, BATCH_BYTES, BATCH_BYTES)
        loaded.catch(() => {})
        underWay.push({ request, places, loaded })
      }
      const first = underWay.shift()
      if (first === undefined) return
      await this.#visit(first.request, first.places, await abortable(first.loaded, signal))
      const after = this.#visitor.afterBatch?.()
      if (after !== undefined) await abortable(after, signal)
    }
  }

  async #visit(request: BlobRequest, places: Uint32Array, loaded: LoadedBlobs): Promise<void> {
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      if (loaded.sizeOf(i) >= 0) {
        this.#open(place, loaded.bytesOf(i))
        continue
      }
      const error = loaded.errorOf(i)
      if (error === undefined) {
        const width = DIGEST_BYTES[request.hash]
        this.#queue.push(request.digests.subarray(i * width, (i + 1) * width), place)
      } else if (isTooLarge(error)) {
        const [whole] = await abortable(this.#store.loadBatch([error.blobref], 1, MAX_DIR_BYTES), this.#signal)
        if (whole instanceof Uint8Array) this.#open(place, whole)
        else this.#visitor.onFault(place)
      } else this.#visitor.onFault(place)
    }
  }

  #open(place: number, blob: Uint8Array): void {
    const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
    const plain = PlainDir.of(bytes, this.#store.hash)
    if (plain !== undefined) {
      this.#enter(place, plain)
      return
    }
    let dir: DirObj
    try {
      dir = decodeDir(bytes, '', undefined)
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#visitor.onFault(place)
      return
    }
    this.#enter(place, new DecodedDir(dir, false))
  }

  /** Visit the entries of a directory and of its inline subdirectories. */
  #enter(place: number, top: DirEntries): void {
    const visitor = this.#visitor
    visitor.onDir(place)
    let inline: DirObj[] | undefined
    for (let dir: DirEntries | undefined = top; dir; dir = this.#nextInline(place, inline)) {
      while (dir.next()) {
        switch (dir.type) {
          case ENTRY.VAL:
          case ENTRY.VALREF:
            visitor.onValue(place, dir)
            break
          case ENTRY.DIRREF:
            this.#dirref(place, dir)
            break
          case ENTRY.SYMLINK:
            visitor.onLink(place)
            break
          case ENTRY.DIR:
            inline ??= []
            inline.push(dir.obj as DirObj)
            break
          default:
            visitor.onFault(place)
        }
      }
    }
  }

  #nextInline(place: number, inline: DirObj[] | undefined): DirEntries | undefined {
    const dir = inline?.pop()
    if (dir === undefined) return undefined
    this.#visitor.onDir(place)
    return new DecodedDir(dir, false)
  }

  #dirref(place: number, entry: Refs): void {
    if (entry.refCount !== 1) {
      this.#visitor.onFault(place)
      return
    }
    const digest = this.#digestOf(entry)
    const inside = this.#visitor.onDirref(place, digest)
    if (inside !== undefined) this.#queue.push(digest, inside)
  }

  /** The digest of the first blobref of an entry; zeros for one of another algorithm, which no store of this one has. */
  #digestOf(refs: Refs): Uint8Array {
    const one = this.#one
    one.count = 0
    if (Array.isArray(refs.refs)) one.digests.fill(0)
    requestRef(one, refs, 0)
    return one.digests
  }
}

/** Digests and places, first in, first out. */
class DigestQueue {
  readonly #width: number
  #digests: Uint8Array
  #places = new Uint32Array(BATCH)
  #first = 0
  #end = 0

  constructor(width: number) {
    this.#width = width
    this.#digests = new Uint8Array(BATCH * width)
  }

  get length(): number {
    return this.#end - this.#first
  }

  push(digest: Uint8Array, place: number): void {
    if (this.#end === this.#places.length) this.#makeRoom()
    const width = this.#width
    for (let i = 0, to = this.#end * width; i < width; i++, to++) this.#digests[to] = digest[i] as number
    this.#places[this.#end++] = place
  }

  /** Move as many to a request as it can hold. @returns their places */
  take(request: BlobRequest): Uint32Array {
    const count = request.digests.length / this.#width
    const end = this.#first + count
    request.digests.set(this.#digests.subarray(this.#first * this.#width, end * this.#width))
    request.count = count
    const places = this.#places.slice(this.#first, end)
    this.#first = end
    return places
  }

  /** Drop the used front, or take twice the room. */
  #makeRoom(): void {
    const size = this.#places.length
    if (this.#first > size >> 1) {
      this.#digests.copyWithin(0, this.#first * this.#width, this.#end * this.#width)
      this.#places.copyWithin(0, this.#first, this.#end)
      this.#end -= this.#first
      this.#first = 0
    } else {
      this.#digests = grown(this.#digests, (size + 1) * this.#width)
      this.#places = grown(this.#places, size + 1)
    }
  }
}
