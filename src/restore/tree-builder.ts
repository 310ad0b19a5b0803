/**
 * A KVS tree built from its leaves. Memory holds only the directories: names, and for each leaf a blobref or the text
 * of its tree object. The directories are stored as blobs at the end, from the bottom up, one level at a time.
 */
import { FluxError, printable } from '../errors/index.ts'
import { dirrefText, storeTree, type TreeToStore, valrefText } from '../kvs/index.ts'

/**
 * A value or symlink: the blobref of a value stored as one blob, as nearly all are; else the text of its tree object.
 */
export type RestoreLeaf = string | { readonly text: string }

interface DirNode {
  readonly entries: Map<string, RestoreLeaf | DirNode>
  /** The blobref of its blob; empty until it is stored. */
  blobref: string
}

function isDir(node: RestoreLeaf | DirNode): node is DirNode {
  return typeof node === 'object' && 'entries' in node
}

/** How many names are kept only once, however often they occur: `eventlog` occurs in every job. */
const SHARED_NAMES = 4096

/** Builds a KVS tree from its leaves, in any order, and stores it. */
export class TreeBuilder {
  readonly #root: DirNode = emptyDir()
  readonly #names = new Map<string, string>()
  /** The directory of the last leaf. The next leaf is mostly in the same one. */
  #last: { components: readonly string[]; dir: DirNode } | undefined
  #leaves = 0

  /** Leaves in the tree. */
  get leaves(): number {
    return this.#leaves
  }

  /**
   * Put a leaf into the tree. It replaces a leaf of the same key.
   *
   * @returns true when it replaced one
   * @throws {FluxError} `EISDIR`, `ENOTDIR` the key, or a key above it, would be both a value and a directory
   */
  put(components: readonly string[], leaf: RestoreLeaf): boolean {
    const { entries } = this.#dirOf(components)
    const name = components.at(-1) as string
    const there = entries.get(name)
    if (there && isDir(there)) {
      throw new FluxError(
        'EISDIR',
        `${shown(components)}: is a value here, but has keys below it elsewhere in the archive`,
      )
    }
    entries.set(there === undefined ? this.#shared(name) : name, leaf)
    if (there === undefined) this.#leaves++
    return there !== undefined
  }

  /** The leaf of a key, if there is one. */
  get(components: readonly string[]): RestoreLeaf | undefined {
    let at: RestoreLeaf | DirNode | undefined = this.#root
    for (const name of components) at = at && isDir(at) ? at.entries.get(name) : undefined
    return at && !isDir(at) ? at : undefined
  }

  /**
   * Store the directories and drop their entries. The tree cannot be used afterwards.
   *
   * @param store - stores blobs, and returns their blobrefs in order
   * @returns the blobref of the root directory
   */
  async build(store: (blobs: readonly Uint8Array[]) => Promise<readonly string[]>): Promise<string> {
    await storeTree(this.#root, DIR_NODES, store)
    return this.#root.blobref
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
      if (!isDir(next)) {
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

const DIR_NODES: TreeToStore<DirNode> = {
  *childrenOf({ entries }) {
    for (const node of entries.values()) if (isDir(node)) yield node
  },
  textsOf,
  onStored(dir, blobref) {
    dir.blobref = blobref
    dir.entries.clear()
  },
}

function textsOf({ entries }: DirNode): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [name, node] of entries) texts.set(name, textOf(node))
  return texts
}

function textOf(node: RestoreLeaf | DirNode): string {
  if (typeof node === 'string') return valrefText([node])
  return isDir(node) ? dirrefText(node.blobref) : node.text
}

function emptyDir(): DirNode {
  return { entries: new Map(), blobref: '' }
}

function shown(components: readonly string[]): string {
  return printable(components.join('/'))
}
