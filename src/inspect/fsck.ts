import { type Checkpoint, type ContentStore, parseBlobref } from '../content/index.ts'
import { resolveRoot } from '../kvs/index.ts'
import { type CheckedTree, checkTree } from './check-tree.ts'
import type { Damage } from './damage.ts'

/** What {@link fsck} checks. */
export interface FsckOptions {
  /** Check this directory instead of a checkpoint. */
  rootref?: string | undefined
  /** Check an older checkpoint; 0 is the newest. */
  checkpointIndex?: number | undefined
  /** Check all checkpoints, and not the newest alone. */
  all?: boolean | undefined
  /** When the checkpoint is damaged, look for another that is not. */
  findIntact?: boolean | undefined
  /** The check of a root begins. */
  onRoot?: ((root: CheckedRoot) => void) | undefined
  /** Hears of each key, in the order of `flux fsck`. */
  onVisit?: ((key: string) => void) | undefined
  /** Hears of each damage, likewise. */
  onDamage?: ((damage: Damage) => void) | undefined
  signal?: AbortSignal | undefined
}

/** A root that was checked, and what was found. */
export interface CheckedRoot extends CheckedTree {
  readonly rootref: string
  /** Which checkpoint, 0 being the newest; undefined for a root that was named. */
  readonly checkpointIndex: number | undefined
  readonly checkpoint: Checkpoint | undefined
  readonly damages: Damage[]
}

/** What {@link fsck} found. */
export interface FsckResult {
  /** In the order in which they were checked: the newest first. */
  readonly checked: CheckedRoot[]
  /** Of all that were checked. */
  readonly errors: number
  /** When the first is damaged: the newest that is not. Undefined when there is none, or it was not looked for. */
  readonly intact: (Checkpoint & { checkpointIndex: number }) | undefined
}

/**
 * Check the integrity of what a content store holds: that every blob which can be reached from a root is there, has the
 * digest it is stored under, and is what it should be.
 *
 * @throws {FluxError} `EINVAL` no blobref; `ENOENT` there is no checkpoint; or the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 * @see flux-fsck(1)
 */
export async function fsck(store: ContentStore, options: FsckOptions = {}): Promise<FsckResult> {
  const { rootref, checkpointIndex = 0, all, findIntact, onRoot, onVisit, onDamage, signal } = options
  const known = new Set<string>()
  const check = async (root: CheckedRoot, quietly: boolean) => {
    if (!quietly) onRoot?.(root)
    const checked = await checkTree(store, root.rootref, {
      onVisit: quietly ? undefined : onVisit,
      onDamage: (damage) => {
        root.damages.push(damage)
        if (!quietly) onDamage?.(damage)
      },
      intact: checkpoints.length > 1 ? known : undefined,
      signal,
    })
    return Object.assign(root, checked)
  }
  const checkpoints = rootref === undefined ? await store.checkpoints() : []
  const roots: CheckedRoot[] =
    rootref === undefined
      ? checkpoints.map((checkpoint, index) => emptyRoot(checkpoint.rootref, index, checkpoint))
      : [emptyRoot(parseBlobref(rootref), undefined, undefined)]
  const checked: CheckedRoot[] = []
  const first = roots[rootref === undefined ? checkpointIndex : 0]
  // In the words for it that are there already.
  if (first === undefined) await resolveRoot(store, { checkpointIndex })
  for (const root of all ? roots : roots.filter((root) => root === first)) checked.push(await check(root, false))
  const errors = checked.reduce((sum, { errors }) => sum + errors, 0)
  let intact: CheckedRoot | undefined
  if (checked[0]?.errors) {
    intact = checked.find(({ errors }) => errors === 0)
    for (const root of findIntact && !all ? roots : []) {
      if (root === first || (await check(root, true)).errors > 0) continue
      intact = root
      break
    }
  }
  return { checked, errors, intact: intact && intactCheckpoint(intact) }
}

function emptyRoot(
  rootref: string,
  checkpointIndex: number | undefined,
  checkpoint: Checkpoint | undefined,
): CheckedRoot {
  const nothing: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  return { rootref, checkpointIndex, checkpoint, damages: [], ...nothing }
}

function intactCheckpoint({ checkpoint, checkpointIndex }: CheckedRoot): FsckResult['intact'] {
  return checkpoint && checkpointIndex !== undefined ? { ...checkpoint, checkpointIndex } : undefined
}
