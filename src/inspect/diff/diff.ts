/**
 * The comparison of two trees. Both are walked side by side, in the order of their keys. Directories with the same
 * blobref have the same content, so they are not read. Values are compared by their blobrefs where that decides it.
 * Otherwise their bytes are compared, because the same bytes can be stored in several ways: inline or in a blob, in one
 * blob or in several, or with another hash algorithm.
 *
 * Directories themselves are not compared: an empty directory, which no archive holds, makes no difference.
 */
import { throwIfAborted } from '../../errors/index.ts'
import {
  badEntry,
  countPaths,
  type DirObj,
  type Dirref,
  depthError,
  dirBlobref,
  dirrefOf,
  type EntryObj,
  isDir,
  LimitCount,
  MAX_DEPTH,
  type PathSource,
  type SnapshotRoot,
  sortNames,
  type TreeError,
  type TreeObj,
} from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { loadDirs } from '../load-dirs.ts'
import type { Change, Leaf, LeafPair } from './change.ts'
import { settleLeaves } from './diff-leaves.ts'

/** The directories of one key, not loaded yet; one of them may be missing. */
interface DirPair {
  readonly kind: 'dirs'
  readonly key: string
  /** How many directories it lies in. */
  readonly depth: number
  readonly a: DirObj | Dirref | undefined
  readonly b: DirObj | Dirref | undefined
}

/** The names of two loaded directories that are still to be compared; one of them may be missing. */
interface Span {
  readonly kind: 'span'
  readonly key: string
  readonly depth: number
  readonly names: readonly string[]
  at: number
  readonly a: DirObj['data']
  readonly b: DirObj['data']
}

type Node = LeafPair | DirPair | Span

type Report = (error: TreeError) => void

/** Pairs that are loaded or compared at a time. */
const BATCH = 512
/** Nodes that are taken off the stack to fill such a batch. */
const AHEAD = 4096

/** Options of {@link diff}. */
export interface DiffOptions extends InspectOptions {
  /** The most values, links and directories that are compared (default 100,000,000); equal directories are not gone through. */
  maxKeys?: number | undefined
  /** The most directories, one in another (default 10,000). */
  maxDepth?: number | undefined
}

const NOTHING: DirObj['data'] = Object.freeze(Object.create(null))

/**
 * Compare two snapshots.
 *
 * @yields changes in batches, sorted by the components of their keys; no batch is empty
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} `EOVERFLOW` more keys or levels than allowed; or the signal was aborted: `EINTR`, `ETIMEDOUT`, or
 *   its reason
 */
export async function* diff(
  a: SnapshotRoot,
  b: SnapshotRoot,
  options: DiffOptions = {},
): AsyncGenerator<Change[], void, void> {
  const { signal, maxDepth = MAX_DEPTH } = options
  const report = faultReporter(options)
  const limit = new LimitCount(options)
  // The nodes that are still to be compared. The last one is next.
  const stack: Node[] = []
  push(stack, '', 0, dirrefOf(a.rootref), dirrefOf(b.rootref))
  while (stack.length > 0) {
    throwIfAborted(signal)
    const { ahead, dirs, leaves } = lookAhead(stack, limit, report)
    for (const { key, depth } of dirs) if (depth > maxDepth) throw depthError(key.split('.', 10), maxDepth)
    const [[dirsA, dirsB]] = await Promise.all([
      loadPairs(a, b, dirs, report),
      settleLeaves(a.store, b.store, leaves, report, signal),
    ])
    let isCountDue = false
    for (const pair of dirs) if (limit.isCountDue(contentOf(pair))) isCountDue = true
    if (isCountDue) {
      const whole: DirPair = { kind: 'dirs', key: '', depth: 0, a: dirrefOf(a.rootref), b: dirrefOf(b.rootref) }
      limit.judge(await countPaths(whole, pairsOf(a, b), limit.countable, signal))
    }
    const opened = new Map(dirs.map((pair, i) => [pair as Node, spanOf(pair, dirsA[i], dirsB[i])]))
    const batch: Change[] = []
    let at = 0
    for (; at < ahead.length; at++) {
      const node = ahead[at] as Node
      if (node.kind !== 'leaves' || node.change === undefined) break
      if (node.change) batch.push(node.change)
    }
    for (let i = ahead.length - 1; i >= at; i--) {
      const node = ahead[i] as Node
      const next = node.kind === 'dirs' ? opened.get(node) : node
      if (next) stack.push(next)
    }
    if (batch.length > 0) yield batch
  }
}

/** Load the directories of some pairs: those of one side, and those of the other. */
function loadPairs(a: SnapshotRoot, b: SnapshotRoot, dirs: readonly DirPair[], report: Report) {
  return Promise.all([
    loadDirs(
      a.store,
      dirs.map(({ key, a }) => ({ key, obj: a })),
      report,
    ),
    loadDirs(
      b.store,
      dirs.map(({ key, b }) => ({ key, obj: b })),
      report,
    ),
  ])
}

/** A text for what both directories of a pair hold; undefined when one of them is inline. */
function contentOf({ a, b }: DirPair): string | undefined {
  const [refA, refB] = [a, b].map((dir) => (dir === undefined ? '-' : dirBlobref(dir)))
  return refA === undefined || refB === undefined ? undefined : `${refA} ${refB}`
}

/** The pairs of directories that are compared, for a count. */
function pairsOf(a: SnapshotRoot, b: SnapshotRoot): PathSource<DirPair> {
  return {
    contentOf,
    async open(pairs, take) {
      const [dirsA, dirsB] = await loadPairs(a, b, pairs, () => {})
      for (const [i, pair] of pairs.entries()) {
        const span = spanOf(pair, dirsA[i], dirsB[i])
        if (span && !take(i, pairsIn(span))) return
      }
    },
  }
}

/** For each name of a span the pair of directories under it; undefined where there is none to compare. */
function* pairsIn(span: Span): Generator<DirPair | undefined, void, void> {
  for (const name of span.names) {
    const nodes: Node[] = []
    pushEntries(nodes, span, name, () => {})
    yield nodes.find((node) => node.kind === 'dirs')
  }
}

/** Take nodes off the stack until there is a batch to load and compare. */
function lookAhead(
  stack: Node[],
  limit: LimitCount,
  report: Report,
): { ahead: Node[]; dirs: DirPair[]; leaves: LeafPair[] } {
  const ahead: Node[] = []
  const dirs: DirPair[] = []
  const leaves: LeafPair[] = []
  while (stack.length > 0 && ahead.length < AHEAD && dirs.length + leaves.length < BATCH) {
    const node = stack.pop() as Node
    if (node.kind === 'span') {
      const name = node.names[node.at++]
      if (name === undefined) continue
      limit.add(1)
      stack.push(node)
      pushEntries(stack, node, name, report)
      continue
    }
    ahead.push(node)
    if (node.kind === 'dirs') dirs.push(node)
    else if (node.change === undefined) leaves.push(node)
  }
  return { ahead, dirs, leaves }
}

/** Push what must be compared of the entries of one name. */
function pushEntries(stack: Node[], span: Span, name: string, report: Report): void {
  const key = span.key === '' ? name : `${span.key}.${name}`
  const [a, b] = [entryOf(span.a, name), entryOf(span.b, name)]
  const invalid = [a, b].filter((entry) => entry?.type === 'invalid')
  for (const entry of invalid) report(badEntry(key, entry))
  // A key that cannot be read on one side cannot be compared.
  if (invalid.length === 0) push(stack, key, span.depth + 1, a as TreeObj | undefined, b as TreeObj | undefined)
}

/** Push what must be compared of the two objects of one key; one of them may be missing. */
function push(stack: Node[], key: string, depth: number, a: TreeObj | undefined, b: TreeObj | undefined): void {
  const [dirA, dirB] = [asDir(a), asDir(b)]
  if ((dirA || dirB) && !isSameDir(dirA, dirB)) stack.push({ kind: 'dirs', key, depth, a: dirA, b: dirB })
  const [leafA, leafB] = [asLeaf(a), asLeaf(b)]
  if (leafA || leafB) stack.push({ kind: 'leaves', key, a: leafA, b: leafB, change: undefined })
}

function isSameDir(a: DirObj | Dirref | undefined, b: DirObj | Dirref | undefined): boolean {
  if (a?.type !== 'dirref' || b?.type !== 'dirref') return false
  return dirBlobref(a) !== undefined && dirBlobref(a) === dirBlobref(b)
}

function asDir(obj: TreeObj | undefined): DirObj | Dirref | undefined {
  return obj && isDir(obj) ? obj : undefined
}

function asLeaf(obj: TreeObj | undefined): Leaf | undefined {
  return obj === undefined || isDir(obj) ? undefined : obj
}

function entryOf(data: DirObj['data'], name: string): EntryObj | undefined {
  return Object.hasOwn(data, name) ? data[name] : undefined
}

/** @param a, b - undefined when missing; null when unreadable: then there is nothing to compare */
function spanOf(pair: DirPair, a: DirObj | null | undefined, b: DirObj | null | undefined): Span | undefined {
  if (a === null || b === null) return undefined
  const names = sortNames([...new Set([...Object.keys(a?.data ?? {}), ...Object.keys(b?.data ?? {})])])
  const { key, depth } = pair
  return { kind: 'span', key, depth, names, at: 0, a: a?.data ?? NOTHING, b: b?.data ?? NOTHING }
}
