/** Finds the content store at a path: by its content, and by its name only when it does not exist yet. */
import { existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FluxError } from '../errors/index.ts'
import type { Place, StoreKind } from './store-kind.ts'
import { STORE_KINDS } from './store-kinds.ts'

/** A content store on disk whose kind is known. */
export interface FoundStore {
  kind: StoreKind
  path: string
}

/**
 * Find the store to read at a path.
 *
 * @param options - `salvage`: also a damaged one, of which only the name or nothing tells the kind
 * @throws {FluxError} `ENOENT` the path does not exist; `EINVAL` it holds no store, or two; or the errno of the file
 *   system
 */
export function recogniseStore(path: string, { salvage = false } = {}): FoundStore {
  const place = look(path)
  if (place.stats === undefined) throw new FluxError('ENOENT', `cannot open store ${path}: No such file or directory`)
  const found = storeAt(place, salvage)
  if (found) return found
  throw notAStore(place)
}

/**
 * Find the store to write at a path, or decide which one to make.
 *
 * @throws {FluxError} `EINVAL` something else is there, or two stores, or nothing and the name does not say what to
 *   make
 */
export function recogniseTarget(path: string): FoundStore {
  const place = look(path)
  const found = storeAt(place)
  if (found) return found
  const kind = STORE_KINDS.find((kind) => kind.mayBeMade(place))
  if (kind) return { kind, path }
  if (place.stats === undefined) {
    throw new FluxError('EINVAL', `${path}: does not exist, and its name does not say what store to make`, {
      hint: `name it ${listed(STORE_KINDS.map(({ fileName }) => fileName))}, or give a statedir that exists`,
    })
  }
  const [usual] = STORE_KINDS
  if (!place.stats.isDirectory() || !usual) throw notAStore(place)
  const { fileName } = usual
  const target = join(path, fileName)
  // SQLite would open a FIFO and fail with an I/O error.
  if (place.names().includes(fileName) && !look(target).stats?.isFile()) throw notAStore(place)
  return { kind: usual, path: target }
}

/** True for a directory that holds something with the name of a store, which may be damaged. */
export function isStatedir(path: string): boolean {
  return STORE_KINDS.some(({ fileName }) => existsSync(join(path, fileName)))
}

/** The store that a directory holds, or that lies at the path itself. */
function storeAt(place: Place, salvage = false): FoundStore | undefined {
  const { path } = place
  const inside: FoundStore[] = []
  for (const kind of STORE_KINDS) {
    if (!place.names().includes(kind.fileName)) continue
    const there = look(join(path, kind.fileName))
    if (kind.recognise(there) || (salvage && kind.mayBeSalvaged?.(there))) inside.push({ kind, path: there.path })
  }
  const [first, second] = inside
  if (first && second) {
    throw new FluxError('EINVAL', `${path}: holds two stores, ${basename(first.path)} and ${basename(second.path)}`, {
      hint: 'name the one you mean',
    })
  }
  if (first) return first
  const kind =
    STORE_KINDS.find((kind) => kind.recognise(place)) ??
    (salvage ? STORE_KINDS.find((kind) => kind.mayBeSalvaged?.(place)) : undefined)
  return kind && { kind, path }
}

function notAStore(place: Place): FluxError {
  const { path, names } = place
  const damaged = STORE_KINDS.find(({ fileName, mayBeSalvaged }) => {
    if (!names().includes(fileName)) return false
    const there = look(join(path, fileName))
    return there.stats?.size !== 0 && mayBeSalvaged?.(there)
  })
  if (damaged) {
    return new FluxError('EINVAL', `${path}: not a Flux content store: ${whyNot(place)}`, {
      hint: 'if it is damaged, --salvage reads what is left of it',
    })
  }
  return new FluxError('EINVAL', `${place.path}: not a Flux content store: ${whyNot(place)}`, {
    hint: `give a statedir, ${listed(STORE_KINDS.map(({ fileName, isDirectory }) => `a ${fileName}${isDirectory ? ' directory' : ''}`))}`,
  })
}

function whyNot({ path, stats, names }: Place): string {
  if (!stats?.isDirectory()) {
    return `it is not ${listed(STORE_KINDS.filter(({ isDirectory }) => !isDirectory).map(({ what }) => what))}`
  }
  const called = STORE_KINDS.find(({ fileName }) => names().includes(fileName))
  if (called) return `its ${called.fileName} ${stateOf(called, look(join(path, called.fileName)))}`
  return `it has neither ${listed(
    STORE_KINDS.map(({ fileName }) => fileName),
    'nor',
  )} in it`
}

/** What is wrong with something that has the name of a store. */
function stateOf({ isDirectory, what }: StoreKind, { stats }: Place): string {
  if (stats === undefined) return 'is a link to nothing'
  if (isDirectory) return `is not ${what}`
  if (stats.isDirectory()) return 'is a directory'
  if (!stats.isFile()) return 'is not a regular file'
  return stats.size === 0 ? 'is empty' : `is not ${what}`
}

/** `a, b or c` */
function listed(words: readonly string[], conjunction = 'or'): string {
  const before = words.slice(0, -1).join(', ')
  return before === '' ? words.join() : `${before} ${conjunction} ${words.at(-1)}`
}

/** Look at a path, which may not exist. @throws {FluxError} the errno of the file system, except `ENOENT` */
function look(path: string): Place {
  let stats: Stats | undefined
  try {
    stats = statSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw FluxError.fromSystem(error, `cannot open store ${path}`)
  }
  let names: string[] | undefined = stats?.isDirectory() ? undefined : []
  return {
    path,
    stats,
    names: () => {
      names ??= namesIn(path)
      return names
    },
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${dir}`)
  }
}
