/**
 * Keys as paths in an archive. A key's components become the parts of a path, as in the C tool, with one exception: a
 * component that no path can say. Any user can commit one in a job's namespace: one that holds a slash, or is `.`, `..` or
 * empty. Written as it is, it would land on another key's path, or outside of the directory the archive is unpacked into.
 * Such a component is percent-encoded, and the exact ones go beside the member as a pax record, for `restore`.
 */
import { componentsOf, type Dir } from '../kvs/index.ts'

/** A key's place in an archive. */
export interface MemberPath {
  readonly path: string
  /** The exact components of the key, when `path` does not say them. */
  readonly components: readonly string[] | undefined
}

/** Slash or NUL, or nothing but one or two dots, or nothing at all. */
function isPathComponent(component: string): boolean {
  return (
    component !== '' && component !== '.' && component !== '..' && !component.includes('/') && !component.includes('\0')
  )
}

function encode(component: string): string {
  if (component === '') return '%'
  if (component === '.' || component === '..') return component.replaceAll('.', '%2E')
  return component.replaceAll('/', '%2F').replaceAll('\0', '%00')
}

/** What a directory contributes to the paths below it. */
class DirPath {
  /** Empty for the root, else ending in a slash. */
  readonly prefix: string
  readonly isComponent: boolean
  /** Encoded names given so far, to their components. */
  encoded: Map<string, string> | undefined

  constructor(prefix: string, isComponent: boolean) {
    this.prefix = prefix
    this.isComponent = isComponent
  }
}

/** Gives each key of one walk a path of its own. */
export class MemberPaths {
  #last: Dir | undefined
  #lastPath: DirPath | undefined

  /** The path of the entry `name` of `dir`. */
  of(dir: Dir, name: string): MemberPath {
    // Entries of a directory come one after another.
    let parent = this.#lastPath
    if (dir !== this.#last || parent === undefined) {
      parent = this.#dirPath(dir)
      this.#last = dir
      this.#lastPath = parent
    }
    const isComponent = isPathComponent(name)
    const path = parent.prefix + (isComponent ? name : this.#unique(dir, parent, name))
    return { path, components: isComponent && parent.isComponent ? undefined : componentsOf(dir, name) }
  }

  #dirPath(dir: Dir): DirPath {
    if (dir.derived instanceof DirPath) return dir.derived
    // From the top down, without recursion: a tree may be as deep as it likes.
    const chain: Dir[] = []
    for (let at: Dir | undefined = dir; at !== undefined && !(at.derived instanceof DirPath); at = at.parent)
      chain.push(at)
    let path: DirPath | undefined
    for (const at of chain.reverse()) {
      if (at.parent === undefined) {
        path = new DirPath('', true)
      } else {
        const parent = at.parent.derived as DirPath
        const isComponent = isPathComponent(at.name)
        const name = isComponent ? at.name : this.#unique(at.parent, parent, at.name)
        path = new DirPath(`${parent.prefix}${name}/`, isComponent && parent.isComponent)
      }
      at.derived = path
    }
    return path as DirPath
  }

  /** An encoded name that no sibling has, by its own name or by encoding: `a/b` beside a key called `a%2Fb`. */
  #unique(dir: Dir, parent: DirPath, name: string): string {
    parent.encoded ??= new Map()
    let candidate = encode(name)
    while (dir.has(candidate) || (parent.encoded.get(candidate) ?? name) !== name) candidate += '%'
    parent.encoded.set(candidate, name)
    return candidate
  }
}
