/**
 * The queue of a walk: what it has yet to visit, in order, as a linked list of nodes. A directory that is not loaded
 * yet is one node. When its blob arrives, its entries replace that node, so the order does not depend on which blob
 * arrives first. Entries far ahead stay in their directory object as a `Span`, and become nodes when the window reaches
 * them.
 */
import type { FluxError } from '../errors/index.ts'
import { Dir, keyOf } from './entry.ts'
import { badDirref, badEntry } from './tree-faults.ts'
import { type DirObj, dirBlobref, type EntryObj, isDir, type Symlink, sortedNames, type Val } from './treeobj.ts'
import { tooDeep } from './walk-limits.ts'
import type { WalkFilter } from './walk-options.ts'

/** Most open nodes ahead of the walk. Inline values need no loading, but their nodes take memory too. */
const MAX_OPEN = 4096

interface Linked {
  next: Node | undefined
  previous: Node | undefined
}

/** Entries of `dir` from index `at` on that have no nodes yet. */
export interface Span extends Linked {
  readonly kind: 'span'
  readonly dir: Dir
  readonly data: DirObj['data']
  readonly names: readonly string[]
  at: number
}

/** An inline value or a symlink: ready as it is. */
export interface Inline extends Linked {
  readonly kind: 'inline'
  readonly dir: Dir
  readonly name: string
  readonly obj: Val | Symlink
}

/** A value in blobs (`value`) or a directory in a blob (`dir`), in any state of loading. */
export interface Loading extends Linked {
  readonly kind: 'value' | 'dir'
  readonly parent: Dir | undefined
  readonly name: string
  readonly blobrefs: readonly string[]
  /** The blobs that have arrived. */
  readonly parts: Uint8Array[]
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
  /** How many levels of directories there may be below the root. */
  maxDepth: number
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
    if (typeof root === 'string') this.#insert(loading('dir', undefined, '', [root]), undefined)
    else this.#insertDir(new Dir(undefined, '', undefined, root.data), root, undefined)
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
    const name = this.#nextName(span)
    if (name === undefined) {
      const { next } = span
      this.remove(span)
      return next
    }
    const obj = span.data[name] as EntryObj
    const node =
      obj.type === 'dir' && span.dir.depth < this.#options.maxDepth
        ? this.#insertDir(new Dir(span.dir, name, undefined, obj.data), obj, span)
        : this.#insert(this.#nodeOf(span.dir, name, obj), span)
    if (span.at === span.names.length) this.remove(span)
    return node
  }

  /** Replace the node of a loaded directory by its entries. */
  expand(node: Loading, obj: DirObj): void {
    this.#insertDir(new Dir(node.parent, node.name, node.blobrefs[0], obj.data), obj, node)
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

  /** The next name of a span that the filter takes. */
  #nextName(span: Span): string | undefined {
    const { filter, reverse } = this.#options
    while (span.at < span.names.length) {
      const name = span.names[reverse ? span.names.length - 1 - span.at : span.at] as string
      span.at++
      if (filter === undefined) return name
      const obj = span.data[name] as EntryObj
      // An invalid entry may have been a directory.
      const mayBeDir = isDir(obj) || obj.type === 'invalid'
      if (!isDir(obj) && filter.takes(span.dir, name)) return name
      if (mayBeDir && filter.enters(span.dir, name)) return name
    }
    return undefined
  }

  /** Insert the entries of a directory. @returns the first node of it */
  #insertDir(dir: Dir, obj: DirObj, before: Node | undefined): Node {
    const enter: Enter | undefined = this.#options.enter
      ? { kind: 'enter', dir, next: undefined, previous: undefined }
      : undefined
    if (enter) this.#insert(enter, before)
    const span = this.#insert(spanOf(dir, obj), before)
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

  #nodeOf(dir: Dir, name: string, obj: EntryObj): Node {
    switch (obj.type) {
      case 'val':
      case 'symlink':
        return { kind: 'inline', dir, name, obj, next: undefined, previous: undefined }
      case 'valref':
        return loading('value', dir, name, obj.data)
      case 'dir': {
        const node = loading('dir', dir, name, [])
        node.error = tooDeep(dir, name, this.#options.maxDepth)
        return node
      }
      case 'dirref': {
        const node = loading('dir', dir, name, obj.data)
        if (dir.depth >= this.#options.maxDepth) node.error = tooDeep(dir, name, this.#options.maxDepth)
        if (dirBlobref(obj) === undefined) node.error = badDirref(keyOf(dir, name))
        return node
      }
      case 'invalid': {
        const node = loading('value', dir, name, [])
        node.error = badEntry(keyOf(dir, name), obj)
        return node
      }
    }
  }
}

function spanOf(dir: Dir, obj: DirObj): Span {
  return { kind: 'span', dir, data: obj.data, names: sortedNames(obj), at: 0, next: undefined, previous: undefined }
}

function loading(kind: 'value' | 'dir', parent: Dir | undefined, name: string, blobrefs: readonly string[]): Loading {
  return {
    kind,
    parent,
    name,
    blobrefs,
    parts: [],
    requested: 0,
    loaded: 0,
    bytes: 0,
    large: false,
    error: undefined,
    next: undefined,
    previous: undefined,
  }
}

function hasUnrequestedBlobs(node: Loading): boolean {
  return node.requested < node.blobrefs.length && !node.large && node.error === undefined
}

/** The key of a node, for messages; `.` for the root. */
export function nodeKey(node: Loading | Inline): string {
  if (node.kind === 'inline') return keyOf(node.dir, node.name)
  return node.parent === undefined ? '.' : keyOf(node.parent, node.name)
}
