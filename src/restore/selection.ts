import { FluxError, printable } from '../errors/index.ts'
import { Globs, type KeyGlobs } from '../kvs/index.ts'

/** Which members of an archive are restored, and under what names. */
export interface SelectionOptions extends KeyGlobs {
  /** A leading path that names lose. */
  strip?: string | undefined
}

export class Selection {
  readonly #include: Globs | undefined
  readonly #exclude: Globs | undefined
  readonly #strip: readonly string[]

  constructor({ include = [], exclude = [], strip }: SelectionOptions) {
    if (include.length > 0) this.#include = new Globs(include)
    if (exclude.length > 0) this.#exclude = new Globs(exclude)
    this.#strip = (strip ?? '').split('/').filter((component) => component !== '' && component !== '.')
  }

  /** True when a member is to be restored, by its path in the archive. */
  takes(path: string): boolean {
    return (this.#include?.matches(path) ?? true) && !this.#exclude?.matches(path)
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
