import { blobrefHash, ContentError, type ContentStore, isBlobref, loadInOrder } from '../content/index.ts'
import { type ErrnoName, errnoText, FluxError, printable } from '../errors/index.ts'

/** Blobs asked for at a time. */
const BATCH = 256

/**
 * Load blobs, in order.
 *
 * @param blobrefs - any text: what is no blobref is an error when its turn comes
 * @yields their bytes; views, good until the next are asked for
 * @throws {FluxError} the first that cannot be had, in the words of `flux content load`, when all before it were yielded
 */
export async function* loadBlobs(
  store: ContentStore,
  blobrefs: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<Uint8Array, void, void> {
  let batch: string[] = []
  for await (const blobref of blobrefs) {
    batch.push(blobref)
    if (batch.length < Math.min(BATCH, store.window)) continue
    yield* loadBatch(store, batch)
    batch = []
  }
  yield* loadBatch(store, batch)
}

async function* loadBatch(store: ContentStore, batch: readonly string[]): AsyncGenerator<Uint8Array, void, void> {
  const bad = batch.findIndex((blobref) => !isBlobref(blobref))
  const blobrefs = bad < 0 ? batch : batch.slice(0, bad)
  for await (const results of loadInOrder(store, blobrefs)) {
    for (const result of results) {
      if (result instanceof ContentError) throw failure(result.blobref, wrongHash(store, result) ?? result)
      yield result
    }
  }
  if (bad >= 0) throw failure(printable(batch[bad] as string), { code: 'EINVAL', message: errnoText('EINVAL') })
}

function failure(blobref: string, cause: { code: ErrnoName; message: string }): FluxError {
  return new FluxError(cause.code, `error loading blob: ${cause.message} (${blobref})`, { cause })
}

/** A broker calls it a protocol error when it is asked for a digest of another length than its own. */
function wrongHash(
  { hash }: ContentStore,
  { blobref }: ContentError,
): { code: ErrnoName; message: string } | undefined {
  return blobrefHash(blobref) === hash ? undefined : { code: 'EPROTO', message: errnoText('EPROTO') }
}
