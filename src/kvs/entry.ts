import type { DirEntries } from './dir-entries.ts'
import type { Refs } from './refs.ts'

/** A directory that a walk has entered: its place in the tree, and its entries. */
export class Dir {
  readonly parent: Dir | undefined
  /** Its name in `parent`; empty for the root. */
  readonly name: string
  /** The blob it was read from; undefined for a directory stored inline in its parent. */
  readonly blobref: string | undefined
  /** Levels below the root; 0 for the root. */
  readonly depth: number
  /**
   * Free for the consumer of a walk: it can cache here what it computes for a directory. The walk does not touch it.
   */
  derived: unknown
  readonly #entries: Pick<DirEntries, 'has'>

  /** @internal */
  constructor(parent: Dir | undefined, name: string, blobref: string | undefined, entries: Pick<DirEntries, 'has'>) {
    this.parent = parent
    this.name = name
    this.blobref = blobref
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#entries = entries
  }

  /** True when the directory has an entry of this name. */
  has(name: string): boolean {
    return this.#entries.has(name)
  }
}

/**
 * The components of the key of entry `name` in `dir`, from the root. A component can be any string: empty, `..`, with
 * dots or slashes.
 */
export function componentsOf(dir: Dir | undefined, name: string): string[] {
  const components: string[] = []
  for (let at = dir; at?.parent !== undefined; at = at.parent) components.push(at.name)
  components.reverse()
  components.push(name)
  return components
}

/** The key of entry `name` in `dir`, as Flux's tools show it: components joined by dots. */
export function keyOf(dir: Dir | undefined, name: string): string {
  return dir?.parent === undefined ? name : componentsOf(dir, name).join('.')
}

/**
 * The key of an entry of a directory.
 *
 * @param dirKey - `.` for the root. A dot at its end is kept and no second one is added, as in `flux_kvsdir_key_at`.
 */
export function keyIn(dirKey: string, name: string): string {
  if (dirKey === '.') return name
  return dirKey.endsWith('.') ? `${dirKey}${name}` : `${dirKey}.${name}`
}

/** As {@link keyIn} for one name after another, in one step: in a deep tree each step would copy the key so far. */
export function keyBelow(dirKey: string, names: readonly string[]): string {
  let parts = [dirKey]
  let { length } = dirKey
  let endsInDot = dirKey.endsWith('.')
  for (const name of names) {
    const isRoot = endsInDot && length === 1
    if (isRoot) [parts, length, endsInDot] = [[], 0, false]
    const part = isRoot || endsInDot ? name : `.${name}`
    parts.push(part)
    length += part.length
    if (part !== '') endsInDot = part.endsWith('.')
  }
  return parts.join('')
}

/** A value. `parts` are its bytes, to be joined in order; undefined when the value is too large to hold in memory. */
export interface ValueEntry {
  readonly type: 'value'
  readonly dir: Dir
  readonly name: string
  /** Number of bytes. */
  readonly size: number
  /** Views of larger buffers: copy what you keep. */
  readonly parts: readonly Uint8Array[] | undefined
  /** Number of blobs that hold it; 0 when it is stored inline in its directory. */
  readonly blobs: number
  /** @internal Their blobrefs. */
  readonly refs: Refs
  /** The bytes of a value without `parts`, some blobs at a time, loaded as they are read. */
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

/** What a walk yields: the place of a key, and its value or link. A directory is not an entry. */
export type Entry = ValueEntry | SymlinkEntry
