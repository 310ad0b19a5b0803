/** Finds the ids of jobs by the names of their directories alone. */
import { FluxError } from '../../errors/index.ts'
import { type Child, type DirObj, type Dirref, isDir, type JobidPrefix, type KvsReader } from '../../kvs/index.ts'

const FOUR_DIGITS = /^[0-9a-f]{4}$/
const LEVELS = 4
const DIGIT_BITS = 16n

/**
 * The ids of the job directories, the highest first. It reads no directory before it is needed, and none that can only
 * hold other ids.
 *
 * @param ranges - only ids in one of these ranges
 * @throws {FluxError} the store as a whole fails; a directory that is missing or damaged is passed over
 */
export async function* newestJobids(
  reader: KvsReader,
  ranges?: JobidPrefix['ranges'],
): AsyncGenerator<bigint, void, void> {
  const top = await found(() => reader.lookup('job', 'dir'))
  if (top) yield* idsBelow({ reader, ranges }, 'job', top, 0n, 1)
}

interface Search {
  reader: KvsReader
  ranges: JobidPrefix['ranges'] | undefined
}

/** @param above - the digits of the directory, as a number */
async function* idsBelow(
  search: Search,
  key: string,
  dir: DirObj,
  above: bigint,
  level: number,
): AsyncGenerator<bigint, void, void> {
  const names = Object.keys(dir.data).filter((name) => FOUR_DIGITS.test(name))
  for (const name of names.sort().reverse()) {
    const obj = dir.data[name]
    const digits = (above << DIGIT_BITS) | BigInt(`0x${name}`)
    if (obj === undefined || !isDir(obj) || !mayHold(search, digits, level)) continue
    // A damaged directory of a job still tells its id.
    if (level === LEVELS) {
      yield digits
      continue
    }
    const child: Child<DirObj | Dirref> = { key: `${key}.${name}`, obj }
    const [inside] = await search.reader.openDirs([child])
    if (inside === undefined || inside instanceof FluxError) continue
    yield* idsBelow(search, child.key, inside, digits, level + 1)
  }
}

/** True when a directory may hold an id of one of the ranges. */
function mayHold({ ranges }: Search, digits: bigint, level: number): boolean {
  const rest = DIGIT_BITS * BigInt(LEVELS - level)
  const lowest = digits << rest
  const highest = lowest | ((1n << rest) - 1n)
  return ranges === undefined || ranges.some(([first, last]) => first <= highest && lowest <= last)
}

/** The result of a look-up; undefined when the key does not exist or cannot be read. */
export async function found<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof FluxError) || error.code === 'EINTR' || error.code === 'ETIMEDOUT') throw error
    return undefined
  }
}
