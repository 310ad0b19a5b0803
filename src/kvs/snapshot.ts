import { blobrefHash, type ContentStore, type HashName, parseBlobref } from '../content/index.ts'
import { FluxError, wholeNumber } from '../errors/index.ts'

/** A root of a key-value store, and what is known of it. One root is one point in time (RFC 11). */
export interface Snapshot {
  /**
   * Where it is: what is asked of a snapshot is asked of its store. It is not enumerable, so that a snapshot can be printed,
   * compared and sent as what is known of it.
   */
  readonly store: ContentStore
  /** Blobref of the root directory. */
  readonly rootref: string
  readonly hash: HashName
  /** KVS sequence number; undefined when the root was named by its blobref. */
  readonly sequence: number | undefined
  /** When the checkpoint was written, in seconds since 1970; undefined for a root that is no checkpoint. */
  readonly timestamp: number | undefined
  /** Which checkpoint, 0 being the newest; undefined for a root that is no checkpoint. */
  readonly checkpointIndex: number | undefined
  /** Which namespace it is the current root of; undefined for a checkpoint or a root that was named by its blobref. */
  readonly namespace: string | undefined
}

/** What is needed of a {@link Snapshot} to read it. */
export type SnapshotRoot = Pick<Snapshot, 'store' | 'rootref'> & { readonly namespace?: string | undefined }

/** Which root: a blobref; a checkpoint; or else the current root, which a store without an instance does not have. */
export interface RootChoice {
  root?: string | undefined
  /** The newest checkpoint, or with `checkpointIndex` an older one. */
  checkpoint?: boolean | undefined
  /** Says `checkpoint` too. */
  checkpointIndex?: number | undefined
  /** Of the current root (default `primary`). */
  namespace?: string | undefined
}

/** Where an instance keeps its own keys: the namespace that checkpoints are of. */
export const PRIMARY_NAMESPACE = 'primary'

/**
 * Find the root of a snapshot.
 *
 * @throws {FluxError} `EINVAL` no blobref, one of another algorithm, or no index; `ENOENT` no such checkpoint; `EPROTO` a damaged
 *   one; `ENOTSUP` no such namespace; `ENOSYS` the KVS is not running
 */
export async function resolveRoot(store: ContentStore, choice: RootChoice = {}): Promise<Snapshot> {
  const { root, checkpointIndex, namespace = PRIMARY_NAMESPACE } = choice
  if (root !== undefined) return namedRoot(store, root)
  if (choice.checkpoint || checkpointIndex !== undefined || !store.instance) {
    return checkpointRoot(store, checkpointIndex ?? 0)
  }
  const { rootref, sequence } = await store.instance.kvs.root(namespace)
  return snapshotOf(store, parseBlobref(rootref), { sequence, namespace })
}

function snapshotOf(
  store: ContentStore,
  rootref: string,
  { sequence, timestamp, checkpointIndex, namespace }: Partial<Snapshot> = {},
): Snapshot {
  const known = { rootref, hash: blobrefHash(rootref), sequence, timestamp, checkpointIndex, namespace }
  return Object.defineProperty(known, 'store', { value: store }) as typeof known & { store: ContentStore }
}

function namedRoot(store: ContentStore, root: string): Snapshot {
  const rootref = parseBlobref(root)
  const hash = blobrefHash(rootref)
  if (hash === store.hash) return snapshotOf(store, rootref)
  throw new FluxError('EINVAL', `${rootref}: a ${hash} blobref, but ${store.name} uses ${store.hash}`)
}

async function checkpointRoot(store: ContentStore, checkpointIndex: number): Promise<Snapshot> {
  wholeNumber('checkpointIndex', checkpointIndex)
  const checkpoints = await store.checkpoints()
  const checkpoint = checkpoints[checkpointIndex]
  if (checkpoint === undefined) {
    const last = checkpoints.length - 1
    const have = last === 0 ? 'there is only checkpoint 0' : `there are checkpoints 0 to ${last}`
    throw new FluxError('ENOENT', `${store.name}: no checkpoint ${checkpointIndex}: ${have}`)
  }
  const { rootref, sequence, timestamp } = checkpoint
  return snapshotOf(store, rootref, { sequence, timestamp, checkpointIndex })
}
