/**
 * What takes the room: the bytes of the blobs below each directory, its own and those of values, counted as often as they
 * are referred to, and once. Nothing but directories is loaded from a store that knows the sizes of its blobs.
 */
import { ContentError, type ContentStore } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import {
  type DirObj,
  type Dirref,
  dirBlobref,
  isDir,
  keyIn,
  missingValue,
  plainKey,
  type ScanVisitor,
  SnapshotReader,
  type SnapshotRoot,
  type TreeError,
  TreeScan,
  type Val,
  type Valref,
} from '../../kvs/index.ts'
import { DirGraph } from '../dir-graph.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { blobSizes } from '../value-sizes.ts'
import { DigestSet } from './digest-set.ts'

/** A directory, and all that is below it. */
export interface Usage {
  /** `.` for the root. */
  readonly key: string
  /** Bytes of blobs, each counted as often as it is referred to. Inline values are part of their directory. */
  bytes: number
  /** Bytes of blobs, each counted once, where it is met first: as du(1) counts hard links. */
  onceBytes: number
  /** Bytes of values, those of inline ones too: what a dump holds. */
  valueBytes: number
  /** Values and links. */
  keys: number
  dirs: number
}

/** How {@link du} adds up. */
export interface DuOptions extends InspectOptions {
  /** How many levels of directories are told apart; 0 gives the total alone. */
  depth: number
  /** The directory to add up (default: the root). Links to it are followed. */
  key?: string | undefined
}

/** The numbers that are kept of each directory, of what it holds itself. */
const OWN = { BYTES: 0, VALUE_BYTES: 1, KEYS: 2, DIRS: 3 } as const
const COLUMNS = 4

/** A directory that is told apart. */
interface Node extends Usage {
  readonly ordinal: number
  /** The one that it is in. */
  readonly around: Node | undefined
}

/** A directory that is scanned. */
interface Place {
  readonly key: string
  readonly depth: number
  /** Where it is counted in the graph. */
  readonly ordinal: number
  /** False when it has been counted before, and is only read again to tell apart what is in it. */
  readonly isNew: boolean
  /** Where blobs are counted that are met first: itself, or the last level that is told apart. */
  readonly usage: Node
  readonly blobref: string | undefined
  readonly children: number[]
}

/** Blobs asked for at a time: always the same, so that what is met first does not depend on the store. */
const BATCH = 512

/** Directories that are told apart at most. */
const MAX_USAGES = 10_000_000

/**
 * Add up a directory of a snapshot. Each directory blob is read once, however many keys lead to it, except for those that are told apart.
 * Numbers stop at 2^53 - 1.
 *
 * @returns itself, and its directories down to `depth`, each before what is in it
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} `ENOENT`, `ENOTDIR` the key is not there, or no directory; `EOVERFLOW` there are more directories to be told apart than anybody could read
 */
export async function du(snapshot: SnapshotRoot, options: DuOptions): Promise<Usage[]> {
  const { store } = snapshot
  const { depth, signal } = options
  const key = plainKey(options.key ?? '.')
  const root = await dirAt(new SnapshotReader(snapshot, { signal }), key)
  const adder = new Adder(store, depth, faultReporter(options))
  const blobref = root.type === 'dirref' ? dirBlobref(root) : undefined
  const top = adder.placeOf(key, 0, blobref, undefined)
  await new TreeScan(store, adder, { sorted: true, most: BATCH, batches: 1, signal }).run([[root, top]])
  return adder.usages()
}

/** The directory of a key, as an object that can be scanned; links to it are followed. */
async function dirAt(reader: SnapshotReader, key: string): Promise<DirObj | Dirref> {
  const obj = await reader.lookup(key, 'treeobj')
  // A link is followed, and what is no directory refused, in the words of the lookup.
  return isDir(obj) ? obj : reader.lookup(key, 'dir')
}

/** A blob of a value, and where it is counted. */
interface Counted {
  readonly place: Place
  readonly key: string
  readonly blobref: string
  /** Which blob of its value. */
  readonly index: number
}

class Adder implements ScanVisitor<Place> {
  readonly #store: ContentStore
  readonly #deepest: number
  readonly #report: (error: TreeError) => void
  readonly #met = new DigestSet()
  readonly #graph = new DirGraph(COLUMNS)
  readonly #usages: Node[] = []
  /** What the last batch has brought: directories, and the blobs of the values in them. */
  #read: Place[] = []
  #blobs: Counted[] = []

  constructor(store: ContentStore, deepest: number, report: (error: TreeError) => void) {
    this.#store = store
    this.#deepest = deepest
    this.#report = report
  }

  /** A directory in another, or the root. */
  placeOf(key: string, depth: number, blobref: string | undefined, around: Node | undefined): Place {
    const { size } = this.#graph
    const ordinal = blobref === undefined ? this.#graph.add() : this.#graph.ordinalOf(blobref)
    const isNew = ordinal === size
    if (isNew) this.#graph.count(ordinal, OWN.DIRS, 1)
    let usage = around
    if (usage === undefined || depth <= this.#deepest) {
      usage = { key, ordinal, around, bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0 }
      if (this.#usages.push(usage) > MAX_USAGES) {
        throw new FluxError('EOVERFLOW', `more than ${MAX_USAGES} directories`, { hint: 'give a smaller --depth' })
      }
    }
    return { key, depth, ordinal, isNew, usage, blobref, children: [] }
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
    around.children.push(place.ordinal)
    return place
  }

  onDir(place: Place, bytes: number): void {
    if (!place.isNew) return
    this.#read.push(place)
    if (place.blobref !== undefined) this.#add(place, place.blobref, bytes)
  }

  onValue(place: Place, name: string, obj: Val | Valref): void {
    if (!place.isNew) return
    this.#graph.count(place.ordinal, OWN.KEYS, 1)
    if (obj.type === 'val') {
      this.#graph.count(place.ordinal, OWN.VALUE_BYTES, inlineSize(obj))
      return
    }
    const key = this.keyOf(place, name)
    for (const [index, blobref] of obj.data.entries()) this.#blobs.push({ place, key, blobref, index })
  }

  onLink(place: Place): void {
    if (place.isNew) this.#graph.count(place.ordinal, OWN.KEYS, 1)
  }

  onFault(error: TreeError, place: Place, name: string | undefined): void {
    // A reference to a directory is one that is counted, whatever it refers to.
    if (name !== undefined && error.kind === 'bad-dirref') this.#inside(place, name, undefined)
    if (name === undefined || place.isNew) this.#report(error)
  }

  keyOf({ key }: Place, name: string | undefined): string {
    return name === undefined ? key : keyIn(key, name)
  }

  afterBatch(): Promise<void> | undefined {
    for (const { ordinal, children } of this.#read) {
      for (const child of children) this.#graph.addChild(ordinal, child)
    }
    this.#read = []
    return this.#blobs.length === 0 ? undefined : this.#countBlobs()
  }

  /** Count the blobs of the values that the last batch has brought. */
  async #countBlobs(): Promise<void> {
    const blobs = this.#blobs
    this.#blobs = []
    const sizes = await blobSizes(
      this.#store,
      blobs.map(({ blobref }) => blobref),
    )
    for (const [i, { place, key, blobref, index }] of blobs.entries()) {
      const size = sizes[i] as number
      if (size < 0) {
        this.#report(missingValue(key, index, new ContentError('ENOENT', blobref, 'No such file or directory')))
        continue
      }
      this.#add(place, blobref, size)
      this.#graph.count(place.ordinal, OWN.VALUE_BYTES, size)
    }
  }

  #add({ ordinal, usage }: Place, blobref: string, bytes: number): void {
    this.#graph.count(ordinal, OWN.BYTES, bytes)
    if (this.#met.add(blobref)) usage.onceBytes += bytes
  }

  /** What it all comes to. */
  usages(): Usage[] {
    const usages = this.#usages
    const totals = this.#graph.totals(this.#graph.order((usages[0] as Node).ordinal).order)
    for (const usage of usages) {
      const of = (column: number) => totals[usage.ordinal * COLUMNS + column] as number
      usage.bytes = of(OWN.BYTES)
      usage.valueBytes = of(OWN.VALUE_BYTES)
      usage.keys = of(OWN.KEYS)
      usage.dirs = of(OWN.DIRS)
    }
    // What is met first below counts above too; the deepest come last.
    for (const { around, onceBytes } of usages.toReversed()) if (around) around.onceBytes += onceBytes
    return usages
  }
}

/** Bytes that base64 text stands for, whether it is sound or not. */
function inlineSize({ data }: Val): number {
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}

export type UsageOrder = 'size' | 'name' | 'count'

/** Put directories in order: the largest first, or those with the most keys, or by their keys. @returns a new array */
export function sortUsages(usages: readonly Usage[], order: UsageOrder): Usage[] {
  const byName = (a: Usage, b: Usage) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  if (order === 'name') return usages.toSorted(byName)
  const measure = ({ bytes, keys }: Usage) => (order === 'size' ? bytes : keys)
  return usages.toSorted((a, b) => measure(b) - measure(a) || byName(a, b))
}
