import { blobrefHash, type ContentStore, type HashName, parseBlobref } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'

/** A root of a key-value store, and what is known of it. One root is one point in time (RFC 11). */
export interface Snapshot {
  /** Blobref of the root directory. */
  readonly rootref: string
  readonly hash: HashName
  /** KVS sequence number; undefined when the root was named by its blobref. */
  readonly sequence: number | undefined
  /** When the checkpoint was written, in seconds since 1970; undefined for a root that is no checkpoint. */
  readonly timestamp: number | undefined
  /** Which checkpoint, 0 being the newest; undefined for a root that is no checkpoint. */
  readonly checkpointIndex: number | undefined
}

/** Which root: a blobref, or a checkpoint (the newest, unless an index is given). */
export interface RootChoice {
  root?: string | undefined
  checkpointIndex?: number | undefined
}

/**
 * Find the root of a snapshot.
 *
 * @throws {FluxError} `EINVAL` no blobref, or one of another algorithm; `ENOENT` no such checkpoint; `EPROTO` a damaged one
 */
export async function resolveRoot(store: ContentStore, choice: RootChoice = {}): Promise<Snapshot> {
  const { root, checkpointIndex = 0 } = choice
  if (root !== undefined) {
    const rootref = parseBlobref(root)
    const hash = blobrefHash(rootref)
    if (hash !== store.hash) {
      throw new FluxError('EINVAL', `${rootref}: a ${hash} blobref, but ${store.name} uses ${store.hash}`)
    }
    return { rootref, hash, sequence: undefined, timestamp: undefined, checkpointIndex: undefined }
  }
  const checkpoints = await store.checkpoints()
  const checkpoint = checkpoints[checkpointIndex]
  if (checkpoint === undefined) {
    const last = checkpoints.length - 1
    const have = last === 0 ? 'there is only checkpoint 0' : `there are checkpoints 0 to ${last}`
    throw new FluxError('ENOENT', `${store.name}: no checkpoint ${checkpointIndex}: ${have}`)
  }
  const { rootref, sequence, timestamp } = checkpoint
  return { rootref, hash: blobrefHash(rootref), sequence, timestamp, checkpointIndex }
}
