/**
 * A KVS tree built from its leaves, from the bottom up. Archives are written depth first, as a rule: when a leaf comes
 * that is not in the directory of the last one, that directory is complete. It becomes a blob, which is spooled, and
 * only its blobref stays in memory.
 *
 * When a leaf comes that belongs into a complete directory, this is read back from the spool. From then on, directories
 * stay open as long as they fit into a budget, and the one left longest ago is completed first. The budget grows when
 * that is not enough, so that an archive in no order at all takes memory, but not time without end.
 */
import { tmpdir } from 'node:os'
import type { HashName } from '../content/index.ts'
import { FluxError, printable } from '../errors/index.ts'
import { DirSpool } from './dir-spool.ts'
import { OpenDir, type RestoreLeaf, spooled, spooledAt } from './open-dir.ts'

/** A leaf, and the bytes of its value: 0 for a symlink. */
export interface SizedLeaf {
  readonly leaf: RestoreLeaf
  readonly size: number
}

/** Options of a {@link TreeBuilder}. */
export interface TreeBuilderOptions {
  /** The algorithm of the blobrefs of directories (default sha1). */
  hash?: HashName | undefined
  /** Where a temporary file is made, if one is needed (default: the directory for temporary files). */
  scratchDir?: string | undefined
  /** Bytes of complete directories that stay in memory when {@link TreeBuilder.spill} is called in time (default 8 MiB). */
  heldBytes?: number | undefined
  /** Bytes that open directories may take, at first, when leaves do not come depth first (default 16 MiB). */
  budgetBytes?: number | undefined
}

const HELD_BYTES = 8 << 20
const BUDGET_BYTES = 16 << 20

/** How the text of a symlink ends. */
const SYMLINK_END = '"type":"symlink","ver":1}'

/** Builds a KVS tree from its leaves, in any order, and stores it. */
export class TreeBuilder {
  readonly #hash: HashName
  readonly #budgetBytes: number
  readonly #spool: DirSpool
  /** The directories on the way to the current one, from the root on. They are open. */
  readonly #path: OpenDir[] = [new OpenDir()]
  /** Other directories that are open, in the order in which they were left: what is in one comes before it. */
  readonly #left = new Set<OpenDir>()
  /** Bytes that open directories may take; 0 while the archive is in order. Those on the way to the current one stay. */
  #budget = 0
  #openBytes = 0
  /** Bytes read back and bytes added, since the budget has changed. */
  #readBack = 0
  #added = 0
  #leaves = 0
  #symlinks = 0
  #bytes = 0

  constructor(options: TreeBuilderOptions = {}) {
    const { hash = 'sha1', scratchDir = tmpdir(), heldBytes = HELD_BYTES, budgetBytes = BUDGET_BYTES } = options
    this.#hash = hash
    this.#budgetBytes = budgetBytes
    this.#spool = new DirSpool(hash, scratchDir, heldBytes)
  }

  /** Leaves in the tree. */
  get leaves(): number {
    return this.#leaves
  }

  /** Leaves that are symlinks. */
  get symlinks(): number {
    return this.#symlinks
  }

  /** Bytes of all values in the tree. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Put a leaf into the tree. It replaces a leaf of the same key.
   *
   * @param size - bytes of the value; 0 for a symlink
   * @returns true when it replaced one
   * @throws {FluxError} `EISDIR`, `ENOTDIR` the key, or a key above it, would be both a value and a directory; the
   *   temporary file cannot be read
   */
  put(components: readonly string[], leaf: RestoreLeaf, size = 0): boolean {
    this.enter(components)
    return this.putHere(components.at(-1) as string, leaf, size)
  }

  /**
   * Make the directory of a key the current one.
   *
   * @throws {FluxError} as {@link put}: `ENOTDIR`
   */
  enter(components: readonly string[]): void {
    const path = this.#path
    const depth = components.length - 1
    let same = 0
    while (same < depth && same + 1 < path.length && path[same + 1]?.name === components[same]) same++
    while (path.length > same + 1) this.#leave(path.pop() as OpenDir)
    for (let dir = path[same] as OpenDir; same < depth; same++) {
      const name = components[same] as string
      const place = dir.placeOf(name)
      const next = place === undefined ? this.#make(dir, name) : this.#open(dir, place, name)
      if (next === undefined) {
        throw new FluxError(
          'ENOTDIR',
          `${shown(components)}: ${shown(components.slice(0, same + 1))} is a value elsewhere in the archive, and no directory`,
        )
      }
      this.#left.delete(next)
      path.push(next)
      dir = next
    }
    this.#shrink()
  }

  /** Put a leaf into the current directory. See {@link put}. */
  putHere(name: string, leaf: RestoreLeaf, size: number): boolean {
    const dir = this.#path.at(-1) as OpenDir
    const place = dir.placeOf(name)
    if (place === undefined) {
      this.#add(dir, name, leaf, size)
    } else {
      const there = dir.entry(place)
      const sizeThere = dir.number(place)
      if (typeof there === 'object' || spooledAt(sizeThere) !== undefined) {
        const key = [...this.#path.slice(1).map((above) => above.name), name]
        throw new FluxError('EISDIR', `${shown(key)}: is a value here, but has keys below it elsewhere in the archive`)
      }
      this.#count(there, sizeThere, -1)
      dir.set(place, leaf, size)
    }
    this.#count(leaf, size, 1)
    return place !== undefined
  }

  /** The leaf of a key, if there is one. */
  get(components: readonly string[]): RestoreLeaf | undefined {
    return this.find(components)?.leaf
  }

  /** The leaf of a key with its size, if there is one. @throws {FluxError} the temporary file cannot be read */
  find(components: readonly string[]): SizedLeaf | undefined {
    const opened: OpenDir[] = []
    let dir: OpenDir | undefined = this.#path[0]
    let found: SizedLeaf | undefined
    for (const [i, name] of components.entries()) {
      const place = dir?.placeOf(name)
      if (dir === undefined || place === undefined) break
      const next = this.#open(dir, place, name)
      if (i === components.length - 1 && next === undefined) {
        found = { leaf: dir.entry(place) as RestoreLeaf, size: dir.number(place) }
      }
      dir = next
      if (dir !== undefined) opened.push(dir)
    }
    // The deepest first, up to one that is on the way to the current directory.
    for (let last = opened.pop(); last && last !== this.#path[opened.length + 1]; last = opened.pop()) this.#leave(last)
    this.#shrink()
    return found
  }

  /** True when {@link spill} should be called, to keep memory within its bound. */
  get isFull(): boolean {
    return this.#spool.isFull
  }

  /** Move complete directories to a temporary file. @throws {FluxError} it cannot be written */
  async spill(): Promise<void> {
    await this.#spool.spill()
  }

  /**
   * Complete all directories and store them. The tree cannot be used afterwards.
   *
   * @param store - stores blobs, which are views of one buffer that is handed over; returns their blobrefs in order
   * @returns the blobref of the root directory
   * @throws {FluxError} what `store` throws; the temporary file cannot be read
   */
  async build(store: (blobs: readonly Uint8Array[]) => Promise<readonly string[]>): Promise<string> {
    for (const dir of this.#left) this.#complete(dir)
    while (this.#path.length > 1) this.#complete(this.#path.pop() as OpenDir)
    const { text, numbers } = (this.#path[0] as OpenDir).encode()
    const { hex } = this.#spool.append(text, numbers)
    await this.#spool.drain(store)
    return `${this.#hash}-${hex}`
  }

  /** Release the temporary file. May be called at any time, also several times. Never throws. */
  async close(): Promise<void> {
    await this.#spool.close()
  }

  #make(dir: OpenDir, name: string): OpenDir {
    const made = new OpenDir(dir, name, dir.size)
    this.#add(dir, name, made, 0)
    return made
  }

  #add(dir: OpenDir, name: string, entry: RestoreLeaf | OpenDir, number: number): void {
    const before = dir.weight
    dir.add(name, entry, number)
    this.#openBytes += dir.weight - before
    this.#added += dir.weight - before
  }

  #count(leaf: RestoreLeaf, size: number, by: 1 | -1): void {
    this.#leaves += by
    if (leaf.endsWith(SYMLINK_END)) this.#symlinks += by
    this.#bytes += by * size
  }

  /** The directory at a place, which is read back if it is complete; undefined for a leaf. */
  #open(dir: OpenDir, place: number, name: string): OpenDir | undefined {
    const entry = dir.entry(place)
    if (typeof entry === 'object') return entry
    const offset = spooledAt(dir.number(place))
    if (offset === undefined) return undefined
    const opened = OpenDir.from(this.#spool.take(offset), dir, name, place)
    dir.set(place, opened, 0)
    this.#openBytes += opened.weight
    this.#readBack += opened.weight
    if (this.#budget === 0) this.#budgetIs(this.#budgetBytes)
    // More is read back than is new. (Not before as much was read as fits: the first reads after a change say little.)
    else if (this.#readBack > Math.max(this.#budget, this.#added)) this.#budgetIs(this.#budget * 2)
    return opened
  }

  #budgetIs(bytes: number): void {
    this.#budget = bytes
    this.#readBack = 0
    this.#added = 0
  }

  /** A directory is no longer on the way to the current one. What is in it must have been left before. */
  #leave(dir: OpenDir): void {
    if (this.#budget === 0) {
      this.#complete(dir)
    } else {
      this.#left.delete(dir)
      this.#left.add(dir)
    }
  }

  /** Complete the directories left longest ago, until the others are within the budget. */
  #shrink(): void {
    if (this.#openBytes <= this.#budget) return
    for (const dir of this.#left) {
      if (this.#openBytes <= this.#budget) return
      this.#left.delete(dir)
      this.#complete(dir)
    }
  }

  #complete(dir: OpenDir): void {
    const { text, numbers } = dir.encode()
    const { hex, offset } = this.#spool.append(text, numbers)
    dir.parent?.set(dir.place, `${this.#hash}-${hex}`, spooled(offset))
    this.#openBytes -= dir.weight
  }
}

function shown(components: readonly string[]): string {
  return printable(components.join('/'))
}
