/** Lists a directory with its values, as `flux kvs dir` does. */
import { FluxError, throwIfAborted } from '../../errors/index.ts'
import {
  badEntry,
  type Child,
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
  type Symlink,
  sortedNames,
  TreeError,
  type Val,
  type Valref,
} from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { type DirChild, LookAhead } from './look-ahead.ts'

/** One entry of the listing. */
export type DirEntry =
  /** A value. `start`: its first bytes; undefined when `valueBytes` is 0. */
  | { readonly key: string; readonly obj: Val | Valref; readonly start: Uint8Array | undefined }
  | { readonly key: string; readonly obj: Symlink }
  /** A directory whose entries are not listed, or that is empty. */
  | { readonly key: string; readonly obj: DirObj | { readonly type: 'dirref' } }

/** Options of {@link listDirEntries}. */
export interface DirOptions extends InspectOptions {
  /** List subdirectories too. Only empty ones are entries themselves. */
  recursive?: boolean | undefined
  /** How many bytes of each value to load; 0 loads none. */
  valueBytes: number
  /** The most keys to list (default: 100 million). */
  maxKeys?: number | undefined
  /** The most levels of directories below this one (default: 10,000). */
  maxDepth?: number | undefined
}

/** Entries whose values are loaded in one batch. */
const BATCH = 256

interface Level {
  key: string
  dir: DirObj
  names: string[]
  next: number
}

/**
 * List a directory, in the order of its keys.
 *
 * @param key - the key of the directory
 * @yields entries in batches
 * @throws {FluxError} `ENOTDIR` the key is not a directory; `EOVERFLOW` there are more keys or levels than allowed; a
 *   value or a subdirectory cannot be read (everything before it was yielded)
 */
export async function* listDirEntries(
  reader: KvsReader,
  key: string,
  options: DirOptions,
): AsyncGenerator<DirEntry[], void, void> {
  const { maxDepth = MAX_DEPTH } = options
  const limit = new LimitCount(options)
  const lookAhead = new LookAhead(reader)
  const top = await reader.lookup(key, 'dir')
  const levels = [levelOf(key, top)]
  let batch: (DirEntry | Child<Val | Valref>)[] = []
  while (levels.length > 0) {
    throwIfAborted(options.signal)
    const level = levels.at(-1) as Level
    const name = level.names[level.next]
    if (name === undefined) {
      levels.pop()
      continue
    }
    level.next++
    const child = childOf(level, name)
    limit.add(1)
    if (child instanceof TreeError) {
      if (options.onFault === undefined) {
        yield* withValues(reader, batch, options)
        throw child
      }
      options.onFault(child)
      continue
    }
    if (options.recursive && isDir(child.obj)) {
      if (levels.length > maxDepth) throw depthError(child.key.split('.', 10), maxDepth)
      let dir: DirObj
      try {
        dir = await lookAhead.open(child as DirChild, (most) => siblingsOf(level, most))
      } catch (error) {
        // Yield everything before it first.
        yield* withValues(reader, batch, options)
        throw error
      }
      if (limit.isCountDue(dirBlobref(child.obj))) {
        limit.judge(await countTree(reader, { key, obj: top }, limit.countable, options))
      }
      const below = levelOf(child.key, dir)
      if (below.names.length === 0) batch.push({ key: child.key, obj: dir })
      else levels.push(below)
    } else {
      batch.push(child as DirEntry)
    }
    if (batch.length < BATCH) continue
    yield* withValues(reader, batch, options)
    batch = []
  }
  yield* withValues(reader, batch, options)
}

function levelOf(key: string, dir: DirObj): Level {
  return { key, dir, names: sortedNames(dir), next: 0 }
}

/** An entry of a directory; an error if it is not a valid tree object. */
function childOf({ key, dir }: Level, name: string): Child | TreeError {
  const obj = dir.data[name] as EntryObj
  return obj.type === 'invalid' ? badEntry(keyIn(key, name), obj) : { key: keyIn(key, name), obj }
}

/** The next subdirectories of a level, at most `most`. */
function siblingsOf(level: Level, most: number): DirChild[] {
  const siblings: DirChild[] = []
  for (let i = level.next; i < level.names.length && siblings.length < most; i++) {
    const child = childOf(level, level.names[i] as string)
    if (!(child instanceof TreeError) && isDir(child.obj)) siblings.push(child as DirChild)
  }
  return siblings
}

async function* withValues(
  reader: KvsReader,
  batch: readonly (DirEntry | Child<Val | Valref>)[],
  { valueBytes }: DirOptions,
): AsyncGenerator<DirEntry[], void, void> {
  const values = valueBytes === 0 ? [] : batch.filter(isValue)
  let entries: DirEntry[] = []
  let starts: (Uint8Array | FluxError | undefined)[] = []
  let at = 0
  let asked = 0
  for (const child of batch) {
    if (!isValue(child) || valueBytes === 0) {
      entries.push(isValue(child) ? { ...child, start: undefined } : child)
      continue
    }
    let start = starts[at - asked]
    if (start === undefined) {
      // Yield the loaded values before loading more: values may be large.
      if (entries.length > 0) yield entries
      entries = []
      asked = at
      starts = await reader.readStarts(values.slice(at), valueBytes)
      // readStarts() may skip the first value of several, but never a value that is requested alone.
      if (starts[0] === undefined) starts = await reader.readStarts(values.slice(at, at + 1), valueBytes)
      start = starts[0] as Uint8Array | FluxError
    }
    at++
    if (start instanceof FluxError) {
      yield entries
      throw start
    }
    entries.push({ key: child.key, obj: child.obj, start })
  }
  yield entries
}

function isValue(child: DirEntry | Child): child is Child<Val | Valref> {
  return child.obj.type === 'val' || child.obj.type === 'valref'
}
