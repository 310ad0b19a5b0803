/**
 * What takes the room: the bytes of the blobs below each directory, its own and those of values, counted as often as they
 * are referred to, and once. Nothing but directories is loaded from a store that knows the sizes of its blobs.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../errors/index.ts'
import {
  badEntry,
  type DirObj,
  type Dirref,
  type EntryObj,
  isDir,
  missingValue,
  sortedNames,
  type TreeError,
  type Val,
} from '../kvs/index.ts'
import { DigestSet } from './digest-set.ts'
import { DirGraph } from './dir-graph.ts'
import { loadDirs } from './load-dirs.ts'
import { blobSizes } from './value-sizes.ts'

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
export interface DuOptions {
  /** How many levels of directories are told apart; 0 gives the total alone. */
  depth: number
  /** The key that `root` has, for the keys of what is below it. */
  key?: string | undefined
  /** Hears of what cannot be read; without it, the first such thing is thrown. */
  onError?: ((error: TreeError) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The numbers that are kept of each directory, of what it holds itself. */
const OWN = { BYTES: 0, VALUE_BYTES: 1, KEYS: 2, DIRS: 3 } as const
const COLUMNS = 4

/** A directory that is to be loaded. */
interface Pending {
  key: string
  depth: number
  obj: DirObj | Dirref
  /** Where it is counted in the graph. */
  ordinal: number
  /** False when it has been counted before, and is only loaded again to tell apart what is in it. */
  isNew: boolean
  /** Where blobs are counted that are met first: itself, or the last level that is told apart. */
  usage: Node
}

interface Node extends Usage {
  readonly ordinal: number
}

/** Directories loaded at a time: always the same, so that what is met first does not depend on the store. */
const BATCH = 512

/** Directories that are told apart at most. */
const MAX_USAGES = 10_000_000

/**
 * Add up a directory. Each directory blob is read once, however many keys lead to it, except for those that are told apart.
 * Numbers stop at 2^53 - 1.
 *
 * @param root - its tree object
 * @returns itself, and its directories down to `depth`, each before what is in it
 * @throws {TreeError} see {@link DuOptions.onError}
 * @throws {FluxError} `EOVERFLOW` there are more directories to be told apart than anybody could read
 */
export async function du(store: ContentStore, root: DirObj | Dirref, options: DuOptions): Promise<Usage[]> {
  const { depth: deepest, key = '.', signal } = options
  const report = (error: TreeError) => {
    if (options.onError === undefined) throw error
    options.onError(error)
  }
  const met = new DigestSet()
  const graph = new DirGraph(COLUMNS)
  const usages: Node[] = []
  /** A directory in another, or the root. */
  const pendingOf = (key: string, depth: number, obj: DirObj | Dirref, around: Node | undefined): Pending => {
    const { size } = graph
    const ordinal =
      obj.type === 'dirref' && obj.data.length === 1 ? graph.ordinalOf(obj.data[0] as string) : graph.add()
    let usage = around
    if (usage === undefined || depth <= deepest) {
      usage = { key, ordinal, bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0 }
      if (usages.push(usage) > MAX_USAGES) {
        throw new FluxError('EOVERFLOW', `more than ${MAX_USAGES} directories`, { hint: 'give a smaller --depth' })
      }
    }
    return { key, depth, obj, ordinal, isNew: ordinal === size, usage }
  }
  const parents = new Map<Node, Node>()
  // The next last: in the order of the keys, as far as batches go.
  const stack: Pending[] = [pendingOf(key, 0, root, undefined)]
  while (stack.length > 0) {
    throwIfAborted(signal)
    const batch = stack.splice(-BATCH).reverse()
    const dirs = await abortable(loadDirs(store, batch, report), signal)
    const counted = batch.map(({ isNew }, i) => (isNew ? dirs[i] : undefined))
    await abortable(count(store, batch, counted, graph, met, report), signal)
    const below: Pending[] = []
    for (const [i, { key, depth, ordinal, isNew, usage }] of batch.entries()) {
      if (isNew) graph.count(ordinal, OWN.DIRS, 1)
      const dir = dirs[i]
      const children: number[] = []
      for (const name of dir ? sortedNames(dir) : []) {
        const obj = dir?.data[name] as EntryObj
        if (!isDir(obj)) continue
        const child = pendingOf(childKey(key, name), depth + 1, obj, usage)
        children.push(child.ordinal)
        if (child.usage !== usage) parents.set(child.usage, usage)
        if (child.isNew || depth + 1 < deepest) below.push(child)
      }
      if (isNew) graph.setChildren(ordinal, children)
    }
    for (const pending of below.reverse()) stack.push(pending)
  }
  const totals = graph.totals(graph.order((usages[0] as Node).ordinal).order)
  for (const usage of usages) {
    const of = (column: number) => totals[usage.ordinal * COLUMNS + column] as number
    usage.bytes = of(OWN.BYTES)
    usage.valueBytes = of(OWN.VALUE_BYTES)
    usage.keys = of(OWN.KEYS)
    usage.dirs = of(OWN.DIRS)
  }
  // What is met first below counts above too; the deepest come last.
  for (const usage of usages.toReversed()) {
    const parent = parents.get(usage)
    if (parent) parent.onceBytes += usage.onceBytes
  }
  return usages
}

/** A blob, and where it is counted. */
interface Counted {
  pending: Pending
  key: string
  blobref: string
  /** Which blob of its value; -1 for the blob of a directory. */
  index: number
}

/** Count the blobs of directories, and of the values in them. */
async function count(
  store: ContentStore,
  batch: readonly Pending[],
  dirs: readonly (DirObj | null | undefined)[],
  graph: DirGraph,
  met: DigestSet,
  report: (error: TreeError) => void,
): Promise<void> {
  const blobs: Counted[] = []
  for (const [i, pending] of batch.entries()) {
    const { key, obj, ordinal } = pending
    const dir = dirs[i]
    if (!dir) continue
    if (obj.type === 'dirref') blobs.push({ pending, key, blobref: obj.data[0] as string, index: -1 })
    for (const name in dir.data) {
      const entry = dir.data[name] as EntryObj
      if (isDir(entry)) continue
      if (entry.type === 'invalid') {
        report(badEntry(childKey(key, name), entry))
        continue
      }
      graph.count(ordinal, OWN.KEYS, 1)
      if (entry.type === 'val') graph.count(ordinal, OWN.VALUE_BYTES, inlineSize(entry))
      if (entry.type !== 'valref') continue
      const valueKey = childKey(key, name)
      for (const [index, blobref] of entry.data.entries()) blobs.push({ pending, key: valueKey, blobref, index })
    }
  }
  const sizes = await blobSizes(
    store,
    blobs.map(({ blobref }) => blobref),
  )
  for (const [i, { pending, key, blobref, index }] of blobs.entries()) {
    const size = sizes[i] as number
    if (size < 0) {
      report(missingValue(key, index, new ContentError('ENOENT', blobref, 'No such file or directory')))
      continue
    }
    graph.count(pending.ordinal, OWN.BYTES, size)
    if (met.add(blobref)) pending.usage.onceBytes += size
    if (index >= 0) graph.count(pending.ordinal, OWN.VALUE_BYTES, size)
  }
}

/** Bytes that base64 text stands for, whether it is sound or not. */
function inlineSize({ data }: Val): number {
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}

function childKey(key: string, name: string): string {
  return key === '.' ? name : `${key}.${name}`
}

export type UsageOrder = 'size' | 'name' | 'count'

/** Put directories in order: the largest first, or those with the most keys, or by their keys. @returns a new array */
export function sortUsages(usages: readonly Usage[], order: UsageOrder): Usage[] {
  const byName = (a: Usage, b: Usage) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  if (order === 'name') return usages.toSorted(byName)
  const measure = ({ bytes, keys }: Usage) => (order === 'size' ? bytes : keys)
  return usages.toSorted((a, b) => measure(b) - measure(a) || byName(a, b))
}
