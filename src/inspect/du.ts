/**
 * What takes the room: the bytes of the blobs below each directory, its own and those of values, counted as often as they
 * are referred to, and once. Nothing but directories is loaded from a store that knows the sizes of its blobs.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { throwIfAborted } from '../errors/index.ts'
import {
  type DirObj,
  type Dirref,
  missingValue,
  sortedNames,
  type TreeError,
  type TreeObj,
  type Val,
} from '../kvs/index.ts'
import { DigestSet } from './digest-set.ts'
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

/** A directory that is to be loaded. */
interface Pending {
  key: string
  depth: number
  obj: DirObj | Dirref
  /** Where it is counted: itself, or the last level that is told apart. */
  usage: Node
}

interface Node extends Usage {
  readonly parent: Node | undefined
}

/** Directories loaded at a time: always the same, so that what is met first does not depend on the store. */
const BATCH = 512

/**
 * Add up a directory.
 *
 * @param root - its tree object
 * @returns itself, and its directories down to `depth`, each before what is in it
 * @throws {TreeError} see {@link DuOptions.onError}
 */
export async function du(store: ContentStore, root: DirObj | Dirref, options: DuOptions): Promise<Usage[]> {
  const { depth: deepest, key = '.', signal } = options
  const report = (error: TreeError) => {
    if (options.onError === undefined) throw error
    options.onError(error)
  }
  const met = new DigestSet()
  const usages: Node[] = []
  const newUsage = (key: string, parent: Node | undefined): Node => {
    const usage = { key, parent, bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0 }
    usages.push(usage)
    return usage
  }
  // The next last: in the order of the keys, as far as batches go.
  const stack: Pending[] = [{ key, depth: 0, obj: root, usage: newUsage(key, undefined) }]
  while (stack.length > 0) {
    throwIfAborted(signal)
    const batch = stack.splice(-BATCH).reverse()
    const dirs = await loadDirs(store, batch, report)
    await count(store, batch, dirs, met, report)
    const below: Pending[] = []
    for (const [i, { key, depth, usage }] of batch.entries()) {
      usage.dirs++
      const dir = dirs[i]
      for (const name of dir ? sortedNames(dir) : []) {
        const obj = dir?.data[name] as TreeObj
        if (obj.type !== 'dir' && obj.type !== 'dirref') continue
        const child = childKey(key, name)
        below.push({ key: child, depth: depth + 1, obj, usage: depth < deepest ? newUsage(child, usage) : usage })
      }
    }
    for (const pending of below.reverse()) stack.push(pending)
  }
  // What is below counts above too; the deepest come last.
  for (const usage of usages.toReversed()) if (usage.parent) addUp(usage.parent, usage)
  return usages
}

/** A blob, and where it is counted. */
interface Counted {
  usage: Node
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
  met: DigestSet,
  report: (error: TreeError) => void,
): Promise<void> {
  const blobs: Counted[] = []
  for (const [i, { key, obj, usage }] of batch.entries()) {
    const dir = dirs[i]
    if (!dir) continue
    if (obj.type === 'dirref') blobs.push({ usage, key, blobref: obj.data[0] as string, index: -1 })
    for (const [name, entry] of Object.entries(dir.data)) {
      if (entry.type === 'dir' || entry.type === 'dirref') continue
      usage.keys++
      if (entry.type === 'val') usage.valueBytes += inlineSize(entry)
      if (entry.type !== 'valref') continue
      const valueKey = childKey(key, name)
      for (const [index, blobref] of entry.data.entries()) blobs.push({ usage, key: valueKey, blobref, index })
    }
  }
  const sizes = await blobSizes(
    store,
    blobs.map(({ blobref }) => blobref),
  )
  for (const [i, { usage, key, blobref, index }] of blobs.entries()) {
    const size = sizes[i] as number
    if (size < 0) {
      report(missingValue(key, index, new ContentError('ENOENT', blobref, 'No such file or directory')))
      continue
    }
    usage.bytes += size
    if (met.add(blobref)) usage.onceBytes += size
    if (index >= 0) usage.valueBytes += size
  }
}

/** Bytes that base64 text stands for, whether it is sound or not. */
function inlineSize({ data }: Val): number {
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}

function childKey(key: string, name: string): string {
  return key === '.' ? name : `${key}.${name}`
}

function addUp(sum: Usage, part: Usage): void {
  sum.bytes += part.bytes
  sum.onceBytes += part.onceBytes
  sum.valueBytes += part.valueBytes
  sum.keys += part.keys
  sum.dirs += part.dirs
}

export type UsageOrder = 'size' | 'name' | 'count'

/** Put directories in order: the largest first, or those with the most keys, or by their keys. @returns a new array */
export function sortUsages(usages: readonly Usage[], order: UsageOrder): Usage[] {
  const byName = (a: Usage, b: Usage) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  if (order === 'name') return usages.toSorted(byName)
  const measure = ({ bytes, keys }: Usage) => (order === 'size' ? bytes : keys)
  return usages.toSorted((a, b) => measure(b) - measure(a) || byName(a, b))
}
