import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { decodeInline, missingValue, type Symlink, TreeError, type Val, type Valref } from '../kvs/index.ts'

/** A value to be measured; nothing, and a link, have no size. */
export interface ValueToMeasure {
  /** For messages. */
  key: string
  obj: Val | Valref | Symlink | undefined
}

/**
 * The bytes of values: of those in blobs as the store knows it, or, where it does not, by loading them.
 *
 * @param report - hears of those that cannot be had
 * @returns one for each, in order: undefined for what has none, -1 for what cannot be had
 */
export async function valueSizes(
  store: ContentStore,
  values: readonly ValueToMeasure[],
  report: (error: TreeError) => void,
): Promise<(number | undefined)[]> {
  const blobrefs = values.flatMap(({ obj }) => (obj?.type === 'valref' ? obj.data : []))
  const sizes = await blobSizes(store, blobrefs)
  let next = 0
  return values.map(({ key, obj }) => {
    if (obj === undefined || obj.type === 'symlink') return undefined
    try {
      if (obj.type === 'val') return decodeInline(obj, () => key).length
      const from = next
      next += obj.data.length
      let sum = 0
      for (const [i, blobref] of obj.data.entries()) {
        const size = sizes[from + i] as number
        if (size < 0) throw missingValue(key, i, new ContentError('ENOENT', blobref, 'No such file or directory'))
        sum += size
      }
      return sum
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      report(error)
      return -1
    }
  })
}

/** The bytes of blobs; -1 for one that cannot be had. */
export async function blobSizes(store: ContentStore, blobrefs: readonly string[]): Promise<ArrayLike<number>> {
  if (blobrefs.length === 0) return []
  if (store.onDisk) return store.onDisk.sizes(blobrefs)
  const sizes = new Float64Array(blobrefs.length)
  await loadEach(store, blobrefs, (i, result) => {
    sizes[i] = result instanceof ContentError ? -1 : result.length
  })
  return sizes
}
