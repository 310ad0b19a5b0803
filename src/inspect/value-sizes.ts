import { type BlobRequest, ContentError, type ContentStore, DIGEST_BYTES, loadEach } from '../content/index.ts'
import { decodeInline, missingValue, type Symlink, TreeError, type Val, type Valref } from '../kvs/index.ts'

/** A value to measure. Undefined and a symbolic link have no size. */
export interface ValueToMeasure {
  /** For error messages. */
  key: string
  obj: Val | Valref | Symlink | undefined
}

/**
 * The sizes of values. Blobs are loaded only if the store does not know their sizes.
 *
 * @param report - called with the error for each value that cannot be read
 * @returns bytes of each value, in order: undefined if it has no size, -1 if it cannot be read
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

/** The sizes of blobs in bytes; -1 for one that cannot be read. */
export async function blobSizes(store: ContentStore, blobrefs: readonly string[]): Promise<ArrayLike<number>> {
  if (blobrefs.length === 0) return []
  if (store.onDisk) return store.onDisk.sizes(blobrefs)
  const sizes = new Float64Array(blobrefs.length)
  await loadEach(store, blobrefs, (i, result) => {
    sizes[i] = result instanceof ContentError ? -1 : result.length
  })
  return sizes
}

/** The same as {@link blobSizes}, of the blobs of a request. */
export function requestSizes(store: ContentStore, request: BlobRequest): Promise<ArrayLike<number>> {
  const { hash, digests, count } = request
  if (!store.onDisk) return blobSizes(store, request.blobrefs())
  return store.onDisk.sizesOf(digests.subarray(0, count * DIGEST_BYTES[hash]))
}
