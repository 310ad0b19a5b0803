import type { FluxError } from '../errors/index.ts'
import type { DirObj, Dirref, Symlink, TreeObj, Val, Valref } from './treeobj.ts'

/** What a lookup must find: a value, a directory, a link, or any object, as it is stored. */
export type LookupKind = 'value' | 'dir' | 'link' | 'treeobj'

/** An entry of a directory that was looked up. */
export interface Child<Obj extends TreeObj = TreeObj> {
  /** The key from the root; `.` for the root itself. */
  readonly key: string
  readonly obj: Obj
}

/** Looks up keys, in a snapshot or in a live instance. */
export interface KvsReader {
  /** The value of a key. Links are followed. @throws as {@link KvsReader.lookup} */
  lookup(key: string, kind?: 'value'): Promise<Val | Valref>
  /** The entries of a directory, one level deep. */
  lookup(key: string, kind: 'dir'): Promise<DirObj>
  /** The link itself, not its target. */
  lookup(key: string, kind: 'link'): Promise<Symlink>
  /**
   * The object as it is stored. The object of `.` is a dirref.
   *
   * @throws {FluxError} `ENOENT` no such key; `EISDIR`, `ENOTDIR`, `EINVAL` the key holds another kind of object;
   *   `ELOOP` too many links; `ENOTSUP` a link into an unknown namespace. The message begins with the key and ends with
   *   the errno's text.
   * @throws {TreeError} a directory on the way to the key is damaged
   */
  lookup(key: string, kind: LookupKind): Promise<TreeObj>
  /**
   * The bytes of a value, in order, in batches of views. A batch is valid until the next one is requested.
   *
   * @throws as {@link KvsReader.lookup}
   */
  read(key: string): AsyncGenerator<readonly Uint8Array[], void, void>
  /** Load directories that are entries of others, in one batch. @returns for each its entries, or the error */
  openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]>
  /**
   * Load the first bytes of values that are entries of directories, in one batch.
   *
   * @param bytes - how many bytes of each value are needed at least, if it has that many
   * @returns for each value its first bytes, possibly more than `bytes`, or the error; undefined for a value that was
   *   left out to bound memory: ask for it again. At least one result is defined.
   */
  readStarts(children: readonly Child<Val | Valref>[], bytes: number): Promise<(Uint8Array | FluxError | undefined)[]>
}
