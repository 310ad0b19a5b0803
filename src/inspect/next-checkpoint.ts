/** Makes a root the newest checkpoint of a store. */
import type { Checkpoint, ContentStore } from '../content/index.ts'
import { countText, FluxError } from '../errors/index.ts'
import { type DirObj, resolveRoot, SnapshotReader } from '../kvs/index.ts'
import { checkTree } from './fsck/check-tree.ts'
import type { InspectOptions } from './inspect-options.ts'
import { guessKind, nameBit } from './roots/root-kind.ts'

/** The largest sequence number that Flux can read back from a checkpoint: an int of C. */
const MOST_SEQUENCE = 2 ** 31 - 1

/** Options of {@link nextCheckpoint}. */
export interface NextCheckpointOptions extends Pick<InspectOptions, 'signal'> {
  /** Take a root with damage below it, and one that does not look like a root of the primary namespace. */
  force?: boolean | undefined
}

/**
 * Check that an instance could start from a root, and make the checkpoint that names it.
 *
 * @param nowSeconds - seconds since 1970, the time of the checkpoint
 * @returns the checkpoint, for `ContentWriter.commit`; or the newest one, when that names the root already
 * @throws {FluxError} `EINVAL` not a blobref, or not one of this store; or, without `force`, it does not look like a root
 *   of the primary namespace
 * @throws {FluxError} `EBADMSG` something below it is missing or damaged, without `force`
 * @throws {TreeError} the root itself cannot be read
 */
export async function nextCheckpoint(
  store: ContentStore,
  rootref: string,
  nowSeconds: number,
  { force, signal }: NextCheckpointOptions = {},
): Promise<{ checkpoint: Checkpoint; isNew: boolean }> {
  const snapshot = await resolveRoot(store, { root: rootref })
  const root = await new SnapshotReader(snapshot, { signal }).lookup('.', 'dir')
  if (!force) {
    assertPrimary(rootref, root)
    const { errors } = await checkTree(snapshot, { signal })
    if (errors > 0) {
      throw new FluxError('EBADMSG', `${rootref}: not whole: ${countText(errors, 'key')} below it cannot be read`, {
        hint: `fsck --rootref ${rootref} lists them, and --force takes the root as it is`,
      })
    }
  }
  const [newest] = await knownCheckpoints(store)
  if (newest?.rootref === rootref) return { checkpoint: newest, isNew: false }
  const sequence = await nextSequence(store)
  return { checkpoint: { rootref, sequence, timestamp: nowSeconds }, isNew: true }
}

/** The sequence number must grow with each checkpoint, also when it goes back to an older root. */
export async function nextSequence(store: ContentStore): Promise<number> {
  const sequences = (await knownCheckpoints(store)).map(({ sequence }) => sequence)
  return Math.min(Math.max(0, ...sequences) + 1, MOST_SEQUENCE)
}

/** The checkpoints of a store; none where they are damaged. */
async function knownCheckpoints(store: ContentStore): Promise<Checkpoint[]> {
  try {
    return await store.checkpoints()
  } catch (error) {
    if (error instanceof FluxError && (error.code === 'ENOENT' || error.code === 'EPROTO')) return []
    throw error
  }
}

/** An instance that starts from another directory would find none of its keys. */
function assertPrimary(rootref: string, root: DirObj): void {
  const names = Object.keys(root.data)
  const { kind } = guessKind(names.reduce((bits, name) => bits | nameBit(name), 0))
  if (kind === 'primary') return
  const what =
    names.length === 0 ? 'it is empty' : `it has ${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''}`
  throw new FluxError('EINVAL', `${rootref}: does not look like a root of the primary namespace: ${what}`, {
    hint: 'content roots lists the roots of a store, and --force takes this one',
  })
}
