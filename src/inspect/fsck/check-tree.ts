/**
 * The check of a tree: every directory is read, every blob of a value is compared with its blobref where it lies, and
 * what is wrong is told with its key.
 *
 * With somebody to hear of each key, what is to be looked at is a queue, and everything is told level by level, in the
 * order of `flux fsck`. Otherwise a survey looks at each directory once, whatever number of keys leads to it; only if it
 * finds damage, the directories with damage in them are gone through key by key, and damages are put into that order.
 */
import { ContentError, type ContentStore } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import {
  type BadPart,
  componentsOf,
  Dir,
  type DirObj,
  decodeVal,
  dirrefOf,
  MAX_KEYS,
  type ScanVisitor,
  type SnapshotRoot,
  type TreeError,
  TreeScan,
  type Val,
  type Valref,
} from '../../kvs/index.ts'
import type { DirGraph } from '../dir-graph.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { type BadBlob, badBlob, blobDamageKind, type Damage, type DamageKind } from './damage.ts'
import { newSurvey, SURVEYED, surveyTree } from './survey-tree.ts'

/**
 * How many damaged directories are gone through to tell each damage at every key that leads to it. When it would be more,
 * they are gone through once.
 */
const MAX_VISITS = 1_000_000

/** Damages are told until their keys have come to so many components; then they are counted alone. */
const MAX_COMPONENTS = 32_000_000

/** How {@link checkTree} goes about it. Faults come in the order of `flux fsck`; none is thrown. */
export interface CheckTreeOptions extends InspectOptions<Damage> {
  /** Hears of each key before what is below it is looked at. */
  onVisit?: ((key: string) => void) | undefined
  /** What is known of directories from other roots, and is not looked at again, unless there is an `onVisit`. */
  survey?: DirGraph | undefined
  /** Keys that are told to `onVisit` at most (default: {@link MAX_KEYS}). */
  maxKeys?: number | undefined
}

/** What was looked at, each as often as a key leads to it; numbers stop at 2^53 - 1. */
export interface CheckedTree {
  directories: number
  values: number
  symlinks: number
  /** Blobs that values and directories name. */
  blobs: number
  errors: number
  /**
   * Of `errors`, those that were not told: further keys of damaged directories that are referred to so often that they
   * cannot all be told. Undefined when all were told.
   */
  unlisted?: number
}

/**
 * Check a snapshot: that every blob which can be reached from its root is there, and is what it should be.
 *
 * @throws {FluxError} when the store as a whole fails; `EOVERFLOW` there are more keys than `maxKeys`
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function checkTree(snapshot: SnapshotRoot, options: CheckTreeOptions): Promise<CheckedTree> {
  const { store, rootref } = snapshot
  const { survey: graph = newSurvey(), onVisit, signal } = options
  if (onVisit !== undefined) return new TreeCheck(store, options, undefined).run(rootref)
  const root = await surveyTree(store, rootref, graph, signal)
  const { order, loops } = graph.order(root)
  const totals = graph.totals(order)
  const of = (ordinal: number, column: number) => totals[ordinal * Object.keys(SURVEYED).length + column] as number
  const counts = {
    directories: of(root, SURVEYED.DIRECTORIES),
    values: of(root, SURVEYED.VALUES),
    symlinks: of(root, SURVEYED.SYMLINKS),
    blobs: of(root, SURVEYED.BLOBS),
  }
  const isDamaged = (ordinal: number) => of(ordinal, SURVEYED.ERRORS) > 0 || loops.size > 0
  if (!isDamaged(root)) return { ...counts, errors: 0 }
  const once = visitsOf(graph, order, isDamaged) > MAX_VISITS
  const told = await new TreeCheck(store, options, { graph, isDamaged, loops, once }).run(rootref)
  const errors = once ? Math.max(of(root, SURVEYED.ERRORS), told.errors) : told.errors
  const unlisted = errors - told.errors + (told.unlisted ?? 0)
  return { ...counts, errors, ...(unlisted > 0 && { unlisted }) }
}

/** How many directories one comes through on all ways to damages. */
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

/** Where a survey has found damage. */
interface Damaged {
  readonly graph: DirGraph
  /** True for a directory that is damaged, or has something damaged in it. */
  readonly isDamaged: (ordinal: number) => boolean
  /** Directories that contain themselves. */
  readonly loops: ReadonlySet<number>
  /** Go into each directory once, and not by every key that leads to it. */
  readonly once: boolean
}

class TreeCheck implements ScanVisitor<Dir> {
  readonly #store: ContentStore
  readonly #options: CheckTreeOptions
  readonly #known: Damaged | undefined
  readonly #checked: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  readonly #damages: { damage: Damage; depth: number }[] = []
  readonly #entered = new Set<number>()
  #components = 0
  #keys = 0

  /** @param damaged - look at nothing but that; undefined to look at everything */
  constructor(store: ContentStore, options: CheckTreeOptions, damaged: Damaged | undefined) {
    this.#store = store
    this.#options = options
    this.#known = damaged
  }

  async run(rootref: string): Promise<CheckedTree> {
    const { signal, onFault, onVisit } = this.#options
    const root = new Dir(undefined, '', rootref, NO_ENTRIES)
    this.#checked.blobs++
    const scan = new TreeScan(this.#store, this, {
      checkValues: true,
      byLevel: onVisit !== undefined,
      sorted: true,
      signal,
    })
    await scan.run([[dirrefOf(rootref), root]])
    if (onVisit === undefined) for (const { damage } of this.#damages.sort(levelOrder)) onFault?.(damage)
    return this.#checked
  }

  onEntry(dir: Dir, name: string): void {
    const { onVisit, maxKeys = MAX_KEYS } = this.#options
    if (onVisit === undefined) return
    if (++this.#keys > maxKeys) {
      throw new FluxError('EOVERFLOW', `more than ${maxKeys} keys to list`, { hint: 'leave out --verbose' })
    }
    onVisit(componentsOf(dir, name).join('.'))
  }

  /** Is the directory of this blob to be looked at, here? */
  onDirref(dir: Dir, name: string, blobref: string): Dir | undefined {
    if (this.#known !== undefined) {
      const { graph, isDamaged, once } = this.#known
      const ordinal = graph.find(blobref)
      if (ordinal === undefined || !isDamaged(ordinal)) return undefined
      if (once && this.#entered.has(ordinal)) return undefined
      if (once) this.#entered.add(ordinal)
    }
    this.#checked.blobs++
    return new Dir(dir, name, blobref, NO_ENTRIES)
  }

  onInlineDir(dir: Dir, name: string): Dir {
    return new Dir(dir, name, undefined, NO_ENTRIES)
  }

  onDir(): void {
    this.#checked.directories++
  }

  onValue(dir: Dir, name: string, obj: Val | Valref): void {
    this.#checked.values++
    if (obj.type === 'valref') {
      this.#checked.blobs += obj.data.length
      return
    }
    try {
      decodeVal(obj)
    } catch {
      this.#damaged('bad-value', dir, name, [])
    }
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

  /** A damage keeps the components of its key. */
  keyOf(): string {
    return ''
  }

  /** Only an unverified store can hold a directory that contains itself; a survey knows which do. */
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
    // What needs no blob to be seen is seen when its directory is.
    let depth = badBlobs.length === 0 && blobrefs.length !== 1 ? -1 : 0
    for (let dir = parent; dir; dir = dir.parent) if (dir.blobref !== undefined) depth++
    this.#damages.push({ damage, depth })
  }
}

/** Directories are held for their names alone. */
const NO_ENTRIES: DirObj['data'] = Object.freeze({})

/** First what is fewer blobs away from the root; then by the names on the way, in the order of their bytes. */
function levelOrder(a: { damage: Damage; depth: number }, b: { damage: Damage; depth: number }): number {
  if (a.depth !== b.depth) return a.depth - b.depth
  const [left, right] = [a.damage.components, b.damage.components]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return Buffer.compare(Buffer.from(left[i] as string), Buffer.from(right[i] as string))
  }
  return left.length - right.length
}
