/**
 * The check of a tree. It reads every directory, compares every blob of a value with its blobref inside the store, and
 * reports each damage with its key.
 *
 * With an `onVisit`, the tree is scanned level by level, and keys and damages are reported in the order of `flux fsck`.
 * Without one, a store on disk is first asked whether all is intact. If not, and for any other store, a survey reads each
 * directory once, however many keys lead to it. Only if it finds damage, the
 * directories that contain damage are scanned again key by key, and the damages are sorted into the order of `flux
 * fsck`.
 */
import { ContentError, type ContentStore, type StoreOnDisk } from '../../content/index.ts'
import {
  type BadPart,
  componentsOf,
  countStored,
  Dir,
  type DirEntries,
  type DirGraph,
  depthError,
  dirrefOf,
  ENTRY,
  LimitCount,
  MAX_DEPTH,
  type ScanVisitor,
  type SnapshotRoot,
  type TreeError,
  TreeScan,
  type Val,
} from '../../kvs/index.ts'
import { isDecodable } from '../inline-value.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { type BadBlob, badBlob, blobDamageKind, type Damage, type DamageKind } from './damage.ts'
import { markIntact, verifyMarked } from './intact-tree.ts'
import { SURVEYED, Surveys, surveyedTotal, surveyTree } from './survey-tree.ts'

/**
 * The most directory visits for reporting each damage under every key that leads to it. If it would take more, each
 * damaged directory is visited once.
 */
const MAX_VISITS = 1_000_000

/** Damages are reported until their keys have this many components in total; further ones are only counted. */
const MAX_COMPONENTS = 32_000_000

/** Options of {@link checkTree}. Faults come in the order of `flux fsck`; none is thrown. */
export interface CheckTreeOptions extends InspectOptions<Damage> {
  /** Called with each key, before anything below it is checked. */
  onVisit?: ((key: string) => void) | undefined
  /** The most levels of directories to call `onVisit` for (default: 10,000): each key is written in full. */
  maxDepth?: number | undefined
  /** The surveys of other roots: directories in them are not read again. Not used when there is an `onVisit`. */
  surveys?: Surveys | undefined
  /** The most keys to call `onVisit` with (default: 100 million). */
  maxKeys?: number | undefined
}

/** What was checked. Everything counts once for each key that leads to it; numbers stop at 2^53 - 1. */
export interface CheckedTree {
  directories: number
  values: number
  symlinks: number
  /** Blobs that values and directories refer to. */
  blobs: number
  errors: number
  /**
   * How many of `errors` were not reported, because too many keys lead to the damaged directories. Undefined when all
   * were reported.
   */
  unlisted?: number
}

/**
 * Check a snapshot: that every blob which can be reached from its root is present and unaltered, and that every tree
 * object is valid.
 *
 * @throws {FluxError} when the store as a whole fails; `EOVERFLOW` there are more keys than `maxKeys`
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function checkTree(snapshot: SnapshotRoot, options: CheckTreeOptions): Promise<CheckedTree> {
  const { store, rootref } = snapshot
  const { surveys = new Surveys(), onVisit, signal } = options
  if (onVisit !== undefined) return new TreeCheck(store, options, undefined).run(rootref)
  const intact = store.onDisk && surveys.intact && (await checkIntact(snapshot, store.onDisk, surveys.intact, signal))
  if (intact !== undefined) return intact
  surveys.intact = undefined
  const graph = surveys.all
  const root = await surveyTree(store, rootref, graph, signal)
  const { order, loops } = graph.order(root)
  const totals = graph.totals(order)
  const counts = countsOf(root, totals)
  const of = (ordinal: number, column: number) => surveyedTotal(totals, ordinal, column)
  const isDamaged = (ordinal: number) => of(ordinal, SURVEYED.ERRORS) > 0 || loops.size > 0
  if (!isDamaged(root)) return { ...counts, errors: 0 }
  const once = visitsOf(graph, order, isDamaged) > MAX_VISITS
  const told = await new TreeCheck(store, options, { graph, isDamaged, loops, once }).run(rootref)
  const errors = once ? Math.max(of(root, SURVEYED.ERRORS), told.errors) : told.errors
  const unlisted = errors - told.errors + (told.unlisted ?? 0)
  return { ...counts, errors, ...(unlisted > 0 && { unlisted }) }
}

/** @returns what was checked; undefined when anything is wrong */
async function checkIntact(
  { store, rootref }: SnapshotRoot,
  onDisk: StoreOnDisk,
  graph: DirGraph,
  signal: AbortSignal | undefined,
): Promise<CheckedTree | undefined> {
  if (graph.find(rootref) === undefined) {
    const isIntact = (await markIntact(store, onDisk, [rootref], graph, signal)) && (await verifyMarked(onDisk, signal))
    if (!isIntact) return undefined
  }
  const root = graph.find(rootref)
  if (root === undefined) return undefined
  const { order, loops } = graph.order(root)
  return loops.size > 0 ? undefined : { ...countsOf(root, graph.totals(order)), errors: 0 }
}

function countsOf(root: number, totals: Float64Array): Omit<CheckedTree, 'errors'> {
  return {
    directories: surveyedTotal(totals, root, SURVEYED.DIRECTORIES),
    values: surveyedTotal(totals, root, SURVEYED.VALUES),
    symlinks: surveyedTotal(totals, root, SURVEYED.SYMLINKS),
    blobs: surveyedTotal(totals, root, SURVEYED.BLOBS),
  }
}

/** How many directory visits it takes to follow every key to every damage. */
function visitsOf(graph: DirGraph, order: Uint32Array, isDamaged: (ordinal: number) => boolean): number {
  const visits = new Float64Array(graph.size)
  for (const ordinal of order) {
    if (!isDamaged(ordinal)) continue
    let sum = 1
    for (const child of graph.childrenOf(ordinal)) sum += visits[child] as number
    visits[ordinal] = sum
  }
  return visits[order.at(-1) as number] as number
}

/** The damage that a survey has found. */
interface Damaged {
  readonly graph: DirGraph
  /** True for a directory that is damaged or contains damage. */
  readonly isDamaged: (ordinal: number) => boolean
  /** Directories that contain themselves. */
  readonly loops: ReadonlySet<number>
  /** Visit each directory once, not by every key that leads to it. */
  readonly once: boolean
}

/** What to do when there are too many keys, or too long ones, to list all. */
const WITHOUT_VERBOSE = 'leave out --verbose'

class TreeCheck implements ScanVisitor<Dir> {
  readonly #store: ContentStore
  readonly #options: CheckTreeOptions
  readonly #known: Damaged | undefined
  readonly #checked: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  readonly #damages: { damage: Damage; depth: number }[] = []
  readonly #entered = new Set<number>()
  #components = 0
  readonly #limit: LimitCount
  #isCountDue = false
  #rootref = ''

  /** @param damaged - visit only these directories; undefined to visit all */
  constructor(store: ContentStore, options: CheckTreeOptions, damaged: Damaged | undefined) {
    this.#store = store
    this.#options = options
    this.#known = damaged
    this.#limit = new LimitCount({ maxKeys: options.maxKeys, limitHint: WITHOUT_VERBOSE })
  }

  async run(rootref: string): Promise<CheckedTree> {
    const { signal, onFault, onVisit } = this.#options
    this.#rootref = rootref
    const root = new Dir(undefined, '', rootref, NO_ENTRIES)
    this.#checked.blobs++
    const scan = new TreeScan(this.#store, this, {
      checkValues: true,
      byLevel: onVisit !== undefined,
      signal,
    })
    await scan.run([[dirrefOf(rootref), root]])
    if (onVisit === undefined) for (const { damage } of this.#damages.sort(levelOrder)) onFault?.(damage)
    return this.#checked
  }

  onEntry(dir: Dir, name: string): void {
    const { onVisit } = this.#options
    if (onVisit === undefined) return
    this.#limit.add(1)
    const { maxDepth = MAX_DEPTH } = this.#options
    if (dir.depth > maxDepth) throw depthError(componentsOf(dir, name), maxDepth, WITHOUT_VERBOSE)
    onVisit(componentsOf(dir, name).join('.'))
  }

  /** @returns undefined when this directory need not be visited under this key */
  onDirref(dir: Dir, name: string, blobref: string): Dir | undefined {
    if (this.#known !== undefined) {
      const { graph, isDamaged, once } = this.#known
      const ordinal = graph.find(blobref)
      if (ordinal === undefined || !isDamaged(ordinal)) return undefined
      if (once && this.#entered.has(ordinal)) return undefined
      if (once) this.#entered.add(ordinal)
    }
    if (this.#options.onVisit && this.#limit.isCountDue(blobref)) this.#isCountDue = true
    this.#checked.blobs++
    return new Dir(dir, name, blobref, NO_ENTRIES)
  }

  afterBatch(): Promise<void> | undefined {
    if (!this.#isCountDue) return undefined
    this.#isCountDue = false
    return this.#countTree()
  }

  async #countTree(): Promise<void> {
    const { signal } = this.#options
    const root = dirrefOf(this.#rootref)
    this.#limit.judge(await countStored(this.#store, root, this.#limit.countable, { signal }))
  }

  onInlineDir(dir: Dir, name: string): Dir {
    return new Dir(dir, name, undefined, NO_ENTRIES)
  }

  onDir(): void {
    this.#checked.directories++
  }

  onValue(dir: Dir, entry: DirEntries): void {
    this.#checked.values++
    if (entry.type === ENTRY.VALREF) this.#checked.blobs += entry.refCount
    else if (!isDecodable(entry.obj as Val)) this.#damaged('bad-value', dir, entry.name, [])
  }

  onLink(): void {
    this.#checked.symlinks++
  }

  onBadValue(dir: Dir, name: string, blobrefs: readonly string[], bad: readonly BadPart[]): void {
    const badBlobs = bad.map(badBlob)
    this.#damaged(blobDamageKind('value', badBlobs), dir, name, blobrefs, badBlobs)
  }

  onFault(error: TreeError, dir: Dir, name: string | undefined, blobrefs: readonly string[]): void {
    const badBlobs = error.cause instanceof ContentError ? [badBlob({ index: 0, error: error.cause })] : []
    const kind = badBlobs.length > 0 ? blobDamageKind('dir', badBlobs) : (error.kind as DamageKind)
    if (name === undefined) this.#damaged(kind, dir.parent, dir.name, blobrefs, badBlobs)
    else this.#damaged(kind, dir, name, blobrefs, badBlobs)
  }

  /** Keys of errors are not used: a damage has the components of its key. */
  keyOf(): string {
    return ''
  }

  /** Only an unverified store can hold a directory that contains itself. A survey has found them already. */
  isLoop(inside: Dir, blobref: string): boolean {
    const { graph, loops } = this.#known ?? {}
    if (loops !== undefined && !loops.has(graph?.find(blobref) ?? -1)) return false
    for (let dir = inside.parent; dir; dir = dir.parent) if (dir.blobref === blobref) return true
    return false
  }

  #damaged(
    kind: DamageKind,
    parent: Dir | undefined,
    name: string,
    blobrefs: readonly string[],
    badBlobs: readonly BadBlob[] = [],
  ): void {
    this.#checked.errors++
    const components = parent === undefined ? [] : componentsOf(parent, name)
    this.#components += components.length
    if (this.#components > MAX_COMPONENTS) {
      this.#checked.unlisted = (this.#checked.unlisted ?? 0) + 1
      return
    }
    const damage: Damage = { kind, components, blobrefs, badBlobs }
    if (this.#options.onVisit) {
      this.#options.onFault?.(damage)
      return
    }
    // Damage that shows without loading a blob is found together with its directory.
    let depth = badBlobs.length === 0 && blobrefs.length !== 1 ? -1 : 0
    for (let dir = parent; dir; dir = dir.parent) if (dir.blobref !== undefined) depth++
    this.#damages.push({ damage, depth })
  }
}

/** A Dir serves for its name and parent only; its entries are not needed. */
const NO_ENTRIES = { has: () => false }

/** Sort by the number of blobs on the way from the root, then by the bytes of the key's components. */
function levelOrder(a: { damage: Damage; depth: number }, b: { damage: Damage; depth: number }): number {
  if (a.depth !== b.depth) return a.depth - b.depth
  const [left, right] = [a.damage.components, b.damage.components]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return Buffer.compare(Buffer.from(left[i] as string), Buffer.from(right[i] as string))
  }
  return left.length - right.length
}
