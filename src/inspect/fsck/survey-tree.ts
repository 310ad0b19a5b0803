/**
 * The first pass of a check: it reads every directory once and checks every blob of the values in it, to find which
 * directories contain damage. Its time grows with the number of directory blobs, not with the number of keys.
 */
import type { ContentStore } from '../../content/index.ts'
import { type DirEntries, DirGraph, dirrefOf, ENTRY, type ScanVisitor, TreeScan, type Val } from '../../kvs/index.ts'
import { isDecodable } from '../inline-value.ts'

/** The columns of the numbers that are kept for each directory. */
export const SURVEYED = { DIRECTORIES: 0, VALUES: 1, SYMLINKS: 2, BLOBS: 3, ERRORS: 4 } as const
const COLUMNS = 5

/** What is known of the directories of one or more trees: trees that share directories share the survey of them. */
export class Surveys {
  /** Of intact trees; undefined as soon as one is not. */
  intact: DirGraph | undefined = new DirGraph(COLUMNS)
  /** Of any trees. */
  readonly all = new DirGraph(COLUMNS)
  #first = this.intact

  /** Release the memory at once: a hundred bytes for each directory. */
  release(): void {
    this.#first?.release()
    this.#first = undefined
    this.intact = undefined
    this.all.release()
  }
}

/** @param totals - from {@link DirGraph.totals} */
export function surveyedTotal(totals: Float64Array, ordinal: number, column: number): number {
  return totals[ordinal * COLUMNS + column] as number
}

/**
 * Add to a survey what can be reached from a root. Directories that are in it already are not read again.
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

/** Counts the content of each directory; its place is its ordinal. Inline directories count as part of their parent. */
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

  onValue(ordinal: number, entry: DirEntries): void {
    this.#graph.count(ordinal, SURVEYED.VALUES, 1)
    if (entry.type === ENTRY.VALREF) this.#graph.count(ordinal, SURVEYED.BLOBS, entry.refCount)
    else if (!isDecodable(entry.obj as Val)) this.onFault(undefined, ordinal)
  }

  onLink(ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.SYMLINKS, 1)
  }

  onBadValue(ordinal: number): void {
    this.onFault(undefined, ordinal)
  }

  onFault(_error: unknown, ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.ERRORS, 1)
  }

  /** Keys are not needed: checkTree() finds the keys of the damages. */
  keyOf(): string {
    return ''
  }
}
