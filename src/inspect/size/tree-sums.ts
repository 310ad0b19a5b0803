/**
 * The bytes of all blobs below each directory, of directories and of values. They are counted in two ways: once for
 * each reference, and once for each blob. If the store knows the sizes of its blobs, only directories are loaded.
 */
import { release } from '../../bytes/index.ts'
import {
  BlobRequest,
  blobrefHex,
  ContentError,
  type ContentStore,
  DIGEST_BYTES,
  type HashName,
} from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import {
  type DirEntries,
  type DirObj,
  type Dirref,
  dirBlobref,
  ENTRY,
  isDir,
  keyIn,
  missingValue,
  plainKey,
  requestRef,
  type ScanVisitor,
  SnapshotReader,
  type SnapshotRoot,
  type TreeError,
  TreeScan,
  type Val,
} from '../../kvs/index.ts'
import { DirGraph } from '../dir-graph.ts'
import { isDecodable } from '../inline-value.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { requestSizes } from '../value-sizes.ts'
import { DigestSet } from './digest-set.ts'

/** The sums of a directory and everything below it. */
export interface Usage {
  /** `.` for the root. */
  readonly key: string
  /** Bytes of blobs, each counted once for each reference. Inline values are part of their directory. */
  bytes: number
  /** Bytes of blobs, each counted once, where it is first seen, as du(1) counts hard links. */
  onceBytes: number
  /** Bytes of values, including inline ones: what a dump holds. */
  valueBytes: number
  /** Number of values and symbolic links. */
  keys: number
  dirs: number
}

/** Options of {@link du}. */
export interface DuOptions extends InspectOptions {
  /** How many levels of directories get sums of their own; 0 gives only the total. */
  depth: number
  /** The directory to add up (default: the root). Links to it are followed. */
  key?: string | undefined
}

/** Options of {@link treeSums}. */
export interface TreeSumsOptions extends DuOptions {
  /** Told of every directory and value that is measured. */
  meter?: SizeMeter | undefined
  /**
   * Also mark the blobs of all values in the store, which must be on disk, and count what a check of the tree counts: see
   * {@link TreeSums.counts}.
   */
  marks?: boolean | undefined
}

/** What a check of a tree counts, each once for each key that leads to it. */
export interface TreeCounts {
  readonly directories: number
  readonly values: number
  readonly symlinks: number
  /** Blobs that values and directories refer to. */
  readonly blobs: number
}

/** Is told the sizes of single directories and values. Those in a directory that many keys lead to are told once. */
export interface SizeMeter {
  /** @param bytes - of its blob; an inline directory has none, and is not told */
  onDir(bytes: number): void
  /**
   * @param dir - the key of the directory that it is in; `.` for the root
   * @param isInline - its bytes are a part of the directory
   */
  onValue(dir: string, name: string, bytes: number, isInline: boolean): void
}

/** The sums of a directory, without those that only its key gives. */
export type DirSums = Pick<Usage, 'bytes' | 'valueBytes' | 'keys' | 'dirs'>

/** The sums of all directories below one. */
export interface TreeSums {
  /** The directory and its subdirectories down to `depth`, parents before their children. */
  readonly usages: Usage[]
  /** The sums of any directory below it that is stored in a blob; undefined for another. */
  sumsOf(blobref: string): DirSums | undefined
  /**
   * The counts of a check, with `marks`; undefined when anything is wrong with directories or inline values, or a blob is
   * missing. The blobs of values are not verified: they are marked.
   */
  readonly counts: TreeCounts | undefined
  /**
   * All directories. Their own numbers are no longer needed.
   *
   * @internal
   */
  readonly graph: DirGraph
  /** Release the memory at once: a hundred bytes for each directory. {@link sumsOf} must not be called any more. */
  release(): void
}

/** The columns of the numbers that are kept for each directory, without its subdirectories. */
const OWN = { BYTES: 0, VALUE_BYTES: 1, KEYS: 2, DIRS: 3, SYMLINKS: 4, BLOBS: 5 } as const
/** The last two are counted only for a check. */
const COLUMNS = { SUMS: 4, CHECK: 6 } as const

/** A directory that gets sums of its own. */
interface Node extends Usage {
  readonly ordinal: number
  /** The directory that contains it. */
  readonly around: Node | undefined
}

/** A directory that is being scanned. */
interface Place {
  readonly key: string
  readonly depth: number
  /** Its ordinal in the graph. */
  readonly ordinal: number
  /** False when it has been counted before, and is read again only because its subdirectories get sums of their own. */
  readonly isNew: boolean
  /** Where newly seen blobs are counted: the nearest directory, itself included, that gets sums of its own. */
  readonly usage: Node
  readonly blobref: string | undefined
  children: number[] | undefined
}

/**
 * Blobs that are loaded in one batch. It is fixed, so that which reference is seen first does not depend on the store.
 */
const BATCH = 512

/** Blobs of values that are measured in one call. */
const MEASURED = 2048

/** The most directories that get sums of their own. */
const MAX_USAGES = 10_000_000

/**
 * Add up the sizes below a directory of a snapshot. Each directory blob is read once, however many keys lead to it;
 * only those down to `depth` are read once for each key. Sums stop at 2^53 - 1.
 *
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} `ENOENT` the key does not exist; `ENOTDIR` it is not a directory; `EOVERFLOW` more than ten
 *   million directories down to `depth`
 */
export async function treeSums(snapshot: SnapshotRoot, options: TreeSumsOptions): Promise<TreeSums> {
  const { store } = snapshot
  const { signal } = options
  const key = plainKey(options.key ?? '.')
  const root = await dirAt(new SnapshotReader(snapshot, { signal }), key)
  const adder = new Adder(store, faultReporter(options), options)
  const blobref = root.type === 'dirref' ? dirBlobref(root) : undefined
  const top = adder.placeOf(key, 0, blobref, undefined)
  await new TreeScan(store, adder, { most: BATCH, batches: 1, signal }).run([[root, top]])
  return adder.sums()
}

/** The directory of a key, as an object that can be scanned; links to it are followed. */
async function dirAt(reader: SnapshotReader, key: string): Promise<DirObj | Dirref> {
  const obj = await reader.lookup(key, 'treeobj')
  // This lookup follows a link, and throws the usual error for anything that is not a directory.
  return isDir(obj) ? obj : reader.lookup(key, 'dir')
}

class Adder implements ScanVisitor<Place> {
  readonly #store: ContentStore
  readonly #deepest: number
  readonly #report: (error: TreeError) => void
  readonly #meter: SizeMeter | undefined
  readonly #seen = new DigestSet()
  readonly #columns: number
  readonly #graph: DirGraph
  /** Marks blobs in the store; undefined without a check. */
  readonly #mark: ((digests: Uint8Array) => Promise<number>) | undefined
  /** False when something is wrong, as far as the scan sees it. */
  #isSound = true
  readonly #usages: Node[] = []
  /** The directories of the last batch. */
  #read: Place[] = []
  /** The values in them. */
  readonly #values: Values

  constructor(
    store: ContentStore,
    report: (error: TreeError) => void,
    { depth, meter, marks = false }: TreeSumsOptions,
  ) {
    const { onDisk } = store
    this.#store = store
    this.#meter = meter
    this.#mark = marks && onDisk ? (digests) => onDisk.markDigests(digests) : undefined
    this.#columns = this.#mark ? COLUMNS.CHECK : COLUMNS.SUMS
    this.#graph = new DirGraph(this.#columns)
    this.#values = new Values(store.hash)
    this.#deepest = depth
    this.#report = report
  }

  /** Make the place of a directory. @param around - undefined for the directory to add up */
  placeOf(key: string, depth: number, blobref: string | undefined, around: Node | undefined): Place {
    const { size } = this.#graph
    const ordinal = blobref === undefined ? this.#graph.add() : this.#graph.ordinalOf(blobref)
    const isNew = ordinal === size
    if (isNew) {
      this.#graph.count(ordinal, OWN.DIRS, 1)
      if (this.#mark && blobref !== undefined) this.#graph.count(ordinal, OWN.BLOBS, 1)
    }
    let usage = around
    if (usage === undefined || depth <= this.#deepest) {
      usage = { key, ordinal, around, bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0 }
      if (this.#usages.push(usage) > MAX_USAGES) {
        throw new FluxError('EOVERFLOW', `more than ${MAX_USAGES} directories`, { hint: 'give a smaller --depth' })
      }
    }
    return { key, depth, ordinal, isNew, usage, blobref, children: undefined }
  }

  onDirref(around: Place, name: string, blobref: string): Place | undefined {
    const place = this.#inside(around, name, blobref)
    return place.isNew || place.depth < this.#deepest ? place : undefined
  }

  onInlineDir(around: Place, name: string): Place {
    return this.#inside(around, name, undefined)
  }

  #inside(around: Place, name: string, blobref: string | undefined): Place {
    const place = this.placeOf(this.keyOf(around, name), around.depth + 1, blobref, around.usage)
    around.children ??= []
    around.children.push(place.ordinal)
    return place
  }

  onDir(place: Place, bytes: number): void {
    if (!place.isNew) return
    this.#read.push(place)
    if (place.blobref === undefined) return
    this.#meter?.onDir(bytes)
    this.#add(place, Buffer.from(blobrefHex(place.blobref), 'hex'), 0, bytes)
  }

  onValue(place: Place, entry: DirEntries): void {
    if (!place.isNew) return
    this.#graph.count(place.ordinal, OWN.KEYS, 1)
    if (entry.type === ENTRY.VALREF) {
      this.#values.add(place, entry)
      if (this.#mark) this.#graph.count(place.ordinal, OWN.BLOBS, entry.refCount)
    } else {
      if (this.#mark && !isDecodable(entry.obj as Val)) this.#isSound = false
      const bytes = inlineSize(entry.obj as Val)
      this.#graph.count(place.ordinal, OWN.VALUE_BYTES, bytes)
      this.#meter?.onValue(place.key, entry.name, bytes, true)
    }
  }

  onLink(place: Place): void {
    if (!place.isNew) return
    this.#graph.count(place.ordinal, OWN.KEYS, 1)
    if (this.#mark) this.#graph.count(place.ordinal, OWN.SYMLINKS, 1)
  }

  onFault(error: TreeError, place: Place, name: string | undefined): void {
    this.#isSound = false
    // A malformed dirref still counts as a directory.
    if (name !== undefined && error.kind === 'bad-dirref') this.#inside(place, name, undefined)
    if (name === undefined || place.isNew) this.#report(error)
  }

  keyOf({ key }: Place, name: string | undefined): string {
    return name === undefined ? key : keyIn(key, name)
  }

  afterBatch(): Promise<void> | undefined {
    for (const { ordinal, children } of this.#read) {
      for (const child of children ?? []) this.#graph.addChild(ordinal, child)
    }
    this.#read = []
    return this.#values.isEmpty ? undefined : this.#countBlobs()
  }

  /** Count the blobs of the values in the last batch. */
  async #countBlobs(): Promise<void> {
    // The value whose blobs are being added up.
    let [value, name, sum]: [Place | undefined, string, number] = [undefined, '', 0]
    for (const { request, places, names, indexes } of this.#values.take()) {
      const { digests, count } = request
      const width = DIGEST_BYTES[request.hash]
      const [sizes] = await Promise.all([
        requestSizes(this.#store, request),
        this.#mark?.(digests.subarray(0, count * width)),
      ])
      for (let i = 0; i < count; i++) {
        const place = places[i] as Place
        const size = sizes[i] as number
        if (indexes[i] === 0) {
          if (value) this.#meter?.onValue(value.key, name, sum, false)
          ;[value, name, sum] = [place, names[i] as string, 0]
        }
        if (size > 0) sum += size
        if (size < 0) {
          this.#isSound = false
          const error = new ContentError('ENOENT', request.blobref(i), 'No such file or directory')
          this.#report(missingValue(this.keyOf(place, names[i]), indexes[i] as number, error))
          continue
        }
        this.#add(place, digests, i * width, size)
        this.#graph.count(place.ordinal, OWN.VALUE_BYTES, size)
      }
    }
    if (value) this.#meter?.onValue(value.key, name, sum, false)
  }

  #add({ ordinal, usage }: Place, digests: Uint8Array, at: number, bytes: number): void {
    this.#graph.count(ordinal, OWN.BYTES, bytes)
    if (this.#seen.add(digests, at)) usage.onceBytes += bytes
  }

  /** The sums, when the scan is complete. */
  sums(): TreeSums {
    const graph = this.#graph
    const usages = this.#usages
    this.#seen.release()
    const columns = this.#columns
    const root = (usages[0] as Node).ordinal
    const { order, loops } = graph.order(root)
    const totals = graph.totals(order)
    const totalOf = (ordinal: number, column: number) => totals[ordinal * columns + column] as number
    const sumsAt = (ordinal: number): DirSums => {
      const of = (column: number) => totalOf(ordinal, column)
      return { bytes: of(OWN.BYTES), valueBytes: of(OWN.VALUE_BYTES), keys: of(OWN.KEYS), dirs: of(OWN.DIRS) }
    }
    for (const usage of usages) Object.assign(usage, sumsAt(usage.ordinal))
    // Add onceBytes to all parents. Children come after their parents, so go backwards.
    for (const { around, onceBytes } of usages.toReversed()) if (around) around.onceBytes += onceBytes
    const symlinks = this.#mark ? totalOf(root, OWN.SYMLINKS) : 0
    return {
      usages,
      graph,
      counts:
        this.#mark && this.#isSound && loops.size === 0
          ? {
              directories: totalOf(root, OWN.DIRS),
              values: totalOf(root, OWN.KEYS) - symlinks,
              symlinks,
              blobs: totalOf(root, OWN.BLOBS),
            }
          : undefined,
      sumsOf(blobref) {
        const ordinal = graph.find(blobref)
        return ordinal === undefined ? undefined : sumsAt(ordinal)
      },
      release() {
        graph.release()
        release(totals)
      },
    }
  }
}

/** Blobs of values, and what each belongs to. */
interface Blobs {
  readonly request: BlobRequest
  readonly places: Place[]
  /** The names of the values. */
  readonly names: string[]
  /** The position of each blob in the value's list of blobrefs, from 0. */
  readonly indexes: number[]
}

/** Collects the values of a batch of directories. */
class Values {
  readonly #hash: HashName
  #all: Blobs[] = []

  constructor(hash: HashName) {
    this.#hash = hash
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  add(place: Place, entry: DirEntries): void {
    const { name } = entry
    for (let index = 0; index < entry.refCount; index++) {
      let last = this.#all.at(-1)
      if (last === undefined || last.request.count === MEASURED) {
        last = { request: new BlobRequest(this.#hash, MEASURED), places: [], names: [], indexes: [] }
        this.#all.push(last)
      }
      requestRef(last.request, entry, index)
      last.places.push(place)
      last.names.push(name)
      last.indexes.push(index)
    }
  }

  take(): Blobs[] {
    const all = this.#all
    this.#all = []
    return all
  }
}

/** The number of bytes that base64 text encodes. The text is not validated. */
function inlineSize({ data }: Val): number {
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}
