/**
 * The tree of a snapshot by size, with so few nodes that it can be drawn. It begins with the root, and always opens the
 * largest directory that is not open yet. Of many entries in one directory, the small ones are joined; directories of
 * jobs, whose names are numbers in the order of time, are joined to ranges.
 */
import { throwIfAborted } from '../../errors/index.ts'
import { type DirObj, type Dirref, dirBlobref, dirrefOf, isDir, keyIn, type SnapshotRoot } from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { loadDirs } from '../load-dirs.ts'
import { valueSizes } from '../value-sizes.ts'
import type { TreeSums } from './sums.ts'

/** A directory or value, or several joined. */
export interface FoldedNode {
  /** `.` for the root; the first name of several. */
  readonly name: string
  /** The last name of a range; undefined for one entry, and for the small ones of a directory. */
  readonly last: string | undefined
  readonly bytes: number
  /** Values and symbolic links. */
  readonly keys: number
  /** How many entries were joined; 0 for one entry. */
  readonly folded: number
  /** Largest first; ranges in their order. */
  readonly children: readonly FoldedNode[]
}

/** Options of {@link foldedTree}. */
export interface FoldedTreeOptions extends InspectOptions {
  /** About so many nodes (default 1200). */
  most?: number | undefined
}

/** Deeper directories are not opened: nobody could see them, and a tree is written and drawn level in level. */
const MOST_LEVELS = 100

/** More entries of one directory are joined. */
const MOST_CHILDREN = 48
/** Ranges of directories whose names are numbers. */
const RANGES = 24
/** A smaller part of the whole is not opened: it could not be seen. */
const SMALLEST = 1 / 2000

const FOUR_DIGITS = /^[0-9a-f]{4}$/

interface Draft {
  readonly name: string
  readonly key: string
  readonly bytes: number
  readonly keys: number
  last: string | undefined
  folded: number
  /** Set when it becomes a child: how many nodes it lies in. */
  level: number
  children: Draft[]
  /** What is inside, until it is opened: a directory, or the entries of a range. */
  inside: DirObj | Dirref | Draft[] | undefined
}

/**
 * Fold the tree of a snapshot.
 *
 * @param sums - of the root of the same snapshot
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} the signal was aborted
 */
export async function foldedTree(
  snapshot: SnapshotRoot,
  sums: TreeSums,
  options: FoldedTreeOptions = {},
): Promise<FoldedNode> {
  const { most = 1200 } = options
  const { store, rootref } = snapshot
  const report = faultReporter(options)
  const { bytes = 0, keys = 0 } = sums.usages[0] ?? {}
  const root = draftOf('.', '.', bytes, keys, dirrefOf(rootref))
  const closed = [root]
  for (let count = 1; count < most; ) {
    throwIfAborted(options.signal)
    const next = takeLargest(closed, bytes * SMALLEST)
    if (next === undefined) break
    const { inside } = next
    next.inside = undefined
    if (inside === undefined) continue
    if (Array.isArray(inside)) next.children = joined(inside)
    else {
      const [dir] = await loadDirs(store, [{ key: next.key, obj: inside }], report)
      if (dir) next.children = joined(await entriesOf(dir, next.key))
    }
    count += next.children.length
    for (const child of next.children) {
      child.level = next.level + 1
      if (child.inside !== undefined && child.level < MOST_LEVELS) closed.push(child)
    }
  }
  return root

  async function entriesOf(dir: DirObj, key: string): Promise<Draft[]> {
    const drafts: Draft[] = []
    const values: { name: string; key: string; obj: Parameters<typeof valueSizes>[1][number]['obj'] }[] = []
    for (const [name, obj] of Object.entries(dir.data)) {
      if (obj.type === 'invalid' || obj.type === 'symlink') continue
      if (!isDir(obj)) {
        values.push({ name, key: keyIn(key, name), obj })
        continue
      }
      const { bytes, keys } = sumsOf(obj)
      drafts.push(draftOf(name, keyIn(key, name), bytes, keys, obj))
    }
    // What cannot be read has been reported by the sums.
    const sizes = store.onDisk ? await valueSizes(store, values, () => {}) : []
    for (const [i, { name, key }] of values.entries()) drafts.push(draftOf(name, key, Math.max(0, sizes[i] ?? 0), 1))
    return drafts
  }

  /** Of an inline directory, what is stored in it counts as a part of the directory around it. */
  function sumsOf(obj: DirObj | Dirref): { bytes: number; keys: number } {
    if (obj.type === 'dirref') {
      const blobref = dirBlobref(obj)
      return (blobref === undefined ? undefined : sums.sumsOf(blobref)) ?? { bytes: 0, keys: 0 }
    }
    let [bytes, keys] = [0, 0]
    for (const entry of Object.values(obj.data)) {
      if (entry.type === 'dir' || entry.type === 'dirref') {
        const below = sumsOf(entry)
        bytes += below.bytes
        keys += below.keys
      } else keys++
    }
    return { bytes, keys }
  }
}

function draftOf(name: string, key: string, bytes: number, keys: number, inside?: Draft['inside']): Draft {
  return { name, key, bytes, keys, last: undefined, folded: 0, level: 0, children: [], inside }
}

function takeLargest(closed: Draft[], least: number): Draft | undefined {
  let found = -1
  for (const [i, { bytes }] of closed.entries()) {
    if (found < 0 || bytes > (closed[found] as Draft).bytes) found = i
  }
  const largest = closed[found]
  if (largest === undefined || (largest.name !== '.' && largest.bytes < least)) return undefined
  closed.splice(found, 1)
  return largest
}

/** The entries of a directory, of which many are joined. */
function joined(entries: Draft[]): Draft[] {
  const bySize = (a: Draft, b: Draft) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1)
  if (entries.length <= MOST_CHILDREN) return entries.sort(bySize)
  if (entries.every(({ name }) => FOUR_DIGITS.test(name))) {
    const inOrder = entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    const size = Math.ceil(inOrder.length / RANGES)
    const ranges: Draft[] = []
    for (let at = 0; at < inOrder.length; at += size) {
      const some = inOrder.slice(at, at + size)
      ranges.push(some.length === 1 ? (some[0] as Draft) : together(some, some, some.at(-1)?.name))
    }
    return ranges
  }
  const sorted = entries.sort(bySize)
  return [...sorted.slice(0, MOST_CHILDREN), together(sorted.slice(MOST_CHILDREN), undefined, undefined)]
}

function together(drafts: readonly Draft[], inside: Draft[] | undefined, last: string | undefined): Draft {
  const { name, key } = drafts[0] as Draft
  const sum = (of: (draft: Draft) => number) => drafts.reduce((total, draft) => total + of(draft), 0)
  const draft = draftOf(
    name,
    key,
    sum(({ bytes }) => bytes),
    sum(({ keys }) => keys),
    inside,
  )
  return Object.assign(draft, { folded: drafts.length, last })
}
