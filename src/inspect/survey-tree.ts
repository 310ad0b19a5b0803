/**
 * The first look of a check at a tree: every directory once, and every blob of the values in it, to find out where there is
 * damage at all. It takes time for each directory blob, not for each key that leads to it.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { type DirObj, decodeDir, decodeVal, dirBlobref, type EntryObj, TreeError } from '../kvs/index.ts'
import { BlobChecks } from './blob-checks.ts'
import { DirGraph } from './dir-graph.ts'

/** The numbers that are kept of each directory. */
export const SURVEYED = { DIRECTORIES: 0, VALUES: 1, SYMLINKS: 2, BLOBS: 3, ERRORS: 4 } as const
const COLUMNS = 5

/** How many batches are under way. */
const BATCHES = 4

/** What is known of directories, of one tree or of several that have parts in common. */
export function newSurvey(): DirGraph {
  return new DirGraph(COLUMNS)
}

/** A directory that is to be loaded, or a value of one that has been. */
type Pending =
  | { readonly type: 'dir'; readonly ordinal: number; readonly blobrefs: readonly [string] }
  | { readonly type: 'value'; readonly ordinal: number; readonly blobrefs: readonly string[] }

/**
 * Look at what can be reached from a root, and is not known yet.
 *
 * @returns the ordinal of the root
 * @throws {FluxError} when the store as a whole fails
 * @throws {InterruptedError} the signal was aborted
 */
export async function surveyTree(
  store: ContentStore,
  rootref: string,
  graph: DirGraph,
  signal: AbortSignal | undefined,
): Promise<number> {
  const checks = new BlobChecks(store)
  const known = graph.find(rootref)
  if (known !== undefined) return known
  const root = graph.ordinalOf(rootref)
  // A stack, which stays short however large the tree is.
  const pending: Pending[] = [{ type: 'dir', ordinal: root, blobrefs: [rootref] }]
  const underWay: { batch: Pending[]; results: ReturnType<BlobChecks['batch']> }[] = []
  while (true) {
    throwIfAborted(signal)
    while (underWay.length < BATCHES && pending.length > 0) {
      const batch = checks.take(() => pending.pop())
      const results = checks.batch(batch)
      results.catch(() => {})
      underWay.push({ batch, results })
    }
    const first = underWay.shift()
    if (first === undefined) return root
    for (const [i, checked] of (await abortable(first.results, signal)).entries()) {
      const at = first.batch[i] as Pending
      const result = checked instanceof ContentError ? await abortable(checks.whole(checked), signal) : checked
      if (at.type === 'dir') enter(graph, at.ordinal, at.blobrefs[0], result as Uint8Array | ContentError, pending)
      else if (result !== undefined) graph.count(at.ordinal, SURVEYED.ERRORS, 1)
    }
  }
}

function enter(
  graph: DirGraph,
  ordinal: number,
  blobref: string,
  result: Uint8Array | ContentError,
  pending: Pending[],
): void {
  graph.count(ordinal, SURVEYED.BLOBS, 1)
  const top = result instanceof Uint8Array ? tryDecodeDir(result, blobref) : undefined
  if (top === undefined) {
    graph.count(ordinal, SURVEYED.ERRORS, 1)
    return
  }
  const children: number[] = []
  // Directories that stand in it are a part of it.
  const open: DirObj[] = [top]
  for (let dir = open.pop(); dir; dir = open.pop()) {
    graph.count(ordinal, SURVEYED.DIRECTORIES, 1)
    for (const name in dir.data) {
      const obj = dir.data[name] as EntryObj
      switch (obj.type) {
        case 'dir':
          open.push(obj)
          break
        case 'symlink':
          graph.count(ordinal, SURVEYED.SYMLINKS, 1)
          break
        case 'val':
          graph.count(ordinal, SURVEYED.VALUES, 1)
          if (!isDecodable(obj)) graph.count(ordinal, SURVEYED.ERRORS, 1)
          break
        case 'valref':
          graph.count(ordinal, SURVEYED.VALUES, 1)
          graph.count(ordinal, SURVEYED.BLOBS, obj.data.length)
          pending.push({ type: 'value', ordinal, blobrefs: obj.data })
          break
        case 'invalid':
          graph.count(ordinal, SURVEYED.ERRORS, 1)
          break
        default:
          if (dirBlobref(obj) === undefined) {
            graph.count(ordinal, SURVEYED.ERRORS, 1)
          } else {
            const { size } = graph
            const child = graph.ordinalOf(obj.data[0] as string)
            if (child === size) pending.push({ type: 'dir', ordinal: child, blobrefs: [obj.data[0] as string] })
            children.push(child)
          }
      }
    }
  }
  graph.setChildren(ordinal, children)
}

function tryDecodeDir(blob: Uint8Array, blobref: string): DirObj | undefined {
  try {
    return decodeDir(blob, '', blobref)
  } catch (error) {
    if (error instanceof TreeError) return undefined
    throw error
  }
}

/** True when an inline value is what it should be. */
function isDecodable(obj: Parameters<typeof decodeVal>[0]): boolean {
  try {
    decodeVal(obj)
    return true
  } catch {
    return false
  }
}
