import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { badDirref, type DirObj, type Dirref, decodeDir, missingDir, TreeError } from '../kvs/index.ts'

/** Bytes that are loaded in one batch. */
const BUDGET_BYTES = 32 << 20

/** A directory, inline or in a blob. */
export interface DirToLoad {
  /** For error messages; empty for the root. */
  key: string
  obj: DirObj | Dirref | undefined
}

/**
 * Load directories together.
 *
 * @param report - called with the error for each directory that cannot be loaded
 * @returns one for each, in order: undefined for undefined, null for one that cannot be loaded
 */
export async function loadDirs(
  store: ContentStore,
  dirs: readonly DirToLoad[],
  report: (error: TreeError) => void,
): Promise<(DirObj | null | undefined)[]> {
  const wanted = dirs.flatMap(({ obj }) => (obj?.type === 'dirref' && obj.data.length === 1 ? obj.data : []))
  const blobs: (Uint8Array | ContentError)[] = new Array(wanted.length)
  const take = (i: number, result: Uint8Array | ContentError) => {
    blobs[i] = result
  }
  await loadEach(store, wanted, take, { budgetBytes: BUDGET_BYTES })
  let next = 0
  return dirs.map(({ key: anyKey, obj }) => {
    if (obj?.type !== 'dirref') return obj
    const key = anyKey || '.'
    try {
      if (obj.data.length !== 1) {
        throw badDirref(key)
      }
      const blob = blobs[next++] as Uint8Array | ContentError
      if (blob instanceof ContentError) throw missingDir(key, blob)
      return decodeDir(blob, key, obj.data[0])
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      report(error)
      return null
    }
  })
}
