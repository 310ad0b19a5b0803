/**
 * Counts the keys of a tree without visiting each: a directory is read once, however many keys lead to it. So 2^30 keys
 * in 30 directories are counted by reading 30 directories.
 */
import { throwIfAborted } from '../errors/index.ts'
import { DecodedDir, ENTRY } from './dir-entries.ts'
import { DirGraph } from './dir-graph.ts'
import { Dir, keyIn } from './entry.ts'
import type { Child, KvsReader } from './kvs-reader.ts'
import { type DirObj, type Dirref, dirBlobref } from './treeobj.ts'
import type { WalkFilter } from './walk-options.ts'

/** What {@link countPaths} has counted. */
export interface PathCount {
  /** Values, links and directories, once for each key that leads to them. Stops at 2^53 - 1. */
  readonly keys: number
  /** The same, each counted once where it is stored. */
  readonly stored: number
  /** How many directories were read. */
  readonly directories: number
}

/** Opens the nodes of {@link countPaths}. */
export interface PathSource<Node> {
  /** A text that is the same for nodes with the same content; undefined for a node that no other equals. */
  contentOf(node: Node): string | undefined
  /** For each node, how many entries it has, and the nodes among them. One that cannot be read has none. */
  open(nodes: readonly Node[]): Promise<Opened<Node>[]>
}

/** A node that was opened. */
export interface Opened<Node> {
  readonly entries: number
  readonly children: readonly Node[]
}

/** Nodes that are opened together: few at first, more as long as they are small. */
const FIRST_BATCH = 4
const MAX_BATCH = 512
/** Entries of a batch after which fewer are opened together: they are all in memory then. */
const MANY_ENTRIES = 25_000

/**
 * Count what can be reached from a node.
 *
 * @param most - give up beyond so many different nodes
 * @returns undefined when it was given up
 */
export async function countPaths<Node>(
  root: Node,
  source: PathSource<Node>,
  most: number,
  signal?: AbortSignal,
): Promise<PathCount | undefined> {
  const graph = new DirGraph(1)
  const ordinals = new Map<string, number>()
  let stored = 0
  const queue: { node: Node; ordinal: number }[] = []
  const ordinalOf = (node: Node): number => {
    const content = source.contentOf(node)
    const known = content === undefined ? undefined : ordinals.get(content)
    if (known !== undefined) return known
    const ordinal = graph.add()
    if (content !== undefined) ordinals.set(content, ordinal)
    queue.push({ node, ordinal })
    return ordinal
  }
  ordinalOf(root)
  let size = FIRST_BATCH
  while (queue.length > 0) {
    throwIfAborted(signal)
    const batch = queue.splice(0, size)
    const before = stored
    const opened = await source.open(batch.map(({ node }) => node))
    for (const [i, { entries, children }] of opened.entries()) {
      const { ordinal } = batch[i] as { ordinal: number }
      graph.count(ordinal, 0, entries)
      stored += entries
      for (const child of children) graph.addChild(ordinal, ordinalOf(child))
    }
    size = stored - before > MANY_ENTRIES ? FIRST_BATCH : Math.min(2 * size, MAX_BATCH)
    if (graph.size > most) return undefined
  }
  const totals = graph.totals(graph.order(0).order)
  return { keys: totals[0] as number, stored, directories: graph.size }
}

/** A directory of a tree that is counted. */
interface Place extends Child<DirObj | Dirref> {
  /** For a filter: the way by which the directory was found first. */
  readonly dir: Dir | undefined
}

/** A {@link Dir} of a count serves for its depth and its name. */
const NO_ENTRIES = { has: () => false }

/**
 * Count the keys below a directory.
 *
 * @param filter - count only what it takes and enters; it must answer {@link WalkFilter.byDepth}
 * @param most - give up beyond so many different directories
 * @returns undefined when it was given up
 * @throws {FluxError} the store as a whole fails; or the signal was aborted
 */
export function countTree(
  reader: Pick<KvsReader, 'openDirs'>,
  root: Child<DirObj | Dirref>,
  most: number,
  { filter, signal }: { filter?: WalkFilter | undefined; signal?: AbortSignal | undefined } = {},
): Promise<PathCount | undefined> {
  const top: Place = { ...root, dir: filter && new Dir(undefined, '', undefined, NO_ENTRIES) }
  const source: PathSource<Place> = {
    contentOf({ obj, dir }) {
      const blobref = dirBlobref(obj)
      return blobref === undefined || dir === undefined ? blobref : `${dir.depth} ${blobref}`
    },
    async open(places) {
      const opened = await reader.openDirs(places)
      return opened.map((obj, i) => (obj instanceof Error ? UNREAD : entriesOf(places[i] as Place, obj, filter)))
    },
  }
  return countPaths(top, source, most, signal)
}

const UNREAD = { entries: 0, children: [] }

function entriesOf({ key, dir }: Place, obj: DirObj, filter: WalkFilter | undefined): Opened<Place> {
  let entries = 0
  const children: Place[] = []
  const all = new DecodedDir(obj, false)
  while (all.next()) {
    const { name, type } = all
    const child = obj.data[name] as DirObj | Dirref
    if (type !== ENTRY.DIR && type !== ENTRY.DIRREF) {
      if (dir === undefined || filter?.takes(dir, name)) entries++
    } else if (dir === undefined) {
      entries++
      children.push({ key: keyIn(key, name), obj: child, dir })
    } else if (filter?.enters(dir, name)) {
      entries++
      children.push({ key: keyIn(key, name), obj: child, dir: new Dir(dir, name, undefined, NO_ENTRIES) })
    }
  }
  return { entries, children }
}
