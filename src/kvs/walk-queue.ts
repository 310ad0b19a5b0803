/**
 * The queue of a walk: what it has yet to visit, in order, as a linked list of nodes. A directory that is not loaded
 * yet is one node. When its blob arrives, its entries replace that node, so the order does not depend on which blob
 * arrives first. Entries far ahead stay in their directory object as a `Span`, and become nodes when the window reaches
 * them.
 */
import type { HashName, LoadedBlobs } from '../content/index.ts'
import type { FluxError } from '../errors/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from './dir-entries.ts'
import { Dir, keyOf } from './entry.ts'
import { NO_REFS, type Refs, refAt } from './refs.ts'
import { badDirref, badEntry } from './tree-faults.ts'
import type { DirObj, Invalid, Symlink, Val } from './treeobj.ts'
import { tooDeep } from './walk-limits.ts'
import type { WalkFilter } from './walk-options.ts'

/** Most open nodes ahead of the walk. Inline values need no loading, but their nodes take memory too. */
const MAX_OPEN = 4096

/** Shared by all nodes without blobs. */
const NO_PARTS: Part[] = []

interface Linked {
  next: Node | undefined
  previous: Node | undefined
}

/** The entries of `dir` that have no nodes yet. */
export interface Span extends Linked {
  readonly kind: 'span'
  readonly dir: Dir
  readonly entries: DirEntries
}

/** An inline value or a symlink: ready as it is. */
export interface Inline extends Linked {
  readonly kind: 'inline'
  readonly dir: Dir
  readonly name: string
  readonly obj: Val | Symlink
}

/** A blob that has arrived. */
export interface Part {
  readonly blobs: LoadedBlobs
  /** Its place in `blobs`. */
  readonly place: number
}

/** A value in blobs (`value`) or a directory in a blob (`dir`), in any state of loading. */
export interface Loading extends Linked, Refs {
  readonly kind: 'value' | 'dir'
  readonly parent: Dir | undefined
  readonly name: string
  /** The blobs that have arrived, by their index in the value. */
  parts: Part[]
  /** How many blobs have been requested. */
  requested: number
  /** How many of them have arrived. */
  loaded: number
  /** Bytes in `parts`. */
  bytes: number
  /** The value is too large to hold: `parts` is dropped, and the value is read again when its turn comes. */
  large: boolean
  /** Why it cannot be read. An error that is not a {@link TreeError} ends the walk. */
  error: FluxError | undefined
}

/** Marks the start of a directory's entries, for `onDir`. */
export interface Enter extends Linked {
  readonly kind: 'enter'
  readonly dir: Dir
}

export type Node = Span | Inline | Loading | Enter

/** Options of a {@link WalkQueue}. */
export interface QueueOptions {
  filter: WalkFilter | undefined
  /** Visit the names of each directory last to first. */
  reverse: boolean
  /** Put an {@link Enter} before the entries of each directory. */
  enter: boolean
  /** The algorithm of the blobrefs. */
  hash: HashName
  /** How many levels of directories there may be below the root. */
  maxDepth: number
  /** See {@link WalkOptions.limitHint}. */
  limitHint?: string | undefined
}

export class WalkQueue {
  #head: Node | undefined
  #tail: Node | undefined
  #open = 0
  readonly #options: QueueOptions

  /** The node to yield next. */
  get head(): Node | undefined {
    return this.#head
  }

  /** Start with the root directory, given by its blobref or as an object. */
  constructor(root: string | DirObj, options: QueueOptions) {
    this.#options = options
    if (typeof root === 'string') {
      this.#insert(loading('dir', undefined, '', { refs: [root], refsAt: 0, refCount: 1 }), undefined)
    } else {
      const entries = new DecodedDir(root, options.reverse)
      this.#insertDir(new Dir(undefined, '', undefined, entries), entries, undefined)
    }
  }

  /**
   * The next node with blobs that have not been requested.
   *
   * @param after - the node to continue from; undefined to start at the head
   */
  nextUnrequested(after: Loading | undefined): Loading | undefined {
    let node: Node | undefined = after === undefined ? this.#head : after
    while (node !== undefined) {
      if (node.kind === 'span') {
        if (this.#open >= MAX_OPEN && node !== this.#head) return undefined
        node = this.open(node)
        continue
      }
      if ((node.kind === 'value' || node.kind === 'dir') && hasUnrequestedBlobs(node)) return node
      node = node.next
    }
    return undefined
  }

  /** Open the first entry of a span. @returns its node, or the node after the span when the filter took nothing */
  open(span: Span): Node | undefined {
    const { dir, entries } = span
    if (!this.#goToTaken(span)) {
      const { next } = span
      this.remove(span)
      return next
    }
    let node: Node
    if (entries.type === ENTRY.DIR && dir.depth < this.#options.maxDepth) {
      const inside = new DecodedDir(entries.obj as DirObj, this.#options.reverse)
      node = this.#insertDir(new Dir(dir, entries.name, undefined, inside), inside, span)
    } else {
      node = this.#insert(this.#nodeOf(dir, entries), span)
    }
    if (!entries.hasNext) this.remove(span)
    return node
  }

  /** Replace the node of a loaded directory by its entries. */
  expand(node: Loading, blobref: string, entries: DirEntries): void {
    this.#insertDir(new Dir(node.parent, node.name, blobref, entries), entries, node)
    this.remove(node)
  }

  remove(node: Node): void {
    if (node.previous) node.previous.next = node.next
    else this.#head = node.next
    if (node.next) node.next.previous = node.previous
    else this.#tail = node.previous
    // A removed node in the old generation would keep all nodes after it alive until the next full garbage collection.
    node.next = undefined
    node.previous = undefined
    if (node.kind !== 'span') this.#open--
  }

  /** Go to the next entry that the filter takes. @returns false when there is none */
  #goToTaken({ dir, entries }: Span): boolean {
    const { filter } = this.#options
    while (entries.next()) {
      if (filter === undefined) return true
      const { name, type } = entries
      const isDir = type === ENTRY.DIR || type === ENTRY.DIRREF
      if (!isDir && filter.takes(dir, name)) return true
      // An invalid entry may have been a directory.
      if ((isDir || type === ENTRY.INVALID) && filter.enters(dir, name)) return true
    }
    return false
  }

  /** Insert the entries of a directory. @returns the first node of it */
  #insertDir(dir: Dir, entries: DirEntries, before: Node | undefined): Node {
    const enter: Enter | undefined = this.#options.enter
      ? { kind: 'enter', dir, next: undefined, previous: undefined }
      : undefined
    if (enter) this.#insert(enter, before)
    const span = this.#insert({ kind: 'span', dir, entries, next: undefined, previous: undefined }, before)
    return enter ?? span
  }

  /** Insert `node` before `before`, or at the end. */
  #insert(node: Node, before: Node | undefined): Node {
    node.next = before
    node.previous = before === undefined ? this.#tail : before.previous
    if (node.previous) node.previous.next = node
    else this.#head = node
    if (before) before.previous = node
    else this.#tail = node
    if (node.kind !== 'span') this.#open++
    return node
  }

  /** The blobrefs of a value that are loaded. */
  #refsOf(dir: Dir, entries: DirEntries): Refs {
    const { filter, hash } = this.#options
    if (entries.refCount <= 2 || !filter?.takesEnds?.(dir, entries.name)) return entries
    return { refs: [refAt(entries, 0, hash), refAt(entries, entries.refCount - 1, hash)], refsAt: 0, refCount: 2 }
  }

  #tooDeep(dir: Dir, name: string): FluxError {
    return tooDeep(dir, name, this.#options.maxDepth, this.#options.limitHint)
  }

  #nodeOf(dir: Dir, entries: DirEntries): Node {
    const { name, type } = entries
    switch (type) {
      case ENTRY.VAL:
      case ENTRY.SYMLINK:
        return { kind: 'inline', dir, name, obj: entries.obj as Val | Symlink, next: undefined, previous: undefined }
      case ENTRY.VALREF:
        return loading('value', dir, name, this.#refsOf(dir, entries))
      case ENTRY.DIR: {
        const node = loading('dir', dir, name, NO_REFS)
        node.error = this.#tooDeep(dir, name)
        return node
      }
      case ENTRY.DIRREF: {
        const node = loading('dir', dir, name, entries)
        if (dir.depth >= this.#options.maxDepth) node.error = this.#tooDeep(dir, name)
        if (node.refCount !== 1) node.error = badDirref(keyOf(dir, name))
        return node
      }
      default: {
        const node = loading('value', dir, name, NO_REFS)
        node.error = badEntry(keyOf(dir, name), entries.obj as Invalid)
        return node
      }
    }
  }
}

function loading(kind: 'value' | 'dir', parent: Dir | undefined, name: string, refs: Refs): Loading {
  return {
    kind,
    parent,
    name,
    refs: refs.refs,
    refsAt: refs.refsAt,
    refCount: refs.refCount,
    parts: NO_PARTS,
    requested: 0,
    loaded: 0,
    bytes: 0,
    large: false,
    error: undefined,
    next: undefined,
    previous: undefined,
  }
}

/** Keep a blob of a value that has arrived. */
export function addPart(node: Loading, index: number, part: Part): void {
  if (node.parts.length === 0) node.parts = new Array(node.refCount)
  node.parts[index] = part
}

/** Drop the blobs of a value. */
export function dropParts(node: Loading): void {
  node.parts = NO_PARTS
}

function hasUnrequestedBlobs(node: Loading): boolean {
  return node.requested < node.refCount && !node.large && node.error === undefined
}

/** The key of a node, for messages; `.` for the root. */
export function nodeKey(node: Loading | Inline): string {
  if (node.kind === 'inline') return keyOf(node.dir, node.name)
  return node.parent === undefined ? '.' : keyOf(node.parent, node.name)
}
