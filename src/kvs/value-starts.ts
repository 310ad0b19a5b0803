import { ContentError, type ContentStore } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import type { Child } from './lookup.ts'
import { decodeVal, type Val, type Valref } from './treeobj.ts'
import { isTooLarge, missingValue, streamValue } from './value-stream.ts'

/** First blobs that are held at a time; a single one may be larger. */
const STARTS_BYTES = 16 << 20

/**
 * Load how values begin: the first blob of each in batches, and of the few that need more, more.
 *
 * @param bytes - how many of each are wanted, where it has as many
 * @returns for each its first bytes, or why they cannot be had; undefined for what was left out because the others had come
 *   to 16 MiB. Never all of them are left out.
 */
export async function loadStarts(
  store: ContentStore,
  children: readonly Child<Val | Valref>[],
  bytes: number,
): Promise<(Uint8Array | FluxError | undefined)[]> {
  const starts: (Uint8Array | FluxError | undefined)[] = new Array(children.length)
  let held = 0
  let open: number[] = []
  for (const [i, { obj }] of children.entries()) {
    if (obj.type === 'val') starts[i] = tryDecodeVal(obj)
    else open.push(i)
  }
  while (open.length > 0 && held < STARTS_BYTES) {
    const blobrefs = open.map((i) => (children[i] as Child<Valref>).obj.data[0] as string)
    const results = await store.loadBatch(blobrefs, STARTS_BYTES, STARTS_BYTES)
    const later: number[] = []
    for (const [j, result] of results.entries()) {
      const i = open[j] as number
      const { key, obj } = children[i] as Child<Valref>
      if (result === undefined || held >= STARTS_BYTES) later.push(i)
      else if (isTooLarge(result)) starts[i] = await loadMore(store, key, obj, bytes)
      else if (result instanceof ContentError) starts[i] = missingValue(key, 0, result)
      // What is kept must not keep the whole batch alive.
      else if (result.length >= bytes || obj.data.length === 1) starts[i] = result.slice(0, bytes)
      else starts[i] = await loadMore(store, key, obj, bytes)
      const start = starts[i]
      if (start instanceof Uint8Array) held += start.length
    }
    open = later
  }
  return starts
}

async function loadMore(
  store: ContentStore,
  key: string,
  { data }: Valref,
  bytes: number,
): Promise<Uint8Array | FluxError> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const batch of streamValue(store, key, data)) {
      for (const part of batch) {
        parts.push(part.slice())
        length += part.length
      }
      if (length >= bytes) break
    }
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
  return Buffer.concat(parts)
}

function tryDecodeVal(obj: Val): Uint8Array | FluxError {
  try {
    return decodeVal(obj)
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}
