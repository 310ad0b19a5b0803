/** Limits on how much of a tree is visited, since the number of keys can be exponential in the size of the store. */
import { FluxError, grouped, printable, startOf } from '../errors/index.ts'
import { componentsOf, type Dir } from './entry.ts'
import type { PathCount } from './path-count.ts'

/**
 * Default limit of values, links and directories visited. No real KVS has so many. But several places may refer to one
 * directory, so a few hundred bytes can stand for more keys than could ever be read.
 */
export const MAX_KEYS = 100_000_000

/**
 * Default limit of the same, of a tree that has {@link MOST_SHARING} times as many keys as are stored. In a real KVS
 * hardly any directory is referred to twice.
 */
export const MAX_SHARED_KEYS = 10_000_000
const MOST_SHARING = 100

/**
 * Default limit of levels of directories. Flux's own keys have fewer than ten. An archive or a list writes each key in
 * full, so the output grows with the square of the depth.
 */
export const MAX_DEPTH = 10_000

/** After this many directories, and each time that their number has doubled, it is looked whether they come again. */
const FIRST_LOOK = 4096

/** How often the same directories must have come on average before the tree is counted. */
const FEW_VISITS = 4

/** Limits of a {@link LimitCount}. */
export interface LimitOptions {
  /** The most keys (default {@link MAX_KEYS}). */
  maxKeys?: number | undefined
  /** What the reader can do when there are more (default: name the flag `--max-keys`). */
  limitHint?: string | undefined
}

/**
 * Counts visited keys against a limit, and notices early when the same directories come again and again: then the tree
 * can be counted at little cost ({@link isCountDue}), and need not be visited up to the limit.
 */
export class LimitCount {
  readonly #most: number
  readonly #hint: string
  readonly #isDefault: boolean
  #count = 0
  readonly #visits = new VisitSample()
  #nextLook = FIRST_LOOK

  constructor({ maxKeys, limitHint = '--max-keys N allows more' }: LimitOptions = {}) {
    this.#most = maxKeys ?? MAX_KEYS
    this.#isDefault = maxKeys === undefined
    this.#hint = limitHint
  }

  /** @throws {FluxError} `EOVERFLOW` the count exceeds the limit */
  add(keys: number): void {
    this.#count += keys
    if (this.#count > this.#most) throw this.#tooMany(this.#most)
  }

  /**
   * A directory is visited.
   *
   * @param blobref - undefined for an inline directory, which stands in no other place
   * @returns true when the same ones have come so often that it is time to count the tree, and call {@link judge}
   */
  isCountDue(blobref: string | undefined): boolean {
    if (blobref === undefined) return false
    const visits = this.#visits
    visits.add(blobref)
    if (visits.directories < this.#nextLook) return false
    this.#nextLook = 2 * visits.directories
    return visits.each >= FEW_VISITS
  }

  /** How many different directories may be read to count the tree: as many as have been visited. */
  get countable(): number {
    return this.#visits.directories
  }

  /**
   * Compare the keys of the tree with the limit.
   *
   * @param count - undefined when the tree has too many directories to count
   * @param isSelected - only some of the keys that were counted are visited: a filter selects them
   * @throws {FluxError} `EOVERFLOW` there are more than allowed
   */
  judge(count: PathCount | undefined, isSelected = false): void {
    if (count === undefined || isSelected) {
      const mayBeShared = count === undefined || isShared(count)
      const isLarge = this.#isDefault && this.#count > MAX_SHARED_KEYS
      if (isLarge && mayBeShared && this.#visits.allComeAgain(MOST_SHARING)) throw this.#tooMany(MAX_SHARED_KEYS)
      return
    }
    const { keys, directories } = count
    if (keys <= (this.#isDefault && isShared(count) ? Math.min(this.#most, MAX_SHARED_KEYS) : this.#most)) return
    const number = `${keys >= Number.MAX_SAFE_INTEGER ? 'more than ' : ''}${grouped(keys)}`
    const where = directories === 1 ? 'one directory' : `${grouped(directories)} directories`
    const what = `${number} values, links and directories, in ${where} that are referred to again and again`
    throw new FluxError('EOVERFLOW', what, { hint: this.#hint })
  }

  #tooMany(most: number): FluxError {
    return new FluxError('EOVERFLOW', `more than ${most} values, links and directories`, {
      hint: `directories may be referred to from many places; ${this.#hint}`,
    })
  }
}

function isShared({ keys, stored }: PathCount): boolean {
  return keys > MOST_SHARING * stored
}

/** Directories that a {@link VisitSample} keeps in mind. */
const MOST_SAMPLED = 4096

/**
 * Estimates how often each directory was visited. It keeps those whose digests end in some zero bits, which are chosen so
 * that they are few: a directory is kept at each visit or at none.
 */
class VisitSample {
  /** Visits in all. */
  directories = 0
  #mask = 0
  #visits = 0
  readonly #sampled = new Map<number, number>()

  add(blobref: string): void {
    this.directories++
    const end = Number.parseInt(blobref.slice(-8), 16)
    if ((end & this.#mask) !== 0) return
    this.#visits++
    this.#sampled.set(end, (this.#sampled.get(end) ?? 0) + 1)
    while (this.#sampled.size > MOST_SAMPLED) this.#halve()
  }

  /** Visits of each directory, on average. */
  get each(): number {
    return this.#visits / this.#sampled.size
  }

  /**
   * True when the directories have come more often than this on average, whichever are in the sample. One directory that
   * comes a million times, such as an empty one in each job, says nothing about the others.
   */
  allComeAgain(times: number): boolean {
    const different = this.#sampled.size * (this.#mask + 1)
    return this.each > times && this.directories > times * different
  }

  #halve(): void {
    this.#mask = 2 * this.#mask + 1
    for (const [end, visits] of this.#sampled) {
      if ((end & this.#mask) === 0) continue
      this.#sampled.delete(end)
      this.#visits -= visits
    }
  }
}

/** How many components of a too deep key the message shows. */
const SHOWN_COMPONENTS = 4

/** The error for a directory that is too deep. @param depth - how many levels are allowed */
export function tooDeep(parent: Dir, name: string, depth: number, hint?: string): FluxError {
  return depthError(componentsOf(parent, name), depth, hint)
}

/**
 * Like {@link tooDeep}, for a key given by its components.
 *
 * @param hint - what the reader can do (default: name the flag `--max-depth`)
 */
export function depthError(
  components: readonly string[],
  depth: number,
  hint: string = '--max-depth N allows more',
): FluxError {
  const start = startOf(printable(components.slice(0, SHOWN_COMPONENTS).join('.')), 80)
  return new FluxError('EOVERFLOW', `${start}…: more than ${depth} directories, one in another`, { hint })
}
