import { type Checkpoint, type ContentStore, parseBlobref } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import { resolveRoot } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { type CheckedTree, checkTree } from './check-tree.ts'
import type { Damage } from './damage.ts'
import { Surveys } from './survey-tree.ts'

/** Options of {@link fsck}. Faults come in the order of `flux fsck`, and are in the result too; none is thrown. */
export interface FsckOptions extends InspectOptions<Damage> {
  /** Check this directory instead of a checkpoint. */
  rootref?: string | undefined
  /** Check an older checkpoint; 0 is the newest. */
  checkpointIndex?: number | undefined
  /** Check all checkpoints, not only the newest. */
  all?: boolean | undefined
  /** If there is damage, search the other checkpoints for one without. */
  findIntact?: boolean | undefined
  /** Called before the check of each root. */
  onRoot?: ((root: CheckedRoot) => void) | undefined
  /** Called with each key, in the order of `flux fsck`. */
  onVisit?: ((key: string) => void) | undefined
}

/** A root that was checked, and the result. */
export interface CheckedRoot extends CheckedTree {
  readonly rootref: string
  /** Index of its checkpoint, 0 for the newest; undefined for a root that was given by its blobref. */
  readonly checkpointIndex: number | undefined
  readonly checkpoint: Checkpoint | undefined
  readonly damages: Damage[]
}

/** The result of {@link fsck}. */
export interface FsckResult {
  /** The roots, in the order in which they were checked: newest first. */
  readonly checked: CheckedRoot[]
  /** The sum over all checked roots. */
  readonly errors: number
  /**
   * The root to rely on: the first of `checked` that has no errors; with `findIntact`, else the newest checkpoint that
   * has none. Undefined when there is none.
   */
  readonly intact: CheckedRoot | undefined
  /** True when the other checkpoints were searched for an intact one. */
  readonly isSearched: boolean
}

/**
 * Check the integrity of a content store: that every blob which can be reached from a root is present and has the
 * digest of its blobref, and that every tree object is valid.
 *
 * @throws {FluxError} `EINVAL` `rootref` is not a blobref; `ENOENT` there is no checkpoint; or the store as a whole
 *   fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 * @see flux-fsck(1)
 */
export async function fsck(store: ContentStore, options: FsckOptions = {}): Promise<FsckResult> {
  const { rootref, checkpointIndex = 0, all, findIntact, onRoot, onVisit, onFault, signal } = options
  const surveys = new Surveys()
  const check = async (root: CheckedRoot, quietly: boolean) => {
    if (!quietly) onRoot?.(root)
    const checked = await checkTree(
      { store, rootref: root.rootref },
      {
        onVisit: quietly ? undefined : onVisit,
        onFault: (damage) => {
          root.damages.push(damage)
          if (!quietly) onFault?.(damage)
        },
        surveys,
        signal,
      },
    )
    return Object.assign(root, checked)
  }
  let candidates = rootref === undefined ? await checkpointRoots(store) : []
  const first = rootref === undefined ? candidates[checkpointIndex] : emptyRoot(parseBlobref(rootref))
  // There is no such checkpoint: this throws the usual error for it.
  if (first === undefined) await resolveRoot(store, { checkpointIndex })
  const checked: CheckedRoot[] = []
  for (const root of all ? candidates : [first as CheckedRoot]) checked.push(await check(root, false))
  const errors = checked.reduce((sum, { errors }) => sum + errors, 0)
  let intact = checked.find(({ errors }) => errors === 0)
  const isSearched = intact === undefined && findIntact === true && !all
  if (isSearched) {
    if (rootref !== undefined) candidates = await checkpointRoots(store).catch(noneToSearch)
    for (const root of candidates) {
      if (root === first || (await check(root, true)).errors > 0) continue
      intact = root
      break
    }
  }
  return { checked, errors, intact, isSearched }
}

/** The checkpoints of a store, newest first. @throws {FluxError} `ENOENT` there is none; or they cannot be read */
async function checkpointRoots(store: ContentStore): Promise<CheckedRoot[]> {
  return (await store.checkpoints()).map((checkpoint, index) => emptyRoot(checkpoint.rootref, index, checkpoint))
}

/** The given root has been checked by then, so a failure to list checkpoints to search is ignored. */
function noneToSearch(error: unknown): CheckedRoot[] {
  if (error instanceof FluxError && error.code !== 'EINTR') return []
  throw error
}

function emptyRoot(rootref: string, checkpointIndex?: number, checkpoint?: Checkpoint): CheckedRoot {
  const nothing: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  return { rootref, checkpointIndex, checkpoint, damages: [], ...nothing }
}
