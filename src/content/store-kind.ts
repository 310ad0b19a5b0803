/** What has to be known of a kind of content store on disk to find, read and write one. */
import type { Stats } from 'node:fs'
import type { BlobWriter } from './blob-batch.ts'
import type { HashName } from './blobref.ts'
import type { BlobReader } from './packed-batch.ts'

/** What lies at a path. */
export interface Place {
  readonly path: string
  /** Of what a link leads to; undefined when there is nothing. */
  readonly stats: Stats | undefined
  /** The names in a directory; none in anything else. */
  names(): readonly string[]
}

/** How a store is to be read. */
export interface ReadOptions {
  /** Compare each blob with its blobref. */
  verify: boolean
  /** Directories where files of the store may get second names, beside those that are tried anyway. */
  scratchDirs: readonly string[]
}

/** How a store is to be written. */
export interface WriteOptions {
  /** What is shown of it in messages; its path may be another, when links led to it. */
  name: string
  /** The algorithm of a store that is empty or new (default sha1); of any other, what it must be. */
  hash: HashName | undefined
}

/** Work for a thread of its own. */
interface ThreadWork {
  /** The URL of a module that does it: {@link ReaderModule}, {@link WriterModule}. */
  readonly module: string
  /** What that is given. It is copied from thread to thread. */
  readonly data: unknown
}

/** How to read a store. */
export interface ReadPlan extends ThreadWork {
  /** Called again and again. @throws {FluxError} `EBUSY` when the files on disk are no longer what they were */
  readonly assertUnchanged?: () => void
  /** Called when the thread has opened the store, or could not: what it needed for that can go. */
  readonly opened?: () => void
}

/** How to write a store. */
export type WritePlan = ThreadWork

/** A module that reads, blocking, in the reading thread. */
export interface ReaderModule {
  /** @throws {FluxError} naming the store, when it cannot be read */
  openReader(data: unknown): BlobReader
}

/** A module that writes, blocking, in the writing thread. */
export interface WriterModule {
  /** @throws {FluxError} naming the store, when it cannot be written */
  openWriter(data: unknown): BlobWriter
}

/**
 * A kind of content store on disk. It is a descriptor, and light: what reads and writes is loaded in a thread, when it is
 * asked for. Load nothing more here by `import()`: where too few files may be open it fails, and Node.js remembers that.
 * It is in the list of `store-kinds.ts`, and nothing else names it.
 */
export interface StoreKind {
  readonly name: string
  /** What a store of this kind is called in the state directory of an instance. */
  readonly fileName: string
  readonly isDirectory: boolean
  /** One of them, in words: `an SQLite database`. */
  readonly what: string

  /** Is what lies there a store of this kind? What it is counts, not its name. */
  recognise(place: Place): boolean

  /** There is no store: may one of this kind be made there? The name says so, and nothing is lost. */
  mayBeMade(place: Place): boolean

  /** @throws {FluxError} `EBUSY` a broker holds it; or the errno of the file system */
  openToRead(path: string, options: ReadOptions): Promise<ReadPlan>

  /**
   * Read a store while a broker holds it and goes on writing: without locks, and with nothing left beside it. What was
   * written a moment ago is missing, and what is being written may come out torn, so every blob is verified. A kind that
   * cannot be read so has no such method.
   */
  openBeside?(path: string): ReadPlan

  /**
   * @param path - where it is, or is to be made
   * @throws {FluxError} `EBUSY` a broker holds it
   */
  openToWrite(path: string, options: WriteOptions): Promise<WritePlan>
}
