/**
 * The check of a tree: every directory is read, every blob of a value is compared with its blobref where it lies, and
 * what is wrong is told with its key.
 *
 * Pending are directories and values, in one list. With somebody to hear of each key it is a queue, and everything is
 * told level by level, in the order of `flux fsck`. Otherwise it is a stack, which stays short however large the tree
 * is, and damages are put into that order at the end.
 */
import { ContentError, type ContentStore } from '../content/index.ts'
import { throwIfAborted } from '../errors/index.ts'
import {
  componentsOf,
  Dir,
  type DirObj,
  decodeDir,
  decodeVal,
  sortedNames,
  TreeError,
  type TreeObj,
} from '../kvs/index.ts'
import { type BadBlob, badBlob, blobDamageKind, type Damage, type DamageKind } from './damage.ts'

/** Blobs asked for at a time, and how many such batches are under way. */
const BATCH = 512
const BATCHES = 4

/** Bytes of directories in a batch. */
const BATCH_BYTES = 16 << 20

export interface CheckTreeOptions {
  /** Hears of each key before what is below it is looked at. */
  onVisit?: ((key: string) => void) | undefined
  /** Hears of each damage, in the order of `flux fsck`. */
  onDamage: (damage: Damage) => void
  /**
   * Directories, by their blobrefs, that are intact with all that is below them. They are not looked at again, unless there
   * is an `onVisit`; those that are found intact are added.
   */
  intact?: Set<string> | undefined
  signal?: AbortSignal | undefined
}

/** What was looked at. */
export interface CheckedTree {
  directories: number
  values: number
  symlinks: number
  /** Blobs that values and directories name, each as often as it is named. */
  blobs: number
  errors: number
}

/** A directory or a value whose blobs are to be looked at. */
interface Pending {
  readonly type: 'dir' | 'value'
  readonly parent: Dir | undefined
  readonly name: string
  readonly blobrefs: readonly string[]
}

/**
 * Check a tree.
 *
 * @param rootref - blobref of the root directory
 * @throws {FluxError} when the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function checkTree(store: ContentStore, rootref: string, options: CheckTreeOptions): Promise<CheckedTree> {
  return new TreeCheck(store, options).run(rootref)
}

class TreeCheck {
  readonly #store: ContentStore
  readonly #options: CheckTreeOptions
  readonly #checked: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  readonly #damages: { damage: Damage; depth: number; dir: Dir | undefined }[] = []
  readonly #seen: string[] = []
  #pending: Pending[] = []
  #next = 0

  constructor(store: ContentStore, options: CheckTreeOptions) {
    this.#store = store
    this.#options = options
  }

  async run(rootref: string): Promise<CheckedTree> {
    const { signal, onDamage, onVisit, intact } = this.#options
    this.#pending.push({ type: 'dir', parent: undefined, name: '', blobrefs: [rootref] })
    const underWay: { batch: Pending[]; results: Promise<Result[]> }[] = []
    try {
      while (true) {
        throwIfAborted(signal)
        while (underWay.length < BATCHES) {
          const batch = this.#take()
          if (batch.length === 0) break
          const results = this.#results(batch)
          results.catch(() => {})
          underWay.push({ batch, results })
        }
        const first = underWay.shift()
        if (first === undefined) break
        for (const [i, result] of (await first.results).entries()) this.#complete(first.batch[i] as Pending, result)
      }
    } finally {
      await Promise.allSettled(underWay.map(({ results }) => results))
    }
    if (onVisit === undefined) for (const { damage } of this.#damages.sort(levelOrder)) onDamage(damage)
    if (intact !== undefined) {
      for (const blobref of this.#seen) intact.add(blobref)
      for (const { dir } of this.#damages) {
        for (let at = dir; at; at = at.parent) if (at.blobref !== undefined) intact.delete(at.blobref)
      }
      for (const { damage } of this.#damages) for (const { blobref } of damage.badBlobs) intact.delete(blobref)
    }
    return this.#checked
  }

  /** What is to be looked at next, about {@link BATCH} blobs of it. */
  #take(): Pending[] {
    const batch: Pending[] = []
    const most = Math.max(1, Math.min(BATCH, Math.ceil(this.#store.window / 2)))
    const isQueue = this.#options.onVisit !== undefined
    for (let blobs = 0; blobs < most && this.#next < this.#pending.length; ) {
      const pending = (isQueue ? this.#pending[this.#next++] : this.#pending.pop()) as Pending
      blobs += pending.blobrefs.length
      batch.push(pending)
    }
    if (this.#next > 65_536) {
      this.#pending = this.#pending.slice(this.#next)
      this.#next = 0
    }
    return batch
  }

  async #results(batch: readonly Pending[]): Promise<Result[]> {
    const dirs = batch.filter(({ type }) => type === 'dir').map(({ blobrefs }) => blobrefs[0] as string)
    const values = batch.flatMap(({ type, blobrefs }) => (type === 'value' ? blobrefs : []))
    this.#checked.blobs += dirs.length + values.length
    const [loaded, checked] = await Promise.all([this.#load(dirs), this.#check(values)])
    let dir = 0
    let value = 0
    return batch.map(({ type, blobrefs }) => {
      if (type === 'dir') return loaded[dir++] as Uint8Array | ContentError
      let bad: BadBlob[] | undefined
      for (let i = 0; i < blobrefs.length; i++) {
        const error = checked[value++]
        if (error !== undefined) (bad ??= []).push(badBlob(i, error))
      }
      return bad
    })
  }

  async #load(blobrefs: readonly string[]): Promise<(Uint8Array | ContentError)[]> {
    const results: (Uint8Array | ContentError)[] = new Array(blobrefs.length)
    for (let left = [...blobrefs.keys()]; left.length > 0; ) {
      const some = await this.#store.loadBatch(
        left.map((i) => blobrefs[i] as string),
        BATCH_BYTES,
      )
      left = left.filter((place, i) => {
        const result = some[i]
        if (result === undefined) return true
        results[place] = result
        return false
      })
    }
    return results
  }

  async #check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    if (blobrefs.length <= BATCH) return this.#checkBatch(blobrefs)
    // A single value may have any number of blobs.
    const results: (ContentError | undefined)[] = []
    for (let at = 0; at < blobrefs.length; at += BATCH) {
      results.push(...(await this.#checkBatch(blobrefs.slice(at, at + BATCH))))
    }
    return results
  }

  async #checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    if (blobrefs.length === 0) return []
    if (this.#store.checkBatch) return this.#store.checkBatch(blobrefs)
    return (await this.#load(blobrefs)).map((result) => (result instanceof ContentError ? result : undefined))
  }

  #complete(pending: Pending, result: Result): void {
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
    // Only an unverified store can hold a directory that contains itself.
    for (let dir = parent; dir; dir = dir.parent) {
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
    if (this.#options.intact) this.#seen.push(blobref)
    this.#enter(new Dir(parent, name, blobref, obj.data), obj)
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
      const obj = data[name] as TreeObj
      this.#options.onVisit?.(componentsOf(dir, name).join('.'))
      if (obj.type === 'dir') {
        this.#checked.directories++
        open.push([new Dir(dir, name, undefined, obj.data), obj.data, sortedNames(obj).reverse()])
      } else {
        this.#visit(dir, name, obj)
      }
    }
  }

  #visit(parent: Dir, name: string, obj: Exclude<TreeObj, DirObj>): void {
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
      default: {
        const pending: Pending = { type: 'dir', parent, name, blobrefs: obj.data }
        if (obj.data.length !== 1) this.#damaged(pending, 'bad-dirref')
        else if (this.#options.onVisit || !this.#options.intact?.has(obj.data[0] as string)) this.#pending.push(pending)
      }
    }
  }

  #damaged({ parent, name, blobrefs }: Pending, kind: DamageKind, badBlobs: readonly BadBlob[] = []): void {
    const components = parent === undefined ? [] : componentsOf(parent, name)
    const damage: Damage = { kind, components, blobrefs, badBlobs }
    this.#checked.errors++
    // What needs no blob to be seen is seen when its directory is.
    let depth = kind === 'bad-dirref' || kind === 'bad-value' ? -1 : 0
    for (let dir = parent; dir; dir = dir.parent) if (dir.blobref !== undefined) depth++
    this.#damages.push({ damage, depth, dir: parent })
    if (this.#options.onVisit) this.#options.onDamage(damage)
  }
}

/** A directory's blob, or why it cannot be had; or what is wrong with a value, undefined for nothing. */
type Result = Uint8Array | ContentError | BadBlob[] | undefined

/** First what is fewer blobs away from the root; then by the names on the way, in the order of their bytes. */
function levelOrder(a: { damage: Damage; depth: number }, b: { damage: Damage; depth: number }): number {
  if (a.depth !== b.depth) return a.depth - b.depth
  const [left, right] = [a.damage.components, b.damage.components]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return Buffer.compare(Buffer.from(left[i] as string), Buffer.from(right[i] as string))
  }
  return left.length - right.length
}
