/** Writes the tree of a rescue into a new store: just what its roots reach. */
import {
  blobrefOf,
  type Checkpoint,
  type ContentError,
  type ContentStore,
  type ContentWriter,
  DIGEST_BYTES,
  type HashName,
  loadEach,
} from '../content/index.ts'
import { markReachable, type RepairTree } from '../inspect/index.ts'

/** Blobs loaded at a time, and their bytes. */
const BATCH = 512
const BATCH_BYTES = 16 << 20

/** A store with some more blobs, which lie in memory. */
export interface ChangedStore {
  readonly store: ContentStore
  readonly rootref: string
}

/**
 * Build a changed tree without writing it.
 *
 * @returns the new root, and a store that has its directories beside all blobs of the old one
 */
export async function withChanges(store: ContentStore, tree: RepairTree): Promise<ChangedStore> {
  const added = new Map<string, Uint8Array>()
  const rootref = await tree.build({
    storeBatch(blobs) {
      const blobrefs = blobs.map((blob) => {
        const blobref = blobrefOf(store.hash, blob)
        added.set(blobref, Buffer.from(blob))
        return blobref
      })
      return { blobrefs, stored: Promise.resolve(), room: Promise.resolve() }
    },
  })
  const loadBatch: ContentStore['loadBatch'] = async (blobrefs, budgetBytes, maxBlobBytes) => {
    const rest = blobrefs.filter((blobref) => !added.has(blobref))
    const loaded = rest.length > 0 ? await store.loadBatch(rest, budgetBytes, maxBlobBytes) : []
    let next = 0
    return blobrefs.map((blobref) => added.get(blobref) ?? loaded[next++])
  }
  return {
    rootref,
    store: {
      name: store.name,
      hash: store.hash,
      window: store.window,
      loadBatch,
      checkBatch: (blobrefs) => store.checkBatch(blobrefs),
      checkpoints: () => store.checkpoints(),
      assertUnchanged: () => store.assertUnchanged(),
      close: () => store.close(),
      [Symbol.asyncDispose]: () => store.close(),
    },
  }
}

/** What {@link copyTree} has copied so far. */
export interface Copied {
  blobs: number
  /** Blobs that could not be read. */
  missing: number
}

/**
 * Copy everything that some roots reach into a writer, and make the first of them its newest checkpoint.
 *
 * @throws {FluxError} the store as a whole fails, or the writer; nothing is committed then
 */
export async function copyTree(
  store: ContentStore,
  writer: ContentWriter,
  checkpoint: Checkpoint,
  otherRoots: readonly string[],
  signal?: AbortSignal,
): Promise<Copied> {
  const copied: Copied = { blobs: 0, missing: 0 }
  const roots = [checkpoint.rootref, ...otherRoots]
  await markReachable(
    store,
    (digests) => copyBlobs(store, writer, blobrefsOf(store.hash, digests), copied),
    roots,
    signal,
  )
  await writer.commit(checkpoint)
  return copied
}

async function copyBlobs(
  store: ContentStore,
  writer: ContentWriter,
  blobrefs: readonly string[],
  copied: Copied,
): Promise<number> {
  let blobs: Uint8Array[] = []
  const take = (_: number, result: Uint8Array | ContentError) => {
    if (!(result instanceof Uint8Array)) {
      copied.missing++
      return
    }
    blobs.push(result)
  }
  for (let at = 0; at < blobrefs.length; at += BATCH) {
    const some = blobrefs.slice(at, at + BATCH)
    await loadEach(store, some, take, { most: BATCH, budgetBytes: BATCH_BYTES })
    if (blobs.length === 0) continue
    const { stored, room } = writer.storeBatch(blobs)
    copied.blobs += blobs.length
    blobs = []
    // A failure rejects the commit too.
    stored.catch(() => {})
    await room
  }
  return blobrefs.length
}

function blobrefsOf(hash: HashName, digests: Uint8Array): string[] {
  const width = DIGEST_BYTES[hash]
  const hex = Buffer.from(digests.buffer, digests.byteOffset, digests.length).toString('hex')
  return Array.from(
    { length: digests.length / width },
    (_, i) => `${hash}-${hex.slice(i * width * 2, (i + 1) * width * 2)}`,
  )
}
