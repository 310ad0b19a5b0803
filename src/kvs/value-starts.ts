import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import type { Child } from './kvs-reader.ts'
import { decodeInline, missingValue } from './tree-faults.ts'
import type { Val, Valref } from './treeobj.ts'
import { isTooLarge, streamValue } from './value-stream.ts'

/** Further values are left out when this many bytes are held. A larger first blob is read in pieces. */
const STARTS_BYTES = 16 << 20

/**
 * Load the first bytes of values: the first blob of each in batches, then further blobs of the few values that need
 * them.
 *
 * @param bytes - how many bytes of each value are needed, if it has that many
 * @returns for each value its first bytes, or the error; undefined for a value that was left out because the others had
 *   reached 16 MiB. At least one result is defined.
 */
export async function loadStarts(
  store: ContentStore,
  children: readonly Child<Val | Valref>[],
  bytes: number,
): Promise<(Uint8Array | FluxError | undefined)[]> {
  const starts: (Uint8Array | FluxError | undefined)[] = new Array(children.length)
  const open: number[] = []
  for (const [i, { key, obj }] of children.entries()) {
    if (obj.type === 'val') starts[i] = tryDecodeVal(key, obj)
    else open.push(i)
  }
  let held = 0
  /** Values whose first blob is not enough, or is too large to hold. */
  const longer: number[] = []
  const blobrefs = open.map((i) => (children[i] as Child<Valref>).obj.data[0] as string)
  const take = (j: number, result: Uint8Array | ContentError) => {
    if (held >= STARTS_BYTES) return false
    const i = open[j] as number
    const { key, obj } = children[i] as Child<Valref>
    if (isTooLarge(result)) {
      longer.push(i)
    } else if (result instanceof ContentError) {
      starts[i] = missingValue(key, 0, result)
    } else if (result.length >= bytes || obj.data.length === 1) {
      // A copy: a view would keep the whole batch in memory.
      starts[i] = new Uint8Array(result.subarray(0, bytes))
      held += Math.min(result.length, bytes)
    } else {
      longer.push(i)
    }
    return held < STARTS_BYTES
  }
  await loadEach(store, blobrefs, take, { budgetBytes: STARTS_BYTES, maxBlobBytes: STARTS_BYTES })
  for (const i of longer) {
    if (held >= STARTS_BYTES) break
    const { key, obj } = children[i] as Child<Valref>
    const start = await loadMore(store, key, obj, bytes)
    starts[i] = start
    if (start instanceof Uint8Array) held += start.length
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
        parts.push(new Uint8Array(part))
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

function tryDecodeVal(key: string, obj: Val): Uint8Array | FluxError {
  try {
    return decodeInline(obj, () => key)
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}
