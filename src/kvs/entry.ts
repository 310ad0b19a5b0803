import type { DirObj } from './treeobj.ts'

/** A directory that a walk is in: its place in the tree, and its entries. */
export class Dir {
  readonly parent: Dir | undefined
  /** Its name in `parent`; empty for the root. */
  readonly name: string
  /** The blob it was read from; undefined for a directory that stands inline in its parent. */
  readonly blobref: string | undefined
  /** How many directories it is below the root. */
  readonly depth: number
  /** Room for what the consumer of a walk derives from a directory and wants to derive once. The walk leaves it alone. */
  derived: unknown
  readonly #data: DirObj['data']

  constructor(parent: Dir | undefined, name: string, blobref: string | undefined, data: DirObj['data']) {
    this.parent = parent
    this.name = name
    this.blobref = blobref
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#data = data
  }

  /** True when the directory has an entry of this name. */
  has(name: string): boolean {
    return Object.hasOwn(this.#data, name)
  }
}

/** The components of the name `name` in `dir`, from the root. Any string may be one: empty, `..`, with dots or slashes. */
export function componentsOf(dir: Dir | undefined, name: string): string[] {
  const components: string[] = []
  for (let at = dir; at?.parent !== undefined; at = at.parent) components.push(at.name)
  components.reverse()
  components.push(name)
  return components
}

/** The key of the name `name` in `dir`, as Flux's tools show it: components joined by dots. */
export function keyOf(dir: Dir | undefined, name: string): string {
  return dir?.parent === undefined ? name : componentsOf(dir, name).join('.')
}

/**
 * The key of an entry of a directory.
 *
 * @param dirKey - `.` for the root; as it was given: a dot at its end is the one before the name, as `flux_kvsdir_key_at` has it
 */
export function keyIn(dirKey: string, name: string): string {
  if (dirKey === '.') return name
  return dirKey.endsWith('.') ? `${dirKey}${name}` : `${dirKey}.${name}`
}

/** A value. `parts` are its bytes, joined in order; undefined when it is too large to be held. */
export interface ValueEntry {
  readonly type: 'value'
  readonly dir: Dir
  readonly name: string
  /** Number of bytes. */
  readonly size: number
  /** Views of larger buffers: copy what is to be kept. */
  readonly parts: readonly Uint8Array[] | undefined
  /** Number of blobs it is stored in; 0 when it stands inline in its directory. */
  readonly blobs: number
  /** The bytes of a value without `parts`, some blobs at a time, loaded as one reads. */
  stream?(): AsyncIterable<readonly Uint8Array[]>
}

/** A symbolic link. */
export interface SymlinkEntry {
  readonly type: 'symlink'
  readonly dir: Dir
  readonly name: string
  /** A key, from the root of its namespace. */
  readonly target: string
  readonly namespace: string | undefined
}

/** What a walk yields: a key and what it holds. Directories are not entries of their own. */
export type Entry = ValueEntry | SymlinkEntry
