import type { ContentError, ContentStore } from '../content/index.ts'

/** Bytes asked for at a time. */
const BUDGET_BYTES = 32 << 20

/**
 * Load blobs, all of them: for what is known to be few and small, as directories are.
 *
 * @returns one result for each blobref, in order
 */
export async function loadAll(
  store: ContentStore,
  blobrefs: readonly string[],
): Promise<(Uint8Array | ContentError)[]> {
  const results: (Uint8Array | ContentError)[] = new Array(blobrefs.length)
  let wanted = [...blobrefs.keys()]
  while (wanted.length > 0) {
    const window = Math.max(1, store.window)
    const now = wanted.slice(0, window)
    const later = wanted.slice(window)
    const loaded = await store.loadBatch(
      now.map((i) => blobrefs[i] as string),
      BUDGET_BYTES,
    )
    const left: number[] = []
    for (const [n, i] of now.entries()) {
      const result = loaded[n]
      if (result === undefined) left.push(i)
      else results[i] = result
    }
    wanted = left.length > 0 ? [...left, ...later] : later
  }
  return results
}
