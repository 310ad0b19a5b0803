/**
 * Keys as paths in an archive. The components of a key become the components of a path, as in Flux's C tool, except
 * those that a path cannot express: one that holds a slash, or is `.`, `..` or empty. Any user can commit such a key in
 * a job's namespace. Written unchanged, it would take another key's path, or lead out of the directory that the archive
 * is unpacked into. So such a component is percent-encoded, and a pax record of the member gives the exact components
 * to `restore`.
 */
import { componentsOf, type Dir } from '../kvs/index.ts'

/** A key's place in an archive. */
export interface MemberPath {
  readonly path: string
  /** The exact components of the key, when `path` does not give them. */
  readonly components: readonly string[] | undefined
}

/** True when a path can hold the component: it is not empty, `.` or `..`, and has no slash or NUL. */
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

/** The path of a directory, as the start of the paths below it. */
class DirPath {
  /** Empty for the root, else ending in a slash. */
  readonly prefix: string
  readonly isComponent: boolean
  /** The encoded names used so far, each with its component. */
  encoded: Map<string, string> | undefined

  constructor(prefix: string, isComponent: boolean) {
    this.prefix = prefix
    this.isComponent = isComponent
  }
}

/** Gives each key of one walk a unique path. */
export class MemberPaths {
  #last: Dir | undefined
  #lastPath: DirPath | undefined

  /** The path of the entry `name` of `dir`. */
  of(dir: Dir, name: string): MemberPath {
    // The entries of a directory mostly follow each other, so remember the last one.
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
    // From the top down, without recursion: a tree can be very deep.
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

  /** An encoded name that no sibling has, unencoded or encoded: `a/b` may stand beside a key called `a%2Fb`. */
  #unique(dir: Dir, parent: DirPath, name: string): string {
    parent.encoded ??= new Map()
    let candidate = encode(name)
    while (dir.has(candidate) || (parent.encoded.get(candidate) ?? name) !== name) candidate += '%'
    parent.encoded.set(candidate, name)
    return candidate
  }
}
