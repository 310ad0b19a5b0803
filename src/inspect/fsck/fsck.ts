import { type Checkpoint, type ContentStore, parseBlobref } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import { resolveRoot } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { type CheckedTree, checkTree } from './check-tree.ts'
import type { Damage } from './damage.ts'
import { newSurvey } from './survey-tree.ts'

/** What {@link fsck} checks. Faults come in the order of `flux fsck`, and are in the result too; none is thrown. */
export interface FsckOptions extends InspectOptions<Damage> {
  /** Check this directory instead of a checkpoint. */
  rootref?: string | undefined
  /** Check an older checkpoint; 0 is the newest. */
  checkpointIndex?: number | undefined
  /** Check all checkpoints, and not the newest alone. */
  all?: boolean | undefined
  /** When what is checked is damaged, look for a checkpoint that is not. */
  findIntact?: boolean | undefined
  /** The check of a root begins. */
  onRoot?: ((root: CheckedRoot) => void) | undefined
  /** Hears of each key, in the order of `flux fsck`. */
  onVisit?: ((key: string) => void) | undefined
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
  /**
   * What can be relied on: the first of `checked`, if it has no errors; else the newest checkpoint that has none. Undefined
   * when there is none; without `findIntact`, when none of `checked` is.
   */
  readonly intact: CheckedRoot | undefined
  /** True when the checkpoints that were not to be checked were looked at too, to find one that is intact. */
  readonly isSearched: boolean
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
  const { rootref, checkpointIndex = 0, all, findIntact, onRoot, onVisit, onFault, signal } = options
  const survey = newSurvey()
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
        survey,
        signal,
      },
    )
    return Object.assign(root, checked)
  }
  let candidates = rootref === undefined ? await checkpointRoots(store) : []
  const first = rootref === undefined ? candidates[checkpointIndex] : emptyRoot(parseBlobref(rootref))
  // In the words for it that are there already.
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

/** The checkpoints of a store, the newest first. @throws {FluxError} `ENOENT` there is none; or they cannot be had */
async function checkpointRoots(store: ContentStore): Promise<CheckedRoot[]> {
  return (await store.checkpoints()).map((checkpoint, index) => emptyRoot(checkpoint.rootref, index, checkpoint))
}

/** What was to be checked has been: that there is no checkpoint is no failure then. */
function noneToSearch(error: unknown): CheckedRoot[] {
  if (error instanceof FluxError && error.code !== 'EINTR') return []
  throw error
}

function emptyRoot(rootref: string, checkpointIndex?: number, checkpoint?: Checkpoint): CheckedRoot {
  const nothing: CheckedTree = { directories: 0, values: 0, symlinks: 0, blobs: 0, errors: 0 }
  return { rootref, checkpointIndex, checkpoint, damages: [], ...nothing }
}
