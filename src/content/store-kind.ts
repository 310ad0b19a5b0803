/** Describes a kind of content store on disk: how to find, read and write one. */
import type { Stats } from 'node:fs'
import type { BlobWriter } from './blob-batch.ts'
import type { HashName } from './blobref.ts'
import type { NewFile } from './new-file.ts'
import type { BlobReader } from './packed-batch.ts'

/** A path, and what is there. */
export interface Place {
  readonly path: string
  /** The stats, after following links; undefined when nothing is there. */
  readonly stats: Stats | undefined
  /** The names in a directory; empty for anything else. */
  names(): readonly string[]
}

/** How to read a store. */
export interface ReadOptions {
  /** Compare each blob with its blobref. */
  verify: boolean
  /** More directories to try for the links or copies of a store with a journal. */
  scratchDirs: readonly string[]
}

/** How to write a store. */
export interface WriteOptions {
  /** The name for messages. It differs from the path when links were resolved. */
  name: string
  /** The algorithm of an empty or new store (default sha1). Any other store must already have it. */
  hash: HashName | undefined
}

/** Work for a thread. */
interface ThreadWork {
  /** The URL of a {@link ReaderModule} or {@link WriterModule}. */
  readonly module: string
  /** The data for the module. It is cloned into the thread. */
  readonly data: unknown
}

/** A plan to read a store. */
export interface ReadPlan extends ThreadWork {
  /** Loads the same module into this thread: given where opening the store takes no time, so that a look at it needs no thread. */
  readonly load?: () => Promise<ReaderModule>
  /** Called after every answer of the thread. @throws {FluxError} `EBUSY` the files on disk have changed */
  readonly assertUnchanged?: () => void
  /**
   * Begins a new store of this kind at a path where there is none, for blobs that are copied as they are. Undefined for a
   * kind whose readers have no {@link BlobReader.copier}.
   */
  readonly newCopy?: (path: string) => NewFile
  /** Called when the thread has opened the store or has failed to, to remove temporary files. */
  readonly opened?: () => void
}

/**
 * Compresses one blob as a kind of store holds it.
 *
 * @param source - holds the blob, of `size` bytes, at `from`
 * @param target - receives the compressed bytes at `at`; there is room for `size` bytes
 * @returns how many there are; 0 when the blob is stored as it is
 */
export type CompressBlob = (source: Uint8Array, from: number, size: number, target: Uint8Array, at: number) => number

/** A plan to write a store. */
export interface WritePlan extends ThreadWork {
  /** How the writer compresses blobs, so that another thread can do it when the writing thread is behind. */
  readonly compress?: CompressBlob
}

/** A module that reads, blocking, in the reading thread. */
export interface ReaderModule {
  /** @throws {FluxError} the store cannot be read; the message names it */
  openReader(data: unknown): BlobReader
}

/** A module that writes, blocking, in the writing thread. */
export interface WriterModule {
  /** @throws {FluxError} the store cannot be written; the message names it */
  openWriter(data: unknown): BlobWriter
}

/**
 * A kind of content store on disk. This is a light descriptor: a thread loads the reader or writer when it is needed.
 * Do not use `import()` here: at the limit on open files it fails, and Node.js caches the failure. Only
 * `store-kinds.ts` lists the kinds.
 */
export interface StoreKind {
  readonly name: string
  /** The name of such a store in the state directory of an instance. */
  readonly fileName: string
  readonly isDirectory: boolean
  /** The kind in words, with an article: `an SQLite database`. */
  readonly what: string

  /** True when a store of this kind is there. */
  recognise(place: Place): boolean

  /** True when {@link openToSalvage} may find something there, though no store is recognised. */
  mayBeSalvaged?(place: Place): boolean

  /** When no store is there: true when the name asks for this kind, and making one destroys nothing. */
  mayBeMade(place: Place): boolean

  /** @throws {FluxError} `EBUSY` a broker holds it; or the errno of the file system */
  openToRead(path: string, options: ReadOptions): Promise<ReadPlan>

  /**
   * Read what is left of a damaged store. Undefined for a kind whose blobs are read one by one anyway.
   *
   * @throws {FluxError} `EBUSY` a broker holds it; or the errno of the file system
   */
  openToSalvage?(path: string, options: ReadOptions): Promise<ReadPlan>

  /**
   * Read a store while a broker holds it and goes on writing: without locks, and with nothing left beside it. Blobs
   * written just now are missing, and others may come out wrong, so every blob is verified. Undefined for a kind that
   * cannot be read this way.
   */
  openBeside?(path: string): ReadPlan

  /**
   * @param path - the path of the store, or of the one to make
   * @throws {FluxError} `EBUSY` a broker holds it
   */
  openToWrite(path: string, options: WriteOptions): Promise<WritePlan>
}
