/**
 * The check of a tree: every directory is read, every blob of a value is compared with its blobref where it lies, and
 * what is wrong is told with its key.
 *
 * With somebody to hear of each key, what is to be looked at is a queue, and everything is told level by level, in the
 * order of `flux fsck`. Otherwise a survey looks at each directory once, whatever number of keys leads to it; only if it
 * finds damage, the directories with damage in them are gone through key by key, and damages are put into that order.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../errors/index.ts'
import {
  componentsOf,
  Dir,
  type DirObj,
  decodeDir,
  decodeVal,
  dirBlobref,
  type EntryObj,
  MAX_KEYS,
  sortedNames,
  TreeError,
} from '../kvs/index.ts'
import { BlobChecks, type Checked, type ToCheck } from './blob-checks.ts'
import { type BadBlob, badBlob, blobDamageKind, type Damage, type DamageKind } from './damage.ts'
import type { DirGraph } from './dir-graph.ts'
import { newSurvey, SURVEYED, surveyTree } from './survey-tree.ts'

/** How many batches are under way. */
const BATCHES = 4

/**
 * How many damaged directories are gone through to tell each damage at every key that leads to it. When it would be more,
 * they are gone through once.
 */
const MAX_VISITS = 1_000_000

/** Damages are told until their keys have come to so many components; then they are counted alone. */
const MAX_COMPONENTS = 32_000_000

export interface CheckTreeOptions {
  /** Hears of each key before what is below it is looked at. */
  onVisit?: ((key: string) => void) | undefined
  /** Hears of each damage, in the order of `flux fsck`. */
  onDamage: (damage: Damage) => void
  /** What is known of directories from other roots, and is not looked at again, unless there is an `onVisit`. */
  survey?: DirGraph | undefined
  /** Keys that are told to `onVisit` at most (default: {@link MAX_KEYS}). */
  maxKeys?: number | undefined
  signal?: AbortSignal | undefined
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

/** A directory or a value whose blobs are to be looked at. */
interface Pending extends ToCheck {
  readonly parent: Dir | undefined
  readonly name: string
}

/**
 * Check a tree.
 *
 * @param rootref - blobref of the root directory
 * @throws {FluxError} when the store as a whole fails; `EOVERFLOW` there are more keys than `maxKeys`
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function checkTree(store: ContentStore, rootref: string, options: CheckTreeOptions): Promise<CheckedTree> {
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

class TreeCheck {
  readonly #options: CheckTreeOptions
  readonly #known: Damaged | undefined
  readonly #checks: BlobChecks
  readonly #checked: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  readonly #damages: { damage: Damage; depth: number }[] = []
  readonly #entered = new Set<number>()
  #components = 0
  #keys = 0
  #pending: Pending[] = []
  #next = 0

  /** @param damaged - look at nothing but that; undefined to look at everything */
  constructor(store: ContentStore, options: CheckTreeOptions, damaged: Damaged | undefined) {
    this.#options = options
    this.#known = damaged
    this.#checks = new BlobChecks(store)
  }

  async run(rootref: string): Promise<CheckedTree> {
    const { signal, onDamage, onVisit } = this.#options
    this.#pending.push({ type: 'dir', parent: undefined, name: '', blobrefs: [rootref] })
    const underWay: { batch: Pending[]; results: Promise<Checked[]> }[] = []
    while (true) {
      throwIfAborted(signal)
      while (underWay.length < BATCHES) {
        const batch = this.#checks.take(() => this.#nextPending())
        if (batch.length === 0) break
        for (const { blobrefs } of batch) this.#checked.blobs += blobrefs.length
        const results = this.#checks.batch(batch)
        results.catch(() => {})
        underWay.push({ batch, results })
      }
      const first = underWay.shift()
      if (first === undefined) break
      const results = await abortable(first.results, signal)
      for (const [i, result] of results.entries()) {
        const whole = result instanceof ContentError ? await abortable(this.#checks.whole(result), signal) : result
        this.#complete(first.batch[i] as Pending, whole)
      }
    }
    if (onVisit === undefined) for (const { damage } of this.#damages.sort(levelOrder)) onDamage(damage)
    return this.#checked
  }

  #nextPending(): Pending | undefined {
    if (this.#options.onVisit === undefined) return this.#pending.pop()
    if (this.#next > 65_536) {
      this.#pending = this.#pending.slice(this.#next)
      this.#next = 0
    }
    return this.#next < this.#pending.length ? this.#pending[this.#next++] : undefined
  }

  #complete(pending: Pending, result: Checked): void {
    if (pending.type === 'value') {
      if (result !== undefined)
        this.#damaged(pending, blobDamageKind('value', result as BadBlob[]), result as BadBlob[])
      return
    }
    if (result instanceof ContentError) {
      const bad = [badBlob(0, result)]
      this.#damaged(pending, blobDamageKind('dir', bad), bad)
      return
    }
    const { parent, name, blobrefs } = pending
    const blobref = blobrefs[0] as string
    // Only an unverified store can hold a directory that contains itself; a survey knows which do.
    const { graph, loops } = this.#known ?? {}
    const mayLoop = loops === undefined || loops.has(graph?.find(blobref) ?? -1)
    for (let dir = mayLoop ? parent : undefined; dir; dir = dir.parent) {
      if (dir.blobref === blobref) {
        this.#damaged(pending, 'bad-treeobj')
        return
      }
    }
    let obj: DirObj
    try {
      obj = decodeDir(result as Uint8Array, '', blobref)
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      this.#damaged(pending, error.kind as DamageKind)
      return
    }
    this.#enter(new Dir(parent, name, blobref, NO_ENTRIES), obj)
  }

  /** Look at the entries of a directory, and of those that stand in it. */
  #enter(top: Dir, { data }: DirObj): void {
    const open: [Dir, DirObj['data'], string[]][] = [[top, data, sortedNames({ data } as DirObj).reverse()]]
    this.#checked.directories++
    for (let level = open.at(-1); level; level = open.at(-1)) {
      const [dir, data, names] = level
      const name = names.pop()
      if (name === undefined) {
        open.pop()
        continue
      }
      const obj = data[name] as EntryObj
      this.#visited(dir, name)
      if (obj.type === 'dir') {
        this.#checked.directories++
        open.push([new Dir(dir, name, undefined, NO_ENTRIES), obj.data, sortedNames(obj).reverse()])
      } else {
        this.#visit(dir, name, obj)
      }
    }
  }

  #visited(dir: Dir, name: string): void {
    const { onVisit, maxKeys = MAX_KEYS } = this.#options
    if (onVisit === undefined) return
    if (++this.#keys > maxKeys) {
      throw new FluxError('EOVERFLOW', `more than ${maxKeys} keys to list`, { hint: 'leave out --verbose' })
    }
    onVisit(componentsOf(dir, name).join('.'))
  }

  #visit(parent: Dir, name: string, obj: Exclude<EntryObj, DirObj>): void {
    switch (obj.type) {
      case 'symlink':
        this.#checked.symlinks++
        return
      case 'val':
        this.#checked.values++
        try {
          decodeVal(obj)
        } catch {
          this.#damaged({ type: 'value', parent, name, blobrefs: [] }, 'bad-value')
        }
        return
      case 'valref':
        this.#checked.values++
        this.#pending.push({ type: 'value', parent, name, blobrefs: obj.data })
        return
      case 'invalid':
        this.#damaged({ type: 'dir', parent, name, blobrefs: [] }, 'bad-treeobj')
        return
      default: {
        const pending: Pending = { type: 'dir', parent, name, blobrefs: obj.data }
        if (dirBlobref(obj) === undefined) this.#damaged(pending, 'bad-dirref')
        else if (this.#isEntered(obj.data[0] as string)) this.#pending.push(pending)
      }
    }
  }

  /** Is the directory of this blob to be looked at, here? */
  #isEntered(blobref: string): boolean {
    if (this.#known === undefined) return true
    const { graph, isDamaged, once } = this.#known
    const ordinal = graph.find(blobref)
    if (ordinal === undefined || !isDamaged(ordinal)) return false
    if (once && this.#entered.has(ordinal)) return false
    if (once) this.#entered.add(ordinal)
    return true
  }

  #damaged({ parent, name, blobrefs }: Pending, kind: DamageKind, badBlobs: readonly BadBlob[] = []): void {
    this.#checked.errors++
    const components = parent === undefined ? [] : componentsOf(parent, name)
    this.#components += components.length
    if (this.#components > MAX_COMPONENTS) {
      this.#checked.unlisted = (this.#checked.unlisted ?? 0) + 1
      return
    }
    const damage: Damage = { kind, components, blobrefs, badBlobs }
    if (this.#options.onVisit) {
      this.#options.onDamage(damage)
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
