import { FluxError, printable } from '../errors/index.ts'
import { Globs, type KeyGlobs } from '../kvs/index.ts'

/** Which members of an archive are restored, and how their paths change. */
export interface SelectionOptions extends KeyGlobs {
  /** A leading path that is removed from every member's path. */
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

  /** True when the globs select the member with this path in the archive. */
  takes(path: string): boolean {
    return (this.#include?.matches(path) ?? true) && !this.#exclude?.matches(path)
  }

  /**
   * A member's components without the stripped ones.
   *
   * @throws {FluxError} `EINVAL` the member is not below the stripped path
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
