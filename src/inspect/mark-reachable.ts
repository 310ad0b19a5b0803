import { ContentError, type ContentStore } from '../content/index.ts'
import { abortable, throwIfAborted } from '../errors/index.ts'
import { type DirObj, decodeDir, type EntryObj, TreeError } from '../kvs/index.ts'

/** Directories loaded at a time, and their bytes. */
const BATCH = 512
const BATCH_BYTES = 16 << 20

/** Blobs that are marked in one go. */
const MARKED = 4096

/**
 * Mark every blob that can be reached from some roots: see {@link ContentStore.mark}. Each directory is read once, and no
 * value.
 *
 * @returns how many directories could not be read, so that what is below them is not marked
 * @throws {FluxError} when the store as a whole fails
 */
export async function markReachable(
  store: Pick<ContentStore, 'loadBatch'> & Required<Pick<ContentStore, 'mark'>>,
  rootrefs: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const seen = new Set(rootrefs)
  const pending = [...seen]
  let unreadable = 0
  let found = [...seen]
  while (pending.length > 0) {
    throwIfAborted(signal)
    const blobrefs = pending.splice(-BATCH)
    const results = await abortable(store.loadBatch(blobrefs, BATCH_BYTES), signal)
    for (const [i, result] of results.entries()) {
      const blobref = blobrefs[i] as string
      const obj = result === undefined ? undefined : dirOf(result, blobref)
      if (result === undefined) pending.push(blobref)
      else if (obj === undefined) unreadable++
      else unreadable += collect(obj, seen, pending, found)
    }
    if (found.length < MARKED && pending.length > 0) continue
    await store.mark(found)
    found = []
  }
  return unreadable
}

/** Everything that a directory names. @returns how many entries cannot be read */
function collect(top: DirObj, seen: Set<string>, pending: string[], found: string[]): number {
  let unreadable = 0
  const open: DirObj[] = [top]
  for (let dir = open.pop(); dir; dir = open.pop()) {
    for (const name in dir.data) {
      const obj = dir.data[name] as EntryObj
      if (obj.type === 'invalid') {
        unreadable++
      } else if (obj.type === 'dir') {
        open.push(obj)
      } else if (obj.type === 'valref') {
        for (const blobref of obj.data) found.push(blobref)
      } else if (obj.type === 'dirref') {
        for (const blobref of obj.data) {
          if (seen.has(blobref)) continue
          seen.add(blobref)
          pending.push(blobref)
          found.push(blobref)
        }
      }
    }
  }
  return unreadable
}

function dirOf(result: Uint8Array | ContentError, blobref: string): DirObj | undefined {
  if (result instanceof ContentError) return undefined
  try {
    return decodeDir(result, blobref, blobref)
  } catch (error) {
    if (error instanceof TreeError) return undefined
    throw error
  }
}
