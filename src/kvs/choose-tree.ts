/** Chooses every blob that can be reached from some roots, to be copied. Values are not read. */

import type { ContentStore, HashName } from '../content/index.ts'
import { BLOB, ContentError, DIGEST_BYTES, DigestList, type PackedBatch, type StoreCopier } from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { findReferences, type References } from './find-references.ts'
import { MAX_DIR_BYTES } from './treeobj.ts'

/** Directories that are read in one batch, and their bytes. */
const DIRS = 512
const DIRS_BYTES = 16 << 20

/** Batches of directories in flight. */
const BATCHES = 2

/** Values that are chosen in one batch. */
const VALUES = 4096

/** Options of {@link chooseTree}. */
export interface ChooseTreeOptions {
  /** Called with each blob that is missing, or cannot be read. What is below it is not chosen. */
  onFault: (error: FluxError, blobref: string) => void
  signal?: AbortSignal | undefined
}

/**
 * Choose a root and everything below it. What was chosen before is not looked at again.
 *
 * @throws {FluxError} when the store as a whole fails
 */
export async function chooseTree(
  store: ContentStore,
  copier: StoreCopier,
  rootref: string,
  options: ChooseTreeOptions,
): Promise<void> {
  const { onFault, signal } = options
  const { hash } = store
  const width = DIGEST_BYTES[hash]
  const found = { hash, dirs: new DigestList(width), values: new DigestList(width) }
  found.dirs.push(Buffer.from(rootref.slice(hash.length + 1), 'hex'))
  const underWay: { digests: Uint8Array; batch: Promise<PackedBatch> }[] = []
  while (true) {
    throwIfAborted(signal)
    while (underWay.length < BATCHES && found.dirs.length > 0) {
      const digests = found.dirs.takeLast(DIRS)
      const batch = copier.read(digests, DIRS_BYTES, DIRS_BYTES)
      batch.catch(() => {})
      underWay.push({ digests, batch })
    }
    const next = underWay.shift()
    if (next === undefined) break
    const batch = await next.batch
    for (const [i, status] of batch.status.entries()) {
      if (status === BLOB.CHOSEN) continue
      const blobref = () => blobrefAt(hash, next.digests, i)
      try {
        const blob = blobOf(batch, i) ?? (await loadWhole(store, blobref()))
        findReferences(blob, blobref, found)
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        onFault(error, blobref())
      }
    }
    if (found.values.length >= VALUES) await chooseValues(copier, found, onFault)
  }
  await chooseValues(copier, found, onFault)
}

async function chooseValues(
  copier: StoreCopier,
  { hash, values }: References,
  onFault: ChooseTreeOptions['onFault'],
): Promise<void> {
  const digests = values.takeLast(values.length)
  for (const place of await copier.choose(digests)) {
    const blobref = blobrefAt(hash, digests, place)
    onFault(new ContentError('ENOENT', blobref, 'No such file or directory'), blobref)
  }
}

function blobOf(batch: PackedBatch, i: number): Uint8Array | undefined {
  return batch.status[i] === BLOB.PACKED ? batch.arena.subarray(batch.start[i], batch.end[i]) : batch.large.get(i)
}

/** Load a directory that was left out for its size. @throws {ContentError} it cannot be loaded */
async function loadWhole(store: ContentStore, blobref: string): Promise<Uint8Array> {
  const [result] = await store.loadBatch([blobref], 1, MAX_DIR_BYTES)
  if (result instanceof Uint8Array) return result
  throw result ?? new ContentError('EFBIG', blobref, 'File too large')
}

function blobrefAt(hash: HashName, digests: Uint8Array, place: number): string {
  const width = DIGEST_BYTES[hash]
  return `${hash}-${Buffer.from(digests.subarray(place * width, (place + 1) * width)).toString('hex')}`
}
