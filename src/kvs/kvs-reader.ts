import type { FluxError } from '../errors/index.ts'
import type { DirObj, Dirref, Symlink, TreeObj, Val, Valref } from './treeobj.ts'

/** What a lookup may be for: the object of a value, of a directory, of a link, or whatever there is, as it is stored. */
export type LookupKind = 'value' | 'dir' | 'link' | 'treeobj'

/** An entry of a directory that has been opened. */
export interface Child<Obj extends TreeObj = TreeObj> {
  /** From the root, `.` being the root itself. */
  readonly key: string
  readonly obj: Obj
}

/** Answers keys: a snapshot, or a live instance. */
export interface KvsReader {
  /** What a key holds, following links to a value. @throws as {@link KvsReader.lookup} */
  lookup(key: string, kind?: 'value'): Promise<Val | Valref>
  /** A directory: one level of it. */
  lookup(key: string, kind: 'dir'): Promise<DirObj>
  /** A link itself. */
  lookup(key: string, kind: 'link'): Promise<Symlink>
  /**
   * The object as it is stored; `.` is a dirref.
   *
   * @throws {FluxError} `ENOENT` no such key; `EISDIR`, `ENOTDIR`, `EINVAL` it is something else than asked for; `ELOOP`;
   *   `ENOTSUP` a link into a namespace that is not known. The message begins with the key, and ends in the errno's text.
   * @throws {TreeError} the tree is damaged on the way there
   */
  lookup(key: string, kind: LookupKind): Promise<TreeObj>
  /**
   * The bytes of a value, in order, some at a time: views, good until the next are asked for.
   *
   * @throws as {@link KvsReader.lookup}
   */
  read(key: string): AsyncGenerator<readonly Uint8Array[], void, void>
  /** Open directories that are entries of others, in one go. @returns for each its entries, or why it cannot be had */
  openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]>
  /**
   * How values begin that are entries of directories, in one go.
   *
   * @param bytes - how many of each are wanted at least, where it has as many
   * @returns for each its first bytes, possibly more than wanted, or why they cannot be had; undefined for what is to be
   *   asked for again, as the others had come to so much already. Never all of them are left out.
   */
  readStarts(children: readonly Child<Val | Valref>[], bytes: number): Promise<(Uint8Array | FluxError | undefined)[]>
}
