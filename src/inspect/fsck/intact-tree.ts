/**
 * The first check of a tree in a store on disk: whether anything is wrong at all. It reads every directory once, marks the
 * blobs of all values, and has the store verify those in the order of storage. That takes a fraction of the time of the
 * survey, but does not say where a damage is.
 */
import type { ContentStore, StoreOnDisk } from '../../content/index.ts'
import { abortable } from '../../errors/index.ts'
import { type DirEntries, type DirGraph, DirScan, type DirVisitor, ENTRY, type Val } from '../../kvs/index.ts'
import { isDecodable } from '../inline-value.ts'
import { Marking } from '../marking.ts'
import { checkRanges } from './store-ranges.ts'
import { SURVEYED } from './survey-tree.ts'

/**
 * Read the directories that can be reached from some roots, and mark the blobs of their values. The tree is intact if the
 * marked blobs are too: see {@link verifyMarked}.
 *
 * @param graph - of intact trees only. Directories that are in it already are not read again
 * @returns false when a directory or an inline value is damaged, or a blob is missing. Then the graph is of no more use
 * @throws {FluxError} when the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function markIntact(
  store: ContentStore,
  onDisk: StoreOnDisk,
  rootrefs: readonly string[],
  graph: DirGraph,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const unknown = rootrefs.filter((rootref) => graph.find(rootref) === undefined)
  if (unknown.length === 0) return true
  const marking = new Marking(store.hash, (digests) => onDisk.markDigests(digests))
  const found = new IntactSurvey(graph, marking, unknown.length)
  try {
    await new DirScan(store, found, signal).run(unknown)
  } catch (error) {
    if (error === DAMAGED) return false
    throw error
  }
  await abortable(marking.finish(), signal)
  return marking.missing === 0
}

/** Verify the blobs that are marked, all in one pass. @returns false when one is damaged */
export async function verifyMarked(onDisk: StoreOnDisk, signal: AbortSignal | undefined): Promise<boolean> {
  for await (const { errors } of checkRanges(onDisk, { onlyMarked: true }, signal)) {
    if (errors.length > 0) return false
  }
  return true
}

/** Thrown at the first damage: the scan need not go on. */
const DAMAGED = new Error('damaged')

/** Counts the content of each directory; its place is its ordinal. Inline directories count as part of their parent. */
class IntactSurvey implements DirVisitor {
  readonly #graph: DirGraph
  readonly #marking: Marking
  /** The scan begins with the roots, which are no children. */
  #rootsLeft: number

  constructor(graph: DirGraph, marking: Marking, roots: number) {
    this.#rootsLeft = roots
    this.#graph = graph
    this.#marking = marking
  }

  onDirref(ordinal: number, digest: Uint8Array): number | undefined {
    const graph = this.#graph
    const { size } = graph
    const child = graph.ordinalOfDigest(digest)
    if (this.#rootsLeft > 0) this.#rootsLeft--
    else graph.addChild(ordinal, child)
    if (child !== size) return undefined
    graph.count(child, SURVEYED.BLOBS, 1)
    return child
  }

  onDir(ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.DIRECTORIES, 1)
  }

  onValue(ordinal: number, entry: DirEntries): void {
    this.#graph.count(ordinal, SURVEYED.VALUES, 1)
    if (entry.type === ENTRY.VALREF) {
      this.#graph.count(ordinal, SURVEYED.BLOBS, entry.refCount)
      this.#marking.addAll(entry)
      return
    }
    if (!isDecodable(entry.obj as Val)) throw DAMAGED
  }

  onLink(ordinal: number): void {
    this.#graph.count(ordinal, SURVEYED.SYMLINKS, 1)
  }

  onFault(): void {
    throw DAMAGED
  }

  afterBatch(): Promise<void> | undefined {
    return this.#marking.markFull()
  }
}
