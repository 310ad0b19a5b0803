import type { FluxError } from '../../errors/index.ts'
import {
  type Child,
  type DirObj,
  type Dirref,
  type EntryObj,
  isDir,
  type KvsReader,
  keyIn,
  type TreeObj,
} from '../../kvs/index.ts'

/** Directories that are opened in one batch: few at first, more as long as they are small. */
const FIRST_DIRS = 8
const MAX_DIRS = 512

/** The most entries in directories that were opened ahead. */
const MAX_ENTRIES = 100_000

/** A directory that is an entry of another. */
export type DirChild = Child<DirObj | Dirref>

/**
 * Opens directories depth first, many in one batch: the requested directory, those that will be requested next, and
 * their subdirectories. Opening each one alone would cost a round trip each.
 */
export class LookAhead {
  readonly #reader: KvsReader
  /** Directories that are opened but not yet requested, by the object that refers to them. */
  readonly #ready = new Map<TreeObj, DirObj | FluxError>()
  #entries = 0
  #dirs = FIRST_DIRS

  constructor(reader: KvsReader) {
    this.#reader = reader
  }

  /**
   * Open a directory.
   *
   * @param next - returns at most `most` directories of the same level that will be opened next, in order
   * @throws {FluxError} the directory cannot be read
   */
  async open(child: DirChild, next: (most: number) => DirChild[]): Promise<DirObj> {
    if (!this.#ready.has(child.obj)) await this.#load([child, ...next(this.#dirs - 1)])
    const dir = this.#ready.get(child.obj) as DirObj | FluxError
    this.#ready.delete(child.obj)
    if (dir instanceof Error) throw dir
    this.#entries -= countOf(dir)
    return dir
  }

  async #load(level: DirChild[]): Promise<void> {
    let first = true
    while (level.length > 0 && (first || (this.#ready.size < this.#dirs && this.#entries < MAX_ENTRIES))) {
      first = false
      const dirs = await this.#reader.openDirs(level)
      const below: DirChild[] = []
      for (const [i, dir] of dirs.entries()) {
        const { key, obj } = level[i] as DirChild
        this.#ready.set(obj, dir)
        if (dir instanceof Error) continue
        this.#entries += countOf(dir)
        const room = this.#dirs - this.#ready.size - below.length
        if (room > 0) below.push(...subdirsOf(key, dir).slice(0, room))
      }
      level = below
    }
    this.#dirs = this.#entries < MAX_ENTRIES / 4 ? Math.min(2 * this.#dirs, MAX_DIRS) : FIRST_DIRS
  }
}

/** The subdirectories of a directory, unsorted. */
function subdirsOf(key: string, { data }: DirObj): DirChild[] {
  const subdirs: DirChild[] = []
  for (const name in data) {
    const obj = data[name] as EntryObj
    if (isDir(obj)) subdirs.push({ key: keyIn(key, name), obj })
  }
  return subdirs
}

function countOf({ data }: DirObj): number {
  let count = 0
  for (const _ in data) count++
  return count
}
