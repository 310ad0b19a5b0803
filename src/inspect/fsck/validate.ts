import type { ContentError, ContentStore } from '../../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../../errors/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'

/** Blobs that are checked in one batch. */
const BATCH = 512
/** Batches in progress at a time. */
const BATCHES = 3

/** Options of {@link validate}. A fault is a blob that is missing, altered or unreadable. */
export interface ValidateOptions extends InspectOptions<ContentError> {
  /** The blobs to check (default: all blobs of the store). */
  blobrefs?: Iterable<string> | AsyncIterable<string> | undefined
}

/**
 * Compare blobs with their blobrefs.
 *
 * @returns how many were checked
 * @throws {FluxError} `ENOTSUP` no blobrefs are given, and the store cannot list its blobs; or the store as a whole
 *   fails
 */
export async function validate(store: ContentStore, options: ValidateOptions): Promise<number> {
  const { signal } = options
  const report = faultReporter(options)
  const underWay: Promise<(ContentError | undefined)[]>[] = []
  let checked = 0
  const settle = async () => {
    for (const error of await abortable(underWay.shift() ?? Promise.resolve([]), signal)) if (error) report(error)
  }
  for await (const blobrefs of batches(store, options.blobrefs)) {
    throwIfAborted(signal)
    checked += blobrefs.length
    const results = store.checkBatch(blobrefs)
    results.catch(() => {})
    underWay.push(results)
    if (underWay.length >= BATCHES) await settle()
  }
  while (underWay.length > 0) await settle()
  return checked
}

async function* batches(
  store: ContentStore,
  blobrefs: ValidateOptions['blobrefs'],
): AsyncGenerator<string[], void, void> {
  if (blobrefs === undefined) {
    const { onDisk } = store
    if (!onDisk) {
      throw new FluxError('ENOTSUP', `${store.name}: does not list its blobs`, {
        hint: 'name the blobs to check, or use fsck, which checks all that the KVS refers to',
      })
    }
    for (let from = 0, batch: string[] | undefined; batch === undefined || batch.length === BATCH; from += BATCH) {
      batch = await onDisk.list(from, BATCH)
      if (batch.length > 0) yield batch
    }
    return
  }
  let batch: string[] = []
  for await (const blobref of blobrefs) {
    if (batch.push(blobref) < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
