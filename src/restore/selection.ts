import picomatch from 'picomatch'
import { FluxError, printable } from '../errors/index.ts'

/** Which members of an archive are restored, and under what names. */
export interface SelectionOptions {
  /** Only what matches one of these globs, and what is below. */
  include?: readonly string[] | undefined
  /** Nothing that matches one of these globs, nor what is below. */
  exclude?: readonly string[] | undefined
  /** A leading path that names lose. */
  strip?: string | undefined
}

type Matcher = (path: string) => boolean

export class Selection {
  readonly #include: Matcher | undefined
  readonly #exclude: Matcher | undefined
  readonly #strip: readonly string[]

  constructor({ include, exclude, strip }: SelectionOptions) {
    this.#include = matcher(include)
    this.#exclude = matcher(exclude)
    this.#strip = (strip ?? '').split('/').filter((component) => component !== '' && component !== '.')
  }

  /** True when a member is to be restored, by its path in the archive. */
  takes(path: string): boolean {
    return (this.#include?.(path) ?? true) && !this.#exclude?.(path)
  }

  /**
   * What is left of a member's components.
   *
   * @throws {FluxError} `EINVAL` for a member that is not below what is to be stripped
   */
  strip(components: readonly string[]): readonly string[] {
    const prefix = this.#strip
    if (prefix.length === 0) return components
    if (components.length > prefix.length && prefix.every((component, i) => components[i] === component)) {
      return components.slice(prefix.length)
    }
    throw new FluxError('EINVAL', `${printable(components.join('/'))}: not below ${printable(prefix.join('/'))}`, {
      hint: `leave it out with --exclude, or the rest with --include '${prefix.join('/')}'`,
    })
  }
}

/** Matches a path when one of the globs matches it or a directory that it is in. */
function matcher(globs: readonly string[] | undefined): Matcher | undefined {
  if (globs === undefined || globs.length === 0) return undefined
  const isMatch = picomatch([...globs], { dot: true })
  return (path) => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (isMatch(path.slice(0, end))) return true
    return false
  }
}
