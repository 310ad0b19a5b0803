/**
 * Looking up keys in a snapshot, by the rules of the `kvs.lookup` service: symbolic links in the middle of a key are
 * always followed, and a link at its end is followed unless the link itself is requested. Links may lead into another
 * namespace.
 *
 * @see RFC 11; flux_kvs_lookup(3); flux-core `src/modules/kvs/lookup.c`
 */
import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { errnoText, FluxError, printable } from '../errors/index.ts'
import type { Child, KvsReader, LookupKind } from './kvs-reader.ts'
import { PRIMARY_NAMESPACE, type SnapshotRoot } from './snapshot.ts'
import { TreeError } from './tree-error.ts'
import { badDirref, badEntry, decodeDir, decodeInline, missingDir } from './tree-faults.ts'
import {
  type DirObj,
  type Dirref,
  dirBlobref,
  dirrefOf,
  type EntryObj,
  isDir,
  type Symlink,
  type TreeObj,
  type Val,
  type Valref,
} from './treeobj.ts'
import { loadStarts } from './value-starts.ts'
import { streamValue } from './value-stream.ts'

/** Links followed before the lookup fails with `ELOOP`. */
const MAX_LINKS = 10

/** Decoded directories kept in the cache. Keys looked up together mostly share all directories but the last. */
const KEPT_DIRS = 64

/** Limits of one batch of directories: their number, and their bytes. */
const MAX_DIRS = 512
const DIRS_BYTES = 32 << 20

/**
 * The components of a key. Dots at its ends do not count, and several dots in a row count as one. `.` is the root,
 * which has no components.
 *
 * @throws {FluxError} `EINVAL` the key is empty
 */
export function keyComponents(key: string): string[] {
  if (key === '') throw new FluxError('EINVAL', 'an empty key: Invalid argument')
  return key.split('.').filter((component) => component !== '')
}

/** A key without redundant dots; `.` for the root. @throws {FluxError} `EINVAL` the key is empty */
export function plainKey(key: string): string {
  return keyComponents(key).join('.') || '.'
}

/** The error of a lookup, in the words of `flux kvs`. */
export function lookupError(
  code: 'ENOENT' | 'EISDIR' | 'ENOTDIR' | 'EINVAL' | 'ELOOP' | 'ENOTSUP',
  key: string,
): FluxError {
  return new FluxError(code, `${printable(key)}: ${errnoText(code)}`)
}

/**
 * True for the error of a key that does not exist. A missing part of the tree is a {@link TreeError}, and is not one.
 */
export function isNoSuchKey(error: unknown): boolean {
  return error instanceof FluxError && error.code === 'ENOENT' && !(error instanceof TreeError)
}

/** Options of a {@link SnapshotReader}. */
export interface SnapshotReaderOptions {
  /** Aborts the reading of a value. */
  signal?: AbortSignal | undefined
}

/** Looks up keys below one root of a content store. */
export class SnapshotReader implements KvsReader {
  readonly #store: ContentStore
  readonly #rootref: string
  readonly #namespace: string
  readonly #signal: AbortSignal | undefined
  readonly #dirs = new Map<string, DirObj>()

  /** @param root - keys start at its `rootref`, and so do links into its `namespace` (default `primary`) */
  constructor({ store, rootref, namespace = PRIMARY_NAMESPACE }: SnapshotRoot, { signal }: SnapshotReaderOptions = {}) {
    this.#store = store
    this.#rootref = rootref
    this.#namespace = namespace
    this.#signal = signal
  }

  lookup(key: string, kind?: 'value'): Promise<Val | Valref>
  lookup(key: string, kind: 'dir'): Promise<DirObj>
  lookup(key: string, kind: 'link'): Promise<Symlink>
  lookup(key: string, kind: LookupKind): Promise<TreeObj>
  async lookup(key: string, kind: LookupKind = 'value'): Promise<TreeObj> {
    const obj = await this.#find(key, kind === 'value' || kind === 'dir')
    if (kind === 'treeobj') return obj
    if (kind === 'link') {
      if (obj.type === 'symlink') return obj
      throw lookupError('EINVAL', key)
    }
    if (kind === 'value') {
      if (isDir(obj)) throw lookupError('EISDIR', key)
      return obj
    }
    if (!isDir(obj)) throw lookupError('ENOTDIR', key)
    return this.#open(obj, () => key)
  }

  async *read(key: string): AsyncGenerator<readonly Uint8Array[], void, void> {
    const obj = await this.lookup(key)
    if (obj.type === 'val') yield [decodeInline(obj, () => key)]
    else yield* streamValue(this.#store, key, obj.data, this.#signal)
  }

  async openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]> {
    const opened: (DirObj | FluxError | undefined)[] = children.map(({ key, obj }) => {
      if (obj.type === 'dir') return obj
      return dirBlobref(obj) === undefined ? badDirref(key) : undefined
    })
    const open = undefinedIndexes(opened)
    const blobrefs = open.map((i) => dirBlobref((children[i] as Child<Dirref>).obj) as string)
    const take = (j: number, result: Uint8Array | ContentError) => {
      const i = open[j] as number
      const { key } = children[i] as Child
      opened[i] = result instanceof ContentError ? missingDir(key, result) : tryDecodeDir(result, key, blobrefs[j])
    }
    await loadEach(this.#store, blobrefs, take, { most: MAX_DIRS, budgetBytes: DIRS_BYTES })
    return opened as (DirObj | FluxError)[]
  }

  readStarts(children: readonly Child<Val | Valref>[], bytes: number): Promise<(Uint8Array | FluxError | undefined)[]> {
    return loadStarts(this.#store, children, bytes)
  }

  async #find(key: string, followLast: boolean): Promise<TreeObj> {
    let components = keyComponents(key)
    let at: TreeObj = dirrefOf(this.#rootref)
    let links = 0
    for (let i = 0; i < components.length; i++) {
      // Nothing is below a value.
      if (!isDir(at)) throw lookupError('ENOENT', key)
      const way = components
      const dir = await this.#open(at, () => way.slice(0, i).join('.') || '.')
      const name = components[i] as string
      const entry: EntryObj | undefined = Object.hasOwn(dir.data, name) ? dir.data[name] : undefined
      if (entry === undefined) throw lookupError('ENOENT', key)
      if (entry.type === 'invalid') throw badEntry(way.slice(0, i + 1).join('.'), entry)
      at = entry
      if (entry.type !== 'symlink' || (i === components.length - 1 && !followLast)) continue
      if (++links > MAX_LINKS) throw lookupError('ELOOP', key)
      const { target, namespace } = entry.data
      components = [...keyComponents(target || '.'), ...components.slice(i + 1)]
      at = dirrefOf(await this.#rootOf(namespace, key))
      i = -1
    }
    return at
  }

  async #rootOf(namespace: string | undefined, key: string): Promise<string> {
    if (namespace === undefined || namespace === this.#namespace) return this.#rootref
    const { instance } = this.#store
    if (!instance) throw lookupError('ENOTSUP', key)
    return (await instance.kvs.root(namespace)).rootref
  }

  /** The entries of a directory. @param key - for messages */
  async #open(obj: DirObj | Dirref, key: () => string): Promise<DirObj> {
    if (obj.type === 'dir') return obj
    const blobref = dirBlobref(obj)
    if (blobref === undefined) throw badDirref(key())
    const known = this.#dirs.get(blobref)
    if (known) return known
    const [result] = await this.#store.loadBatch([blobref], 1)
    if (result instanceof ContentError) throw missingDir(key(), result)
    const dir = decodeDir(result as Uint8Array, key, blobref)
    if (this.#dirs.size >= KEPT_DIRS) this.#dirs.delete(this.#dirs.keys().next().value as string)
    this.#dirs.set(blobref, dir)
    return dir
  }
}

/** The indexes of items that are undefined. */
function undefinedIndexes(list: readonly unknown[]): number[] {
  const places: number[] = []
  for (const [i, item] of list.entries()) if (item === undefined) places.push(i)
  return places
}

function tryDecodeDir(blob: Uint8Array, key: string, blobref: string | undefined): DirObj | FluxError {
  try {
    return decodeDir(blob, key, blobref)
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}
