/** Limits on how much of a tree is visited, since the number of keys can be exponential in the size of the store. */
import { FluxError, printable } from '../errors/index.ts'
import { componentsOf, type Dir } from './entry.ts'

/**
 * Default limit of values, links and directories visited. No real KVS has so many. But several places may refer to one
 * directory, so a few hundred bytes can stand for more keys than could ever be read.
 */
export const MAX_KEYS = 100_000_000

/**
 * Default limit of levels of directories. Flux's own keys have fewer than ten. An archive or a list writes each key in
 * full, so the output grows with the square of the depth.
 */
export const MAX_DEPTH = 10_000

/** Counts visited keys against a limit. */
export class LimitCount {
  readonly #most: number
  #count = 0

  /** @param most - default {@link MAX_KEYS} */
  constructor(most: number = MAX_KEYS) {
    this.#most = most
  }

  /** @throws {FluxError} `EOVERFLOW` the count exceeds the limit */
  add(keys: number): void {
    this.#count += keys
    if (this.#count <= this.#most) return
    throw new FluxError('EOVERFLOW', `more than ${this.#most} values, links and directories`, {
      hint: 'directories may be referred to from many places; --max-keys N allows more',
    })
  }
}

/** How many components of a too deep key the message shows. */
const SHOWN_COMPONENTS = 4

/** The error for a directory that is too deep. @param depth - how many levels are allowed */
export function tooDeep(parent: Dir, name: string, depth: number): FluxError {
  return depthError(componentsOf(parent, name), depth)
}

/** Like {@link tooDeep}, for a key given by its components. */
export function depthError(components: readonly string[], depth: number): FluxError {
  const start = printable(components.slice(0, SHOWN_COMPONENTS).join('.')).slice(0, 80)
  return new FluxError('EOVERFLOW', `${start}…: more than ${depth} directories, one in another`, {
    hint: '--max-depth N allows more',
  })
}
