import { ContentError, type ContentStore, type StoringBatch } from '../../content/index.ts'
import { FluxError, printable } from '../../errors/index.ts'
import {
  type DirObj,
  decodeDir,
  dirrefText,
  type EntryObj,
  isDir,
  storeTree,
  type TreeToStore,
  treeObjText,
} from '../../kvs/index.ts'

/** A directory that has been read, and can be changed. */
export interface OpenDir {
  readonly entries: Map<string, EntryObj | OpenDir>
}

export function isOpenDir(entry: EntryObj | OpenDir): entry is OpenDir {
  return 'entries' in entry
}

/** A tree of a content store that is changed in memory. Only the directories that are needed for this are read. */
export class RepairTree {
  readonly #store: ContentStore
  readonly #root: OpenDir

  /** @throws {FluxError} the root cannot be read */
  static async open(store: ContentStore, rootref: string): Promise<RepairTree> {
    return new RepairTree(store, await load(store, rootref, () => '.'))
  }

  private constructor(store: ContentStore, root: OpenDir) {
    this.#store = store
    this.#root = root
  }

  /** Set a key to an object. Anything on the way that is not a directory is replaced by one. */
  async put(components: readonly string[], obj: EntryObj): Promise<void> {
    let dir = this.#root
    for (const [depth, name] of components.slice(0, -1).entries()) {
      const entry = dir.entries.get(name)
      let next = entry && (await this.open(dir, name, () => keyAt(components, depth)))
      if (next === undefined) {
        next = { entries: new Map() }
        dir.entries.set(name, next)
      }
      dir = next
    }
    dir.entries.set(components.at(-1) as string, obj)
  }

  /** Remove a key, if it exists. */
  async unlink(components: readonly string[]): Promise<void> {
    const dir = await this.dir(components.slice(0, -1))
    dir?.entries.delete(components.at(-1) as string)
  }

  /** Read a directory. @returns undefined when the key does not exist, or is not a directory */
  async dir(components: readonly string[]): Promise<OpenDir | undefined> {
    let dir: OpenDir | undefined = this.#root
    for (const [depth, name] of components.entries()) {
      dir = dir && (await this.open(dir, name, () => keyAt(components, depth)))
    }
    return dir
  }

  /**
   * Read a directory that is an entry of another.
   *
   * @param key - for error messages
   * @returns undefined when there is no such entry, or it is not a directory
   * @throws {FluxError} it cannot be read
   */
  async open(dir: OpenDir, name: string, key: () => string): Promise<OpenDir | undefined> {
    const entry = dir.entries.get(name)
    if (entry === undefined || isOpenDir(entry)) return entry
    if (!isDir(entry)) return undefined
    const opened = entry.type === 'dir' ? openDir(entry) : await load(this.#store, entry.data[0] as string, key)
    dir.entries.set(name, opened)
    return opened
  }

  /**
   * Store all directories that have been read.
   *
   * @returns the blobref of the new root
   */
  async build(writer: { storeBatch(blobs: readonly Uint8Array[]): StoringBatch }): Promise<string> {
    const refs = new Map<OpenDir, string>()
    const dirs: TreeToStore<OpenDir> = {
      childrenOf: openChildren,
      textsOf: (dir) => textsOf(dir, refs),
      onStored: (dir, blobref) => refs.set(dir, blobref),
    }
    await storeTree(this.#root, dirs, async (blobs) => {
      const { blobrefs, stored } = writer.storeBatch(blobs)
      await stored
      return blobrefs
    })
    return refs.get(this.#root) as string
  }
}

/** The subdirectories that have been read or are inline. Flux stores each directory in its own blob. */
function* openChildren({ entries }: OpenDir): Generator<OpenDir> {
  for (const [name, entry] of entries) {
    const inside = !isOpenDir(entry) && entry.type === 'dir' ? openDir(entry) : entry
    if (inside !== entry) entries.set(name, inside)
    if (isOpenDir(inside)) yield inside
  }
}

function textsOf({ entries }: OpenDir, refs: ReadonlyMap<OpenDir, string>): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [name, entry] of entries) {
    texts.set(name, isOpenDir(entry) ? dirrefText(refs.get(entry) as string) : treeObjText(entry))
  }
  return texts
}

/** The key of the directory at a depth, for messages. A copy for each level of a deep key would take too long. */
function keyAt(components: readonly string[], depth: number): string {
  return components.slice(0, depth + 1).join('.')
}

function openDir({ data }: DirObj): OpenDir {
  return { entries: new Map(Object.entries(data)) }
}

async function load(store: ContentStore, blobref: string, key: () => string): Promise<OpenDir> {
  const [result] = await store.loadBatch([blobref], 1)
  if (result instanceof ContentError) {
    throw new FluxError(result.code, `${printable(key())}: ${result.message} (${blobref})`, { cause: result })
  }
  return openDir(decodeDir(result as Uint8Array, key, blobref))
}
