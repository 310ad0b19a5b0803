/** What is added up about the directories of a tree. */
import type { DirGraph } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'

/** The sums of a directory and everything below it. */
export interface Usage {
  /** `.` for the root. */
  readonly key: string
  /** Bytes of blobs, each counted once for each reference. Inline values are part of their directory. */
  bytes: number
  /** Bytes of blobs, each counted once, where it is first seen, as du(1) counts hard links. */
  onceBytes: number
  /** Bytes of values, including inline ones: what a dump holds. */
  valueBytes: number
  /** Number of values and symbolic links. */
  keys: number
  dirs: number
}

/** Options of {@link du}. */
export interface DuOptions extends InspectOptions {
  /** How many levels of directories get sums of their own; 0 gives only the total. */
  depth: number
  /** The directory to add up (default: the root). Links to it are followed. */
  key?: string | undefined
  /** The most directories that get sums of their own under a further key (default 1,000,000). */
  maxAgain?: number | undefined
}

/** Options of {@link treeSums}. */
export interface TreeSumsOptions extends DuOptions {
  /** Told of every directory and value that is measured. */
  meter?: SizeMeter | undefined
  /**
   * Also mark the blobs of all values in the store, which must be on disk, and count what a check of the tree counts: see
   * {@link TreeSums.counts}.
   */
  marks?: boolean | undefined
}

/** What a check of a tree counts, each once for each key that leads to it. */
export interface TreeCounts {
  readonly directories: number
  readonly values: number
  readonly symlinks: number
  /** Blobs that values and directories refer to. */
  readonly blobs: number
}

/** Is told the sizes of single directories and values. Those in a directory that many keys lead to are told once. */
export interface SizeMeter {
  /** @param bytes - of its blob; an inline directory has none, and is not told */
  onDir(bytes: number): void
  /**
   * @param dir - the key of the directory that it is in; `.` for the root
   * @param isInline - its bytes are a part of the directory
   */
  onValue(dir: string, name: string, bytes: number, isInline: boolean): void
}

/** The sums of a directory, without those that only its key gives. */
export type DirSums = Pick<Usage, 'bytes' | 'valueBytes' | 'keys' | 'dirs'>

/** The sums of all directories below one. */
export interface TreeSums {
  /** The directory and its subdirectories down to `depth`, parents before their children. */
  readonly usages: Usage[]
  /** The sums of any directory below it that is stored in a blob; undefined for another. */
  sumsOf(blobref: string): DirSums | undefined
  /**
   * The counts of a check, with `marks`; undefined when anything is wrong with directories or inline values, or a blob is
   * missing. The blobs of values are not verified: they are marked.
   */
  readonly counts: TreeCounts | undefined
  /**
   * All directories. Their own numbers are no longer needed.
   *
   * @internal
   */
  readonly graph: DirGraph
  /** Release the memory at once: a hundred bytes for each directory. {@link sumsOf} must not be called any more. */
  release(): void
}
