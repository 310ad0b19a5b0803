import { blobrefHash, type ContentStore, type HashName, parseBlobref } from '../content/index.ts'
import { FluxError, wholeNumber } from '../errors/index.ts'

/** A root of a key-value store, and where it came from. One root is one point in time (RFC 11). */
export interface Snapshot {
  /**
   * The store that holds it. The property is not enumerable, so that a snapshot can be printed, compared and sent
   * without it.
   */
  readonly store: ContentStore
  /** Blobref of the root directory. */
  readonly rootref: string
  readonly hash: HashName
  /** KVS sequence number; undefined when the root was named by its blobref. */
  readonly sequence: number | undefined
  /** When the checkpoint was written, in seconds since 1970; undefined for a root that is not a checkpoint. */
  readonly timestamp: number | undefined
  /** Which checkpoint, 0 for the newest; undefined for a root that is not a checkpoint. */
  readonly checkpointIndex: number | undefined
  /** The namespace whose current root this is; undefined for a checkpoint or a root that was named by its blobref. */
  readonly namespace: string | undefined
}

/** The parts of a {@link Snapshot} that a reader needs. */
export type SnapshotRoot = Pick<Snapshot, 'store' | 'rootref'> & { readonly namespace?: string | undefined }

/**
 * Which root: a blobref, a checkpoint, or the current root of a namespace. A store without an instance has no current
 * root: its default is the newest checkpoint.
 */
export interface RootChoice {
  root?: string | undefined
  /** Use the newest checkpoint, or the one that `checkpointIndex` names. */
  checkpoint?: boolean | undefined
  /** Which checkpoint, 0 for the newest. Implies `checkpoint`. */
  checkpointIndex?: number | undefined
  /** The namespace whose current root is used (default `primary`). */
  namespace?: string | undefined
}

/** The namespace in which an instance keeps its own keys, and the only one with checkpoints. */
export const PRIMARY_NAMESPACE = 'primary'

/**
 * Find the root of a snapshot.
 *
 * @throws {FluxError} `EINVAL` not a blobref, a blobref of another algorithm, or an invalid index; `ENOENT` no such
 *   checkpoint; `EPROTO` a damaged checkpoint; `ENOTSUP` no such namespace; `ENOSYS` the KVS is not running
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
