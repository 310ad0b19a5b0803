/** What `flux kvs dir` shows: all that is in a directory, with the values. */
import { FluxError, throwIfAborted } from '../../errors/index.ts'
import {
  badEntry,
  type Child,
  type DirObj,
  depthError,
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

/** One line of it. */
export type DirEntry =
  /** The first bytes of the value; undefined when those were not asked for. */
  | { readonly key: string; readonly obj: Val | Valref; readonly start: Uint8Array | undefined }
  | { readonly key: string; readonly obj: Symlink }
  /** A directory that is not gone into, or is empty. */
  | { readonly key: string; readonly obj: DirObj | { readonly type: 'dirref' } }

/** What {@link listDirEntries} lists, and how much of each value it loads. */
export interface DirOptions extends InspectOptions {
  /** Go into directories; those that hold something are not shown themselves. */
  recursive?: boolean | undefined
  /** How many bytes of each value are wanted; 0 is none. */
  valueBytes: number
  /** Keys that are shown at most (default: 100 million). */
  maxKeys?: number | undefined
  /** Levels of directories below this one (default: 10,000). */
  maxDepth?: number | undefined
}

/** Entries whose values are loaded in one go. */
const BATCH = 256

interface Level {
  key: string
  dir: DirObj
  names: string[]
  next: number
}

/**
 * Go through a directory, in order.
 *
 * @param key - of the directory
 * @yields entries, some at a time
 * @throws {FluxError} `ENOTDIR` it is none; `EOVERFLOW` there are more keys, or more levels, than are allowed; something in it cannot be had, after what comes before that
 */
export async function* listDirEntries(
  reader: KvsReader,
  key: string,
  options: DirOptions,
): AsyncGenerator<DirEntry[], void, void> {
  const { maxDepth = MAX_DEPTH } = options
  const limit = new LimitCount(options.maxKeys)
  const lookAhead = new LookAhead(reader)
  const levels = [levelOf(key, await reader.lookup(key, 'dir'))]
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
        // What comes before it is shown first.
        yield* withValues(reader, batch, options)
        throw error
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

/** An entry of a directory; an error for one that is no tree object. */
function childOf({ key, dir }: Level, name: string): Child | TreeError {
  const obj = dir.data[name] as EntryObj
  return obj.type === 'invalid' ? badEntry(keyIn(key, name), obj) : { key: keyIn(key, name), obj }
}

/** The directories that follow. */
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
      // What has been loaded goes first: values may be large.
      if (entries.length > 0) yield entries
      entries = []
      asked = at
      starts = await reader.readStarts(values.slice(at), valueBytes)
      // It may have left out the very first, which it gives when that is all it is asked for.
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
