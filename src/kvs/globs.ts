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

/** Which keys are meant, for a program. */
export interface KeySelection extends KeyGlobs {
  /**
   * Called with the path of each value and link that the globs select: its components joined by slashes, as globs see
   * them. False leaves it out, before its blobs are loaded.
   */
  filter?: ((path: string) => boolean) | undefined
}

/** Has a walk yield only the keys that are selected, and load no directory in which globs leave none. */
export class GlobFilter implements WalkFilter {
  readonly #include: Globs | undefined
  readonly #exclude: Globs | undefined
  readonly #filter: ((path: string) => boolean) | undefined
  #hasRefused = false
  readonly #prefixes = new WeakMap<Dir, string>()

  /** A glob without a slash is one over a key as it is written: its dots part components. */
  constructor({ include = [], exclude = [], filter }: KeySelection) {
    if (include.length > 0) this.#include = new Globs(include.map(withSlashes))
    if (exclude.length > 0) this.#exclude = new Globs(exclude.map(withSlashes))
    this.#filter = filter
  }

  /** True when something has been left out so far. */
  get hasRefused(): boolean {
    return this.#hasRefused
  }

  takes(dir: Dir, name: string): boolean {
    const path = this.#path(dir, name)
    const isTaken =
      (this.#include?.matches(path) ?? true) && !this.#exclude?.matches(path) && (this.#filter?.(path) ?? true)
    if (!isTaken) this.#hasRefused = true
    return isTaken
  }

  enters(dir: Dir, name: string): boolean {
    const path = this.#path(dir, name)
    const isEntered = !this.#exclude?.matches(path) && (this.#include === undefined || this.#mayTakeBelow(path))
    if (!isEntered) this.#hasRefused = true
    return isEntered
  }

  #mayTakeBelow(path: string): boolean {
    return this.#include?.matches(path) === true || this.#include?.mayMatchBelow(path) === true
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
