/** The visitor that adds up the sizes of a tree, for {@link treeSums}. */
import { release } from '../../bytes/index.ts'
import { blobrefHex, ContentError, type ContentStore, DIGEST_BYTES } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import {
  type DirEntries,
  DirGraph,
  ENTRY,
  keyBelow,
  keyIn,
  missingValue,
  type ScanVisitor,
  type TreeError,
  type Val,
} from '../../kvs/index.ts'
import { inlineSize, isDecodable } from '../inline-value.ts'
import { requestSizes } from '../value-sizes.ts'
import { DigestSet } from './digest-set.ts'
import type { DirSums, SizeMeter, TreeSums, TreeSumsOptions, Usage } from './sums.ts'
import { ValueBatch } from './value-batch.ts'

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
  /** The directory that contains it; undefined for the one to add up. */
  readonly parent: Place | undefined
  /** Its name in `parent`; the key of the one to add up. */
  readonly name: string
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

/** The most directories that get sums of their own. */
const MAX_USAGES = 10_000_000

/** The most of them that are the same directory under another key: a small store can have any number. */
const MAX_USAGES_AGAIN = 1_000_000

/** The key of a place. In a deep tree it is long, so it is put together only when it is needed. */
function keyAt(place: Pick<Place, 'parent' | 'name'>): string {
  const names: string[] = []
  let at = place
  for (; at.parent !== undefined; at = at.parent) names.push(at.name)
  return keyBelow(at.name, names.reverse())
}

function tooManyUsages(what: string): FluxError {
  return new FluxError('EOVERFLOW', what, { hint: 'give a smaller --depth' })
}

/** Adds up what a scan visits. */
export class SizeAdder implements ScanVisitor<Place> {
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
  /** How many of them are not new. */
  #again = 0
  readonly #mostAgain: number
  /** The directories of the last batch. */
  #read: Place[] = []
  /** The values in them. */
  readonly #values: ValueBatch<Place>

  constructor(
    store: ContentStore,
    report: (error: TreeError) => void,
    { depth, meter, marks = false, maxAgain = MAX_USAGES_AGAIN }: TreeSumsOptions,
  ) {
    const { onDisk } = store
    this.#store = store
    this.#meter = meter
    this.#mark = marks && onDisk ? (digests) => onDisk.markDigests(digests) : undefined
    this.#columns = this.#mark ? COLUMNS.CHECK : COLUMNS.SUMS
    this.#graph = new DirGraph(this.#columns)
    this.#values = new ValueBatch(store.hash)
    this.#deepest = depth
    this.#mostAgain = maxAgain
    this.#report = report
  }

  /** Make the place of a directory. @param parent, name - see {@link Place} */
  placeOf(parent: Place | undefined, name: string, blobref: string | undefined): Place {
    const depth = parent === undefined ? 0 : parent.depth + 1
    const around = parent?.usage
    const { size } = this.#graph
    const ordinal = blobref === undefined ? this.#graph.add() : this.#graph.ordinalOf(blobref)
    const isNew = ordinal === size
    if (isNew) {
      this.#graph.count(ordinal, OWN.DIRS, 1)
      if (this.#mark && blobref !== undefined) this.#graph.count(ordinal, OWN.BLOBS, 1)
    }
    let usage = around
    if (usage === undefined || depth <= this.#deepest) {
      usage = { key: keyAt({ parent, name }), ordinal, around, bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0 }
      if (this.#usages.push(usage) > MAX_USAGES) throw tooManyUsages(`more than ${MAX_USAGES} directories`)
      if (!isNew && ++this.#again > this.#mostAgain) {
        throw tooManyUsages(`more than ${this.#mostAgain} directories that are referred to again`)
      }
    }
    return { parent, name, depth, ordinal, isNew, usage, blobref, children: undefined }
  }

  onDirref(around: Place, name: string, blobref: string): Place | undefined {
    const place = this.#inside(around, name, blobref)
    return place.isNew || place.depth < this.#deepest ? place : undefined
  }

  onInlineDir(around: Place, name: string): Place {
    return this.#inside(around, name, undefined)
  }

  #inside(around: Place, name: string, blobref: string | undefined): Place {
    const place = this.placeOf(around, name, blobref)
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
      this.#meter?.onValue(keyAt(place), entry.name, bytes, true)
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

  keyOf(place: Place, name: string | undefined): string {
    const key = keyAt(place)
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
          if (value) this.#meter?.onValue(keyAt(value), name, sum, false)
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
    if (value) this.#meter?.onValue(keyAt(value), name, sum, false)
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
