import { blobrefHash, ContentError, type ContentStore, isBlobref, loadInOrder } from '../content/index.ts'
import { type ErrnoName, errnoText, FluxError, printable } from '../errors/index.ts'

/** Blobs that are loaded in one batch. */
const BATCH = 256

/**
 * Load blobs, in order.
 *
 * @param blobrefs - any text; an invalid blobref is an error when its turn comes
 * @yields the bytes of each blob: a view, valid until the next one is requested
 * @throws {FluxError} a blob cannot be loaded, with the message of `flux content load`; all blobs before it were
 *   yielded
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

/** A broker answers EPROTO to a digest that does not have the length of its own hash. */
function wrongHash(
  { hash }: ContentStore,
  { blobref }: ContentError,
): { code: ErrnoName; message: string } | undefined {
  return blobrefHash(blobref) === hash ? undefined : { code: 'EPROTO', message: errnoText('EPROTO') }
}
