/** How much of a tree is gone through, where the number of keys may be exponential in the size of the store. */
import { FluxError, printable } from '../errors/index.ts'
import { componentsOf, type Dir } from './entry.ts'

/**
 * Values, links and directories that are gone through at most, unless more are asked for. No KVS has so many; but as
 * directories may be referred to from several places, a few hundred bytes can stand for more keys than could ever be read.
 */
export const MAX_KEYS = 100_000_000

/**
 * Levels of directories that are gone through at most, unless more are asked for. Flux's own keys have fewer than ten. In
 * an archive or a list each key is written in full, so what is deep costs the square of its depth.
 */
export const MAX_DEPTH = 10_000

/** Counts what is gone through. */
export class LimitCount {
  readonly #most: number
  #count = 0

  /** @param most - default {@link MAX_KEYS} */
  constructor(most: number = MAX_KEYS) {
    this.#most = most
  }

  /** @throws {FluxError} `EOVERFLOW` that is more than is allowed */
  add(keys: number): void {
    this.#count += keys
    if (this.#count <= this.#most) return
    throw new FluxError('EOVERFLOW', `more than ${this.#most} values, links and directories`, {
      hint: 'directories may be referred to from many places; --max-keys N allows more',
    })
  }
}

/** Components of a key that are shown, of one that is too long. */
const SHOWN = 4

/** The error for a directory that is too deep. @param depth - how many levels are allowed */
export function tooDeep(parent: Dir, name: string, depth: number): FluxError {
  return depthError(componentsOf(parent, name), depth)
}

/** The same, of a key by its components. */
export function depthError(components: readonly string[], depth: number): FluxError {
  const start = printable(components.slice(0, SHOWN).join('.')).slice(0, 80)
  return new FluxError('EOVERFLOW', `${start}…: more than ${depth} directories, one in another`, {
    hint: '--max-depth N allows more',
  })
}
