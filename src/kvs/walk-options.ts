import type { Dir } from './entry.ts'
import type { TreeError } from './tree-error.ts'

/** Says what of a tree is walked. */
export interface WalkFilter {
  /** Is the value or link `name` of `dir` to be yielded? */
  takes(dir: Dir, name: string): boolean
  /** Is the directory `name` of `dir` to be entered? If not, it is not even loaded. */
  enters(dir: Dir, name: string): boolean
}

/** What {@link walk} visits, in which order, and who hears of what. */
export interface WalkOptions {
  /** What is walked (default: all). */
  filter?: WalkFilter | undefined
  /** Visit the names of each directory last to first. */
  reverse?: boolean | undefined
  /**
   * Called for each directory that is entered, in order, before any of its entries is yielded and after all of what comes
   * before it has been yielded or will be with the next batch.
   */
  onDir?: ((dir: Dir) => void) | undefined
  /**
   * Called for each part of the tree that cannot be read, in order; the walk goes on without that value or subtree. When
   * it is not given, the walk throws the first such error.
   */
  onFault?: ((error: TreeError) => void) | undefined
  /** Hears of each batch of blobs that has come, directories as well as parts of values. */
  onLoaded?: ((blobs: number) => void) | undefined
  signal?: AbortSignal | undefined
  /** Values, links and directories before the walk fails (default 100 million). */
  maxKeys?: number | undefined
  /** Levels of directories below the root before the walk fails (default 10,000). */
  maxDepth?: number | undefined
  /** Bytes that may be loaded ahead (default 64 MiB). A single blob may be larger. */
  windowBytes?: number | undefined
}
