/**
 * Counts the keys of a tree without visiting each: a directory is read once, however many keys lead to it. So 2^30 keys
 * in 30 directories are counted by reading 30 directories.
 */
import { ContentError, type ContentStore, type HashName, loadEach } from '../content/index.ts'
import { throwIfAborted } from '../errors/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from './dir-entries.ts'
import { DirGraph } from './dir-graph.ts'
import { Dir, keyIn } from './entry.ts'
import type { Child, KvsReader } from './kvs-reader.ts'
import { PlainDir } from './plain-dir.ts'
import { refList } from './refs.ts'
import { TreeError } from './tree-error.ts'
import { decodeDir } from './tree-faults.ts'
import { type DirObj, type Dirref, dirBlobref, MAX_DIR_BYTES } from './treeobj.ts'
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
  /**
   * Read some nodes, one after another.
   *
   * @param take - called for each that can be read, with its place in `nodes`. It goes through the entries at once.
   */
  open(nodes: readonly Node[], take: TakeEntries<Node>): Promise<void>
}

/** @param entries - those of a node: the nodes among them, and undefined for any other. @returns false when it is enough */
export type TakeEntries<Node> = (index: number, entries: Iterable<Node | undefined>) => boolean

/** Nodes that are opened together: few at first, more as long as they are small. */
const FIRST_BATCH = 4
const MAX_BATCH = 512
/** Entries of a batch after which fewer are opened together: they are all in memory then. */
const MANY_ENTRIES = 25_000

/** Bytes of directories that are loaded at a time, beside one that is larger. */
const BATCH_BYTES = 16 << 20

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
    await source.open(
      batch.map(({ node }) => node),
      (index, entries) => {
        const { ordinal } = batch[index] as { ordinal: number }
        let count = 0
        for (const entry of entries) {
          count++
          if (entry !== undefined) graph.addChild(ordinal, ordinalOf(entry))
          if (graph.size > most) return false
        }
        graph.count(ordinal, 0, count)
        stored += count
        return true
      },
    )
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

/** Options of a count. */
export interface CountOptions {
  /** Count only what it takes and enters; it must answer {@link WalkFilter.byDepth}. */
  filter?: WalkFilter | undefined
  signal?: AbortSignal | undefined
  /** True when nobody needs the count any more: then nothing is loaded for it. */
  isOver?: (() => boolean) | undefined
}

/**
 * Count the keys below a directory.
 *
 * @param most - give up beyond so many different directories
 * @returns undefined when it was given up
 * @throws {FluxError} the store as a whole fails; or the signal was aborted
 */
export function countTree(
  reader: Pick<KvsReader, 'openDirs'>,
  root: Child<DirObj | Dirref>,
  most: number,
  { filter, signal }: Omit<CountOptions, 'isOver'> = {},
): Promise<PathCount | undefined> {
  return countPaths(topOf(root, filter), sourceOf(openWith), most, signal)

  async function openWith(places: readonly Place[], take: TakeEntries<Place>): Promise<void> {
    const opened = await reader.openDirs(places)
    for (const [i, obj] of opened.entries()) {
      const place = places[i] as Place
      if (!(obj instanceof Error) && !take(i, entriesOf(place, new DecodedDir(obj, false), filter, place.key))) return
    }
  }
}

/**
 * The same as {@link countTree} for a store. Its directories are read from their bytes, and only one at a time is in memory
 * beside those that are loaded with it: it may be a large one.
 */
export function countStored(
  store: ContentStore,
  root: DirObj | Dirref,
  most: number,
  { filter, signal, isOver = () => false }: CountOptions = {},
): Promise<PathCount | undefined> {
  return countPaths(topOf({ key: '', obj: root }, filter), sourceOf(openWith), most, signal)

  async function openWith(places: readonly Place[], take: TakeEntries<Place>): Promise<void> {
    if (isOver()) return
    const { hash } = store
    const takeDir = (i: number, dir: DirEntries) => take(i, entriesOf(places[i] as Place, dir, filter, undefined, hash))
    const indexes: number[] = []
    const blobrefs: string[] = []
    for (const [i, { obj }] of places.entries()) {
      const blobref = dirBlobref(obj)
      if (obj.type === 'dir') {
        if (!takeDir(i, new DecodedDir(obj, false))) return
      } else if (blobref !== undefined) {
        indexes.push(i)
        blobrefs.push(blobref)
      }
    }
    const takeBlob = (at: number, blob: Uint8Array | ContentError) => {
      const dir = blob instanceof ContentError ? undefined : readDir(blob, hash)
      return dir === undefined || takeDir(indexes[at] as number, dir)
    }
    await loadEach(store, blobrefs, takeBlob, { budgetBytes: BATCH_BYTES, maxBlobBytes: MAX_DIR_BYTES, signal })
  }
}

function readDir(blob: Uint8Array, hash: HashName): DirEntries | undefined {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
  const plain = PlainDir.of(bytes, hash)
  if (plain !== undefined) return plain
  try {
    return new DecodedDir(decodeDir(bytes, '', undefined), false)
  } catch (error) {
    // The walk tells what is damaged.
    if (error instanceof TreeError) return undefined
    throw error
  }
}

function topOf(root: Child<DirObj | Dirref>, filter: WalkFilter | undefined): Place {
  return { ...root, dir: filter && new Dir(undefined, '', undefined, NO_ENTRIES) }
}

function sourceOf(open: PathSource<Place>['open']): PathSource<Place> {
  return {
    open,
    contentOf({ obj, dir }) {
      const blobref = dirBlobref(obj)
      return blobref === undefined || dir === undefined ? blobref : `${dir.depth} ${blobref}`
    },
  }
}

/** @param key - that of the directory, if the keys of those in it are needed. @param hash - the algorithm of the text */
function* entriesOf(
  { dir }: Place,
  entries: DirEntries,
  filter: WalkFilter | undefined,
  key: string | undefined,
  hash: HashName = 'sha1',
): Generator<Place | undefined, void, void> {
  while (entries.next()) {
    const { type } = entries
    const isDir = type === ENTRY.DIR || type === ENTRY.DIRREF
    if (!isDir && dir === undefined) {
      yield undefined
      continue
    }
    const { name } = entries
    if (!isDir) {
      if (filter?.takes(dir as Dir, name)) yield undefined
    } else if (dir === undefined || filter?.enters(dir, name)) {
      yield {
        key: key === undefined ? '' : keyIn(key, name),
        obj: type === ENTRY.DIR ? (entries.obj as DirObj) : { type: 'dirref', ver: 1, data: refList(entries, hash) },
        dir: dir && new Dir(dir, name, undefined, NO_ENTRIES),
      }
    }
  }
}
