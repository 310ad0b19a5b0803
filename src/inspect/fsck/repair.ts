/**
 * The repair of a tree: it makes a new root without the damages. Good data is kept: the good blobs of a damaged value
 * are moved to `lost+found`, under the old key.
 *
 * @see flux-fsck(1); flux-core `src/cmd/builtin/fsck.c`, which gives the same root
 */
import type { Checkpoint, ContentStore, ContentWriter } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import type { TreeObj } from '../../kvs/index.ts'
import { nextSequence } from '../next-checkpoint.ts'
import { type Damage, damagedBlobs, damagedKey } from './damage.ts'
import { isOpenDir, type OpenDir, RepairTree } from './repair-tree.ts'

const LOST_FOUND = 'lost+found'

/** How far a repair may go. */
export interface RepairOptions {
  /** When a value of a job is damaged, move all of the job to `lost+found`. */
  jobAware?: boolean | undefined
  /** Treat altered or unreadable blobs as missing. Otherwise keys with such blobs stay as they are. */
  dropDamaged?: boolean | undefined
}

/** What a repair does about one damage. */
export type Remedy = 'moved' | 'unlinked' | 'none'

/** A repair in memory, from {@link planRepair}. Nothing is stored before {@link commitRepair}. */
export interface PlannedRepair {
  /** Number of values that are moved to `lost+found`. */
  readonly repaired: number
  /** Number of directories that are unlinked. */
  readonly unlinked: number
  /** Keys of the job directories that are moved. */
  readonly jobs: readonly string[]
  /** One line for each directory of a job that could not be read. */
  readonly problems: readonly string[]
  /** @internal The new tree; undefined when nothing changes. */
  readonly tree: RepairTree | undefined
  /** Sequence number of the new checkpoint. */
  readonly sequence: number
}

/**
 * What a repair does about a damage. A value with missing blobs is moved without them; a directory whose blob is
 * missing is unlinked. Altered data may still be of use and stays, unless `dropDamaged` is set.
 */
export function remedyOf({ kind, components, badBlobs }: Damage, { dropDamaged }: RepairOptions): Remedy {
  // The root has no parent directory to unlink it from.
  if (components.length === 0) return 'none'
  const struck = damagedBlobs(kind)
  if (struck === undefined) return 'none'
  if (badBlobs.length === 0 || !(dropDamaged || badBlobs.every(({ code }) => code === 'ENOENT'))) return 'none'
  return struck === 'dir' ? 'unlinked' : 'moved'
}

/**
 * Repair a tree in memory.
 *
 * @param damages - all damages of the tree
 * @throws {FluxError} a directory that must be changed cannot be read
 */
export async function planRepair(
  store: ContentStore,
  rootref: string,
  damages: readonly Damage[],
  options: RepairOptions,
): Promise<PlannedRepair> {
  const unlinked = damages.filter((damage) => remedyOf(damage, options) === 'unlinked')
  const moved = damages.filter((damage) => remedyOf(damage, options) === 'moved')
  const isChanged = unlinked.length + moved.length > 0
  const tree = isChanged ? await RepairTree.open(store, rootref) : undefined
  const problems: string[] = []
  const jobs: string[] = []
  if (tree) {
    // Unlink first: a damaged key may itself be below lost+found.
    for (const { components } of [...unlinked, ...moved]) await tree.unlink(components)
    for (const damage of moved) await tree.put([LOST_FOUND, ...damage.components], remainder(damage))
    for (const components of options.jobAware ? jobsOf(moved) : []) {
      if (await moveJob(tree, components, problems)) jobs.push(components.join('.'))
    }
  }
  const sequence = isChanged ? await nextSequence(store) : 0
  return { repaired: moved.length, unlinked: unlinked.length, jobs, problems, tree, sequence }
}

/**
 * Write the repaired tree as the newest checkpoint.
 *
 * @param nowSeconds - seconds since 1970
 * @returns the new checkpoint; undefined when nothing changes
 * @throws {FluxError} the store cannot be written; its checkpoints are as before
 */
export async function commitRepair(
  { tree, sequence }: PlannedRepair,
  writer: ContentWriter,
  nowSeconds: number,
): Promise<Checkpoint | undefined> {
  if (tree === undefined) return undefined
  const checkpoint = { rootref: await tree.build(writer), sequence, timestamp: nowSeconds }
  await writer.commit(checkpoint)
  return checkpoint
}

/** The good blobs of a damaged value; an empty value if there are none. */
function remainder({ blobrefs, badBlobs }: Damage): TreeObj {
  const bad = new Set(badBlobs.map(({ index }) => index))
  const good = blobrefs.filter((_, index) => !bad.has(index))
  return good.length > 0 ? { type: 'valref', ver: 1, data: good } : { type: 'val', ver: 1, data: '' }
}

const JOB_KEY = /^job(?:\.[0-9a-fA-F]{4}){4}\./

/** The job directories that contain damaged values, each once. */
function jobsOf(damages: readonly Damage[]): string[][] {
  const jobs = new Map<string, string[]>()
  for (const damage of damages) {
    const [key] = JOB_KEY.exec(damagedKey(damage)) ?? []
    if (key !== undefined) jobs.set(key, damage.components.slice(0, 5))
  }
  return [...jobs.values()]
}

/**
 * Keys of a job are moved one by one until they have this many components in all; what is left then is moved by its
 * directories, as they are. A job's own keys have a few hundred.
 */
const MOST_COMPONENTS = 300_000

/** Move the values and symbolic links of a job to `lost+found`, and unlink its directory. */
async function moveJob(tree: RepairTree, components: readonly string[], problems: string[]): Promise<boolean> {
  const job = await tree.dir(components)
  if (job === undefined) return false
  const open: [OpenDir, readonly string[]][] = [[job, components]]
  let moved = 0
  for (let at = open.pop(); at; at = open.pop()) {
    const [dir, path] = at
    for (const [name, entry] of [...dir.entries]) {
      const key = [...path, name]
      moved += key.length
      let inside: OpenDir | undefined
      try {
        // A directory that is open already contains a damage, and of those there are few.
        if (isOpenDir(entry)) inside = entry
        else if (moved < MOST_COMPONENTS) inside = await tree.open(dir, name, () => key.join('.'))
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        // The unread dirref is moved as it is.
        problems.push(error.message)
      }
      if (inside) open.push([inside, key])
      else if (!isOpenDir(entry)) await tree.put([LOST_FOUND, ...key], entry)
    }
  }
  await tree.unlink(components)
  return true
}
