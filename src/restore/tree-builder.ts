/**
 * A KVS tree built from its leaves. Memory holds only the directories: names, and for each leaf its size and a
 * blobref or the text of its tree object. The directories are stored as blobs at the end, from the bottom up, one level at a time.
 */
import { FluxError, printable } from '../errors/index.ts'
import { dirrefText, storeTree, type TreeToStore, valrefText } from '../kvs/index.ts'

/**
 * A value or symlink: the blobref of a value stored as one blob, as nearly all are; else the text of its tree object.
 */
export type RestoreLeaf = string | { readonly text: string; readonly isSymlink?: boolean }

/** A leaf, and the bytes of its value: 0 for a symlink. */
export interface SizedLeaf {
  readonly leaf: RestoreLeaf
  readonly size: number
}

interface DirNode {
  /** The places of leaves in the tree, and directories. */
  readonly entries: Map<string, number | DirNode>
  /** The blobref of its blob; empty until it is stored. */
  blobref: string
}

/** How many names are kept only once, however often they occur: `eventlog` occurs in every job. */
const SHARED_NAMES = 4096

/** Builds a KVS tree from its leaves, in any order, and stores it. */
export class TreeBuilder {
  readonly #root: DirNode = emptyDir()
  readonly #names = new Map<string, string>()
  /** The directory of the last leaf. The next leaf is mostly in the same one. */
  #last: { components: readonly string[]; dir: DirNode } | undefined
  /** All leaves and the bytes of their values, by place: two lists cost less than an object for each leaf. */
  readonly #leaves: RestoreLeaf[] = []
  readonly #sizes: number[] = []
  #symlinks = 0
  #bytes = 0

  /** Leaves in the tree. */
  get leaves(): number {
    return this.#leaves.length
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
   * @throws {FluxError} `EISDIR`, `ENOTDIR` the key, or a key above it, would be both a value and a directory
   */
  put(components: readonly string[], leaf: RestoreLeaf, size = 0): boolean {
    const { entries } = this.#dirOf(components)
    const name = components.at(-1) as string
    const there = entries.get(name)
    if (typeof there === 'object') {
      throw new FluxError(
        'EISDIR',
        `${shown(components)}: is a value here, but has keys below it elsewhere in the archive`,
      )
    }
    const place = there ?? this.#leaves.length
    if (there === undefined) entries.set(this.#shared(name), place)
    else this.#count(there, -1)
    this.#leaves[place] = leaf
    this.#sizes[place] = size
    this.#count(place, 1)
    return there !== undefined
  }

  /** The leaf of a key, if there is one. */
  get(components: readonly string[]): RestoreLeaf | undefined {
    return this.find(components)?.leaf
  }

  /** The leaf of a key with its size, if there is one. */
  find(components: readonly string[]): SizedLeaf | undefined {
    let at: number | DirNode | undefined = this.#root
    for (const name of components) at = typeof at === 'object' ? at.entries.get(name) : undefined
    return typeof at === 'number'
      ? { leaf: this.#leaves[at] as RestoreLeaf, size: this.#sizes[at] as number }
      : undefined
  }

  /**
   * Store the directories and drop their entries. The tree cannot be used afterwards.
   *
   * @param store - stores blobs, and returns their blobrefs in order
   * @returns the blobref of the root directory
   */
  async build(store: (blobs: readonly Uint8Array[]) => Promise<readonly string[]>): Promise<string> {
    await storeTree(this.#root, this.#nodes, store)
    return this.#root.blobref
  }

  readonly #nodes: TreeToStore<DirNode> = {
    *childrenOf({ entries }) {
      for (const node of entries.values()) if (typeof node === 'object') yield node
    },
    textsOf: ({ entries }) => {
      const texts = new Map<string, string>()
      for (const [name, node] of entries) {
        texts.set(name, typeof node === 'object' ? dirrefText(node.blobref) : textOf(this.#leaves[node] as RestoreLeaf))
      }
      return texts
    },
    onStored(dir, blobref) {
      dir.blobref = blobref
      dir.entries.clear()
    },
  }

  #count(place: number, by: 1 | -1): void {
    const leaf = this.#leaves[place]
    if (typeof leaf === 'object' && leaf.isSymlink) this.#symlinks += by
    this.#bytes += by * (this.#sizes[place] as number)
  }

  #dirOf(components: readonly string[]): DirNode {
    const depth = components.length - 1
    if (this.#last && isSameDir(this.#last.components, components)) return this.#last.dir
    let dir = this.#root
    for (let i = 0; i < depth; i++) {
      const name = components[i] as string
      let next = dir.entries.get(name)
      if (next === undefined) {
        next = emptyDir()
        dir.entries.set(this.#shared(name), next)
      }
      if (typeof next === 'number') {
        const value = shown(components.slice(0, i + 1))
        throw new FluxError(
          'ENOTDIR',
          `${shown(components)}: ${value} is a value elsewhere in the archive, and no directory`,
        )
      }
      dir = next
    }
    this.#last = { components, dir }
    return dir
  }

  #shared(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size < SHARED_NAMES) this.#names.set(name, name)
    return name
  }
}

function isSameDir(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - 2; i >= 0; i--) if (a[i] !== b[i]) return false
  return true
}

function textOf(leaf: RestoreLeaf): string {
  return typeof leaf === 'string' ? valrefText([leaf]) : leaf.text
}

function emptyDir(): DirNode {
  return { entries: new Map(), blobref: '' }
}

function shown(components: readonly string[]): string {
  return printable(components.join('/'))
}
