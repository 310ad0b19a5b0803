/**
 * The first look of a check at a tree: every directory once, and every blob of the values in it, to find out where there is
 * damage at all. It takes time for each directory blob, not for each key that leads to it.
 */
import type { ContentStore } from '../../content/index.ts'
import {
  decodeVal,
  dirrefOf,
  type ScanVisitor,
  type Symlink,
  TreeScan,
  type Val,
  type Valref,
} from '../../kvs/index.ts'
import { DirGraph } from '../dir-graph.ts'

/** The numbers that are kept of each directory. */
export const SURVEYED = { DIRECTORIES: 0, VALUES: 1, SYMLINKS: 2, BLOBS: 3, ERRORS: 4 } as const
const COLUMNS = 5

/** What is known of directories, of one tree or of several that have parts in common. */
export function newSurvey(): DirGraph {
  return new DirGraph(COLUMNS)
}

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
  const known = graph.find(rootref)
  if (known !== undefined) return known
  const root = graph.ordinalOf(rootref)
  graph.count(root, SURVEYED.BLOBS, 1)
  await new TreeScan(store, new Survey(graph), { checkValues: true, signal }).run([[dirrefOf(rootref), root]])
  return root
}

/** Counts what is in each directory, whose place is its ordinal. Directories that stand in another are a part of it. */
class Survey implements ScanVisitor<number> {
  readonly #graph: DirGraph

  constructor(graph: DirGraph) {
    this.#graph = graph
  }

  onDirref(ordinal: number, _name: string, blobref: string): number | undefined {
    const { size } = this.#graph
    const child = this.#graph.ordinalOf(blobref)
    this.#graph.addChild(ordinal, child)
    if (child !== size) return undefined
    this.#graph.count(child, SURVEYED.BLOBS, 1)
    return child
  }

  onInlineDir(ordinal: number): number {
    return ordinal
  }

  onDir(ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.DIRECTORIES, 1)
  }

  onValue(ordinal: number, _name: string, obj: Val | Valref): void {
    this.#graph.count(ordinal, SURVEYED.VALUES, 1)
    if (obj.type === 'valref') this.#graph.count(ordinal, SURVEYED.BLOBS, obj.data.length)
    else if (!isDecodable(obj)) this.onFault(undefined, ordinal)
  }

  onLink(ordinal: number, _name: string, _obj: Symlink): void {
    this.#graph.count(ordinal, SURVEYED.SYMLINKS, 1)
  }

  onBadValue(ordinal: number): void {
    this.onFault(undefined, ordinal)
  }

  onFault(_error: unknown, ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.ERRORS, 1)
  }

  /** Keys are told when the damage is gone through, if there is any. */
  keyOf(): string {
    return ''
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
