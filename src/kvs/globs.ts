/**
 * Globs over keys, or over the paths that keys have in an archive: components joined by slashes. What matches brings all
 * that is below it.
 */
import picomatch from 'picomatch'
import { componentsOf, type Dir } from './entry.ts'
import type { WalkFilter } from './walk-options.ts'

const OPTIONS = { dot: true } as const

/** Globs whose slashes may be within braces, brackets or parentheses, or that say what is not meant. */
const OPAQUE = /[{(\\]|^!|\[[^\]]*\//

/** Several globs, of which one has to match. */
export class Globs {
  readonly #isMatch: (path: string) => boolean
  /** Each glob by its components; undefined for one that cannot be parted. */
  readonly #parts: readonly (readonly ((component: string) => boolean)[] | undefined)[]

  constructor(globs: readonly string[]) {
    this.#isMatch = picomatch([...globs], OPTIONS)
    this.#parts = globs.map((glob) =>
      OPAQUE.test(glob) ? undefined : glob.split('/').map((part) => componentMatcher(part)),
    )
  }

  /** True when one of the globs matches a path or a directory that it is in. */
  matches(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.#isMatch(path.slice(0, end))) return true
    return false
  }

  /** False when nothing below a directory can match that does not match by the directory. */
  mayMatchBelow(path: string): boolean {
    const components = path.split('/')
    return this.#parts.some((parts) => parts === undefined || leadsBelow(parts, components))
  }
}

/** Stands for a component `**`: any number of components. */
const ANY_DEPTH = () => true

function componentMatcher(part: string): (component: string) => boolean {
  return part.includes('**') ? ANY_DEPTH : picomatch(part, OPTIONS)
}

function leadsBelow(parts: readonly ((component: string) => boolean)[], components: readonly string[]): boolean {
  for (const [i, component] of components.entries()) {
    const part = parts[i]
    if (part === ANY_DEPTH) return true
    if (part === undefined || !part(component)) return false
  }
  return parts.length > components.length
}

/** Which keys are meant. */
export interface KeyGlobs {
  /** Only what matches one of these globs, and what is below. */
  include?: readonly string[] | undefined
  /** Nothing that matches one of these globs, nor what is below. */
  exclude?: readonly string[] | undefined
}

/** Has a walk yield only the keys that globs select, and load no directory in which there can be none. */
export class GlobFilter implements WalkFilter {
  readonly #include: Globs | undefined
  readonly #exclude: Globs | undefined
  readonly #prefixes = new WeakMap<Dir, string>()

  /** A glob without a slash is one over a key as it is written: its dots part components. */
  constructor({ include = [], exclude = [] }: KeyGlobs) {
    if (include.length > 0) this.#include = new Globs(include.map(withSlashes))
    if (exclude.length > 0) this.#exclude = new Globs(exclude.map(withSlashes))
  }

  takes(dir: Dir, name: string): boolean {
    const path = this.#path(dir, name)
    return (this.#include?.matches(path) ?? true) && !this.#exclude?.matches(path)
  }

  enters(dir: Dir, name: string): boolean {
    const path = this.#path(dir, name)
    if (this.#exclude?.matches(path)) return false
    return this.#include === undefined || this.#include.matches(path) || this.#include.mayMatchBelow(path)
  }

  #path(dir: Dir, name: string): string {
    let prefix = this.#prefixes.get(dir)
    if (prefix === undefined) {
      prefix = dir.parent === undefined ? '' : `${componentsOf(dir.parent, dir.name).join('/')}/`
      this.#prefixes.set(dir, prefix)
    }
    return prefix + name
  }
}

function withSlashes(glob: string): string {
  return glob.includes('/') ? glob : glob.replaceAll('.', '/')
}
