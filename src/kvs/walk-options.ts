import type { Dir } from './entry.ts'
import type { TreeError } from './tree-error.ts'

/** Decides which parts of a tree are walked. */
export interface WalkFilter {
  /** True when the walk should yield the value or link `name` of `dir`. */
  takes(dir: Dir, name: string): boolean
  /** True when the walk should enter the directory `name` of `dir`. Otherwise it is not even loaded. */
  enters(dir: Dir, name: string): boolean
  /**
   * True when of the value `name` of `dir` only the first and the last blob are wanted: the entry is then made of these,
   * as if the others did not exist. Asked only for values that the walk takes.
   */
  takesEnds?(dir: Dir, name: string): boolean
  /**
   * True when the answers depend on the name and on the depth of the directory alone. Then the keys that the filter takes
   * can be counted without visiting each.
   */
  readonly byDepth?: boolean | undefined
}

/** Options of {@link walk}. */
export interface WalkOptions {
  /** Selects what is walked (default: everything). */
  filter?: WalkFilter | undefined
  /** Visit the names of each directory last to first. */
  reverse?: boolean | undefined
  /**
   * Called for each directory that is entered, in order: before any of its entries is yielded, and after everything
   * before it has been yielded or put into the next batch.
   */
  onDir?: ((dir: Dir) => void) | undefined
  /**
   * Called for each part of the tree that cannot be read, in order; the walk goes on without that value or subtree.
   * Without it the walk throws the first such error.
   */
  onFault?: ((error: TreeError) => void) | undefined
  /** Called after each batch of loads with the number of blobs, directories included. */
  onLoaded?: ((blobs: number) => void) | undefined
  signal?: AbortSignal | undefined
  /**
   * The walk fails after this many values, links and directories, or at once when the tree is seen to have more (default
   * 100 million; 10 million when a hundred times as many keys as are stored lead to them).
   */
  maxKeys?: number | undefined
  /** The walk fails at a directory deeper than this many levels below the root (default 10,000). */
  maxDepth?: number | undefined
  /** What the reader can do about a tree beyond these limits (default: name the flags `--max-keys` and `--max-depth`). */
  limitHint?: string | undefined
  /** Bytes that may be loaded ahead (default 64 MiB). A single blob may be larger. */
  windowBytes?: number | undefined
}
