/**
 * Looking up keys in a snapshot, by the rules of the `kvs.lookup` service: symbolic links in the middle of a key are
 * always followed, one at its end unless it is asked for itself; links may lead into another namespace.
 *
 * @see RFC 11; flux_kvs_lookup(3); flux-core `src/modules/kvs/lookup.c`
 */
import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { errnoText, FluxError, printable } from '../errors/index.ts'
import type { Child, KvsReader, LookupKind } from './kvs-reader.ts'
import { PRIMARY_NAMESPACE, type SnapshotRoot } from './snapshot.ts'
import { TreeError } from './tree-error.ts'
import { badDirref, badEntry, decodeDir, missingDir } from './tree-faults.ts'
import {
  type DirObj,
  type Dirref,
  decodeVal,
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

/** Links that are followed before it is called a loop. */
const MAX_LINKS = 10

/** Directories kept decoded. Keys asked for together mostly share all but the last. */
const KEPT_DIRS = 64

/** Directories that are loaded in one go, and their bytes. */
const MAX_DIRS = 512
const DIRS_BYTES = 32 << 20

/**
 * The components of a key: dots at its ends, and all but one in a row, do not count; `.` alone is the root, of no
 * components.
 *
 * @throws {FluxError} `EINVAL` the key is empty
 */
export function keyComponents(key: string): string[] {
  if (key === '') throw new FluxError('EINVAL', 'an empty key: Invalid argument')
  return key.split('.').filter((component) => component !== '')
}

/** A key without the dots that do not count; `.` for the root. @throws {FluxError} `EINVAL` the key is empty */
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

/** True for the error of a key that is not there; a part of the tree that is missing is a {@link TreeError}. */
export function isNoSuchKey(error: unknown): boolean {
  return error instanceof FluxError && error.code === 'ENOENT' && !(error instanceof TreeError)
}

/** What ends the reading of a {@link SnapshotReader}. */
export interface SnapshotReaderOptions {
  /** Stops the reading of a value. */
  signal?: AbortSignal | undefined
}

/** Answers keys out of one root of a content store. */
export class SnapshotReader implements KvsReader {
  readonly #store: ContentStore
  readonly #rootref: string
  readonly #namespace: string
  readonly #signal: AbortSignal | undefined
  readonly #dirs = new Map<string, DirObj>()

  /** @param root - keys start from its `rootref`. Links into its `namespace` (default `primary`) stay within it. */
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
    if (obj.type === 'val') yield [decodeVal(obj)]
    else yield* streamValue(this.#store, key, obj.data, this.#signal)
  }

  async openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]> {
    const opened: (DirObj | FluxError | undefined)[] = children.map(({ key, obj }) => {
      if (obj.type === 'dir') return obj
      return dirBlobref(obj) === undefined ? badDirref(key) : undefined
    })
    const open = unset(opened)
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

/** The places that hold nothing yet. */
function unset(list: readonly unknown[]): number[] {
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
