/** What `flux kvs ls` lists, in its order. */
import { FluxError, throwIfAborted } from '../../errors/index.ts'
import {
  badEntry,
  type DirObj,
  depthError,
  type EntryObj,
  isDir,
  type KvsReader,
  keyIn,
  LimitCount,
  MAX_DEPTH,
  sortedNames,
  type TreeObj,
} from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { type DirChild, LookAhead } from './look-ahead.ts'

/** What {@link listKeys} lists. A fault is a key that cannot be listed. */
export interface ListOptions extends InspectOptions<FluxError> {
  /** List what is below each directory too. */
  recursive?: boolean | undefined
  /** List directories, and links to them, themselves. */
  directory?: boolean | undefined
  /** List links themselves. */
  classify?: boolean | undefined
  /** Keys that are listed at most (default: 100 million). */
  maxKeys?: number | undefined
  /** Levels of directories below one that is listed (default: 10,000). */
  maxDepth?: number | undefined
}

/** One thing that is listed. */
export interface Listed {
  /** What is shown: the key as it was given, or the name in its directory. */
  readonly name: string
  readonly obj: TreeObj
}

/** Keys that stand alone; or what is in a directory. */
export interface Listing {
  /** Of the directory; undefined for keys that stand alone. */
  readonly key: string | undefined
  /** True when the directory is to be named, being one of several things. */
  readonly isLabelled: boolean
  readonly entries: Iterable<Listed>
}

interface Opened {
  key: string
  dir: DirObj
}

/**
 * List keys: first those that are no directories, then each directory.
 *
 * @param keys - `.` when there are none
 * @throws {FluxError} a directory below one that is listed cannot be had; `EOVERFLOW` there are more keys, or more levels
 *   of directories, than are allowed
 */
export async function* listKeys(
  reader: KvsReader,
  keys: readonly string[],
  options: ListOptions,
): AsyncGenerator<Listing, void, void> {
  const limit = new LimitCount(options.maxKeys)
  const report = faultReporter(options)
  const singles: Listed[] = []
  const dirs: string[] = []
  for (const key of keys.length === 0 ? ['.'] : keys) {
    try {
      const found = await categorise(reader, key, options)
      if (typeof found === 'string') dirs.push(found)
      else singles.push(found)
    } catch (error) {
      if (!(error instanceof FluxError) || error.code === 'ECONNRESET' || error.code === 'EINTR') throw error
      report(error)
    }
  }
  singles.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  dirs.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (singles.length > 0) yield { key: undefined, isLabelled: false, entries: singles }
  const isLabelled = singles.length > 0 || dirs.length > 1 || options.recursive === true
  for (const key of dirs) {
    yield* listDir(reader, { key, dir: await reader.lookup(key, 'dir') }, isLabelled, options, limit)
  }
}

/** @returns the key of a directory whose entries are to be listed, or what is listed itself */
async function categorise(reader: KvsReader, given: string, options: ListOptions): Promise<string | Listed> {
  const key = given.replace(/(?<=.)\.+$/, '')
  const obj = await reader.lookup(key, 'treeobj')
  if (isDir(obj)) return options.directory ? { name: key, obj } : key
  if (key !== given) throw new FluxError('ENOTDIR', `${key}: Not a directory`)
  if (obj.type !== 'symlink' || options.classify || options.directory) return { name: key, obj }
  try {
    await reader.lookup(key)
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    if (error.code === 'EISDIR') return key
    if (error.code !== 'ENOENT') throw error
  }
  return { name: key, obj }
}

async function* listDir(
  reader: KvsReader,
  top: Opened,
  isLabelled: boolean,
  options: ListOptions,
  limit: LimitCount,
): AsyncGenerator<Listing, void, void> {
  const { maxDepth = MAX_DEPTH } = options
  const lookAhead = new LookAhead(reader)
  // Nesting costs no stack. Each holds what of a level is still to be listed, the next at its end.
  const levels: DirChild[][] = []
  let opened: Opened | undefined = top
  while (opened !== undefined) {
    throwIfAborted(options.signal)
    const { key, dir } = opened
    const names = sortedNames(dir)
    limit.add(names.length)
    if (levels.length > maxDepth) throw depthError(key.split('.', 10), maxDepth)
    yield { key, isLabelled, entries: entriesOf(opened, names, faultReporter(options)) }
    if (options.recursive) levels.push(subdirs(key, dir, names))
    opened = await nextOf(levels, lookAhead)
  }
}

function* entriesOf(
  { key, dir }: Opened,
  names: readonly string[],
  report: (fault: FluxError) => void,
): Generator<Listed> {
  for (const name of names) {
    const obj = dir.data[name] as EntryObj
    if (obj.type === 'invalid') report(badEntry(keyIn(key, name), obj))
    else yield { name, obj }
  }
}

/** The directories in a directory, the last first. */
function subdirs(key: string, { data }: DirObj, names: readonly string[]): DirChild[] {
  const found: DirChild[] = []
  for (let i = names.length - 1; i >= 0; i--) {
    const name = names[i] as string
    const obj = data[name] as EntryObj
    if (isDir(obj)) found.push({ key: keyIn(key, name), obj })
  }
  return found
}

async function nextOf(levels: DirChild[][], lookAhead: LookAhead): Promise<Opened | undefined> {
  while (levels.length > 0) {
    const level = levels.at(-1) as DirChild[]
    const child = level.pop()
    if (child === undefined) {
      levels.pop()
      continue
    }
    return { key: child.key, dir: await lookAhead.open(child, (most) => level.slice(-most).reverse()) }
  }
  return undefined
}
