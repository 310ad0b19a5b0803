/** Lists keys as `flux kvs ls` does, in the same order. */
import { FluxError, throwIfAborted } from '../../errors/index.ts'
import {
  badEntry,
  countTree,
  type DirObj,
  depthError,
  dirBlobref,
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

/** Options of {@link listKeys}. A fault is a key that cannot be listed. */
export interface ListOptions extends InspectOptions<FluxError> {
  /** List subdirectories too. */
  recursive?: boolean | undefined
  /** List directories, and links to directories, as single keys instead of their entries. */
  directory?: boolean | undefined
  /** List links to directories as single keys. */
  classify?: boolean | undefined
  /** The most keys to list (default: 100 million). */
  maxKeys?: number | undefined
  /** The most levels of directories below a listed one (default: 10,000). */
  maxDepth?: number | undefined
}

/** One key in a listing. */
export interface Listed {
  /** The key as it was given, or its name in its directory. */
  readonly name: string
  readonly obj: TreeObj
}

/** The entries of a directory, or the given keys that are not directories. */
export interface Listing {
  /** Key of the directory; undefined for keys that are not directories. */
  readonly key: string | undefined
  /** True when the key of the directory must be printed, because there is more than one listing. */
  readonly isLabelled: boolean
  readonly entries: Iterable<Listed>
}

interface Opened {
  key: string
  dir: DirObj
}

/**
 * List keys: first those that are not directories, then each directory.
 *
 * @param keys - an empty array lists `.`
 * @throws {FluxError} a subdirectory cannot be read; `EOVERFLOW` there are more keys or levels of directories than
 *   allowed
 */
export async function* listKeys(
  reader: KvsReader,
  keys: readonly string[],
  options: ListOptions,
): AsyncGenerator<Listing, void, void> {
  const limit = new LimitCount(options)
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

/** @returns the key of a directory whose entries must be listed, or the single key to list */
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
  // An explicit stack, so that deep trees need no recursion. Each level holds its directories still to be listed, next
  // last.
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
    const child = nextOf(levels)
    if (child && limit.isCountDue(dirBlobref(child.obj))) {
      limit.judge(await countTree(reader, { key: top.key, obj: top.dir }, limit.countable, options))
    }
    opened = child && { key: child.key, dir: await lookAhead.open(child, (most) => nextIn(levels, most)) }
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

/** The subdirectories of a directory, in reverse order. */
function subdirs(key: string, { data }: DirObj, names: readonly string[]): DirChild[] {
  const found: DirChild[] = []
  for (let i = names.length - 1; i >= 0; i--) {
    const name = names[i] as string
    const obj = data[name] as EntryObj
    if (isDir(obj)) found.push({ key: keyIn(key, name), obj })
  }
  return found
}

/** Take the directory to list next. */
function nextOf(levels: DirChild[][]): DirChild | undefined {
  while (levels.length > 0) {
    const child = levels.at(-1)?.pop()
    if (child !== undefined) return child
    levels.pop()
  }
  return undefined
}

/** Those after it on the same level, at most `most`. */
function nextIn(levels: readonly DirChild[][], most: number): DirChild[] {
  return most > 0 ? (levels.at(-1) ?? []).slice(-most).reverse() : []
}
