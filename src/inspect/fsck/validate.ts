import type { ContentError, ContentStore } from '../../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../../errors/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { checkRanges } from './store-ranges.ts'

/** Blobs that are checked in one batch. */
const BATCH = 512
/** Batches in progress at a time. */
const BATCHES = 3

/** Options of {@link validate}. A fault is a blob that is missing, altered or unreadable. */
export interface ValidateOptions extends InspectOptions<ContentError> {
  /** The blobs to check (default: all blobs of the store). */
  blobrefs?: Iterable<string> | AsyncIterable<string> | undefined
  /**
   * Called with what is wrong with the list of all blobs (`EBADMSG`): some may be lost without a name. Without this it is
   * thrown, after all blobs that are listed have been checked. See {@link RangeCheck.faults}.
   */
  onStoreFault?: ((fault: FluxError) => void) | undefined
}

/**
 * Compare blobs with their blobrefs.
 *
 * @returns how many were checked
 * @throws {FluxError} `ENOTSUP` no blobrefs are given, and the store cannot list its blobs; or the store as a whole
 *   fails
 * @throws {FluxError} `EBADMSG` the list of blobs is damaged, unless there is `onStoreFault`
 */
export async function validate(store: ContentStore, options: ValidateOptions): Promise<number> {
  const { signal } = options
  const report = faultReporter(options)
  const reportStore = faultReporter({ onFault: options.onStoreFault })
  let checked = 0
  for await (const found of options.blobrefs ? checkNamed(store, options.blobrefs, signal) : checkAll(store, signal)) {
    checked += found.checked
    for (const error of found.errors) report(error)
    for (const fault of found.faults ?? []) reportStore(fault)
  }
  return checked
}

interface Found {
  checked: number
  errors: ContentError[]
  faults?: FluxError[]
}

/** Check all blobs of a store, in the order of storage. */
async function* checkAll(store: ContentStore, signal: AbortSignal | undefined): AsyncGenerator<Found, void, void> {
  const { onDisk } = store
  if (!onDisk) {
    throw new FluxError('ENOTSUP', `${store.name}: does not list its blobs`, {
      hint: 'name the blobs to check, or use fsck, which checks all that the KVS refers to',
    })
  }
  yield* checkRanges(onDisk, {}, signal)
}

async function* checkNamed(
  store: ContentStore,
  blobrefs: NonNullable<ValidateOptions['blobrefs']>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Found, void, void> {
  const underWay: { count: number; results: Promise<(ContentError | undefined)[]> }[] = []
  const settle = async ({ count, results }: (typeof underWay)[number]) => ({
    checked: count,
    errors: (await abortable(results, signal)).filter((error) => error !== undefined),
  })
  for await (const batch of batches(blobrefs)) {
    throwIfAborted(signal)
    const results = store.checkBatch(batch)
    results.catch(() => {})
    underWay.push({ count: batch.length, results })
    if (underWay.length >= BATCHES) yield await settle(underWay.shift() as (typeof underWay)[number])
  }
  for (const under of underWay) yield await settle(under)
}

async function* batches(blobrefs: NonNullable<ValidateOptions['blobrefs']>): AsyncGenerator<string[], void, void> {
  let batch: string[] = []
  for await (const blobref of blobrefs) {
    if (batch.push(blobref) < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
