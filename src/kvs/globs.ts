/**
 * Globs over keys, or over the paths of keys in an archive: components joined by slashes. A glob that matches a
 * directory selects everything below it.
 */
import picomatch from 'picomatch'
import { componentsOf, type Dir } from './entry.ts'
import type { WalkFilter } from './walk-options.ts'

const OPTIONS = { dot: true } as const

/**
 * Globs that cannot be split at slashes: those with braces, parentheses, escapes or negation, or a slash within
 * brackets.
 */
const OPAQUE = /[{(\\]|^!|\[[^\]]*\//

/** A list of globs; a path matches when one of them does. */
export class Globs {
  readonly #isMatch: (path: string) => boolean
  /** Each glob as one matcher for each component; undefined for a glob that cannot be split. */
  readonly #parts: readonly (readonly ((component: string) => boolean)[] | undefined)[]

  constructor(globs: readonly string[]) {
    this.#isMatch = picomatch([...globs], OPTIONS)
    this.#parts = globs.map((glob) =>
      OPAQUE.test(glob) ? undefined : glob.split('/').map((part) => componentMatcher(part)),
    )
  }

  /** True when a glob matches the path, or a directory above it. */
  matches(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.#isMatch(path.slice(0, end))) return true
    return false
  }

  /** False when no glob can match anything below the directory, unless it matches the directory itself. */
  mayMatchBelow(path: string): boolean {
    const components = path.split('/')
    return this.#parts.some((parts) => parts === undefined || leadsBelow(parts, components))
  }
}

/** The matcher of a component with `**`, which matches any number of components. */
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
  /** Select only what matches one of these globs, and everything below. */
  include?: readonly string[] | undefined
  /** Leave out what matches one of these globs, and everything below. */
  exclude?: readonly string[] | undefined
}

/** Which keys are selected, for callers that can pass a function. */
export interface KeySelection extends KeyGlobs {
  /**
   * Called with the path of each value and link that the globs select: components joined by slashes. Return false to
   * leave it out before its blobs are loaded.
   */
  filter?: ((path: string) => boolean) | undefined
}

/**
 * The filter that makes a walk yield only the selected keys, and load only directories in which the globs can match.
 */
export class GlobFilter implements WalkFilter {
  readonly #include: Globs | undefined
  readonly #exclude: Globs | undefined
  readonly #filter: ((path: string) => boolean) | undefined
  #hasRefused = false
  readonly #prefixes = new WeakMap<Dir, string>()

  /** In a glob without a slash, dots separate components, as in a key. */
  constructor({ include = [], exclude = [], filter }: KeySelection) {
    if (include.length > 0) this.#include = new Globs(include.map(withSlashes))
    if (exclude.length > 0) this.#exclude = new Globs(exclude.map(withSlashes))
    this.#filter = filter
  }

  /** True when something has been left out. */
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
