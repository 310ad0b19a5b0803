/**
 * The search for roots: every blob of a store is read once, and the directories that nothing in the store refers to are
 * listed. Each commit of an instance makes a new root, and leaves the one before to be collected as garbage. So these
 * are the root at which the instance stopped, older ones, those of the namespaces of jobs, and directories whose parent
 * is lost.
 */
import type { Checkpoint, ContentStore } from '../../content/index.ts'
import { FluxError, throwIfAborted } from '../../errors/index.ts'
import { namespaceRoots } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { listFaults } from '../list-faults.ts'
import { DigestTable } from './digest-table.ts'
import { DirSums } from './dir-sums.ts'
import { readStore } from './read-store.ts'
import { guessKind, NAME, ROOT_KINDS, type RootKind } from './root-kind.ts'

/** Blobs that are listed in one call. */
const LISTED = 8192

/** A directory that no directory of the store refers to, or that a checkpoint names. */
export interface FoundRoot {
  /** Its blobref. */
  readonly rootref: string
  readonly kind: RootKind
  /** The names in it by which the kind is guessed. */
  readonly guessedBy: readonly string[]
  /** Its place among the blobs of the store in the order in which they were stored, from 0. */
  readonly place: number
  /** The newest time in the eventlogs below it, in seconds since 1970; undefined when there is none. */
  readonly newest: number | undefined
  /** Values and symbolic links below it, once for each key. What is below a lost directory is not known. */
  readonly keys: number
  /** Jobs below it, in the directories where Flux keeps jobs. */
  readonly jobs: number
  /** References below it to blobs that are missing, altered or unreadable; 0 when the root is whole. */
  readonly lost: number
  /** The newest checkpoint that names it, 0 being the newest of the store; undefined when none does. */
  readonly checkpointIndex: number | undefined
  /** The running job whose namespace it is, as a listed primary root says it; undefined when none does. */
  readonly jobid: bigint | undefined
}

/**
 * Options of {@link findRoots}. A fault is a blob that is altered or unreadable, a checkpoint that is damaged, or damage of the
 * list of blobs of the store, which may lack some then.
 */
export interface FindRootsOptions extends InspectOptions<FluxError> {
  /** List only this many roots (default: all). */
  most?: number | undefined
  /** List only roots with nothing lost below them. */
  whole?: boolean | undefined
  /** List only roots of these kinds (default: all kinds). */
  kinds?: readonly RootKind[] | undefined
}

/** The result of {@link findRoots}. */
export interface FoundRoots {
  /** Roots of the primary namespace first, then all others; the newest of both first: those that were stored last. */
  readonly roots: FoundRoot[]
  /** How many there are of each kind, listed or not. */
  readonly counts: Readonly<Record<RootKind, number>>
  /** The newest time in the eventlogs below any of them, in seconds since 1970; undefined when there is none. */
  readonly newest: number | undefined
  /** The checkpoints of the store, newest first; empty when there is none. */
  readonly checkpoints: readonly Checkpoint[]
  /** The checkpoints whose root is not in the store, or cannot be read: their places in `checkpoints`. */
  readonly lostCheckpoints: readonly number[]
  /** Blobs that were read. */
  readonly checked: number
}

/**
 * Find the directories of a store that no directory refers to. Everything below them is looked at, each blob once, and
 * compared with its blobref.
 *
 * @throws {FluxError} `ENOTSUP` the store is not on disk; or the store as a whole fails
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function findRoots(store: ContentStore, options: FindRootsOptions = {}): Promise<FoundRoots> {
  const { onDisk } = store
  if (!onDisk) {
    throw new FluxError('ENOTSUP', `${store.name}: does not list its blobs`, {
      hint: 'stop the instance, and give its store with --store',
    })
  }
  const { onFault, signal } = options
  const checkpoints = await checkpointsOf(store, onFault)
  const table = new DigestTable(store.hash)
  for (let from = 0, count = LISTED; count === LISTED; from += count) {
    throwIfAborted(signal)
    const blobrefs = await onDisk.list(from, LISTED)
    count = blobrefs.length
    for (const blobref of blobrefs) table.add(blobref)
  }
  const sums = new DirSums(table)
  for (const fault of await listFaults(store)) onFault?.(fault)
  await readStore(store, table, sums, options)
  sums.settle()
  return new Listing(store, table, sums, checkpoints).result(options)
}

/** The checkpoints of a store, also where there is none, or they are damaged. */
async function checkpointsOf(store: ContentStore, onFault: FindRootsOptions['onFault']): Promise<Checkpoint[]> {
  try {
    return await store.checkpoints()
  } catch (error) {
    if (!(error instanceof FluxError) || (error.code !== 'ENOENT' && error.code !== 'EPROTO')) throw error
    if (error.code === 'EPROTO') onFault?.(error)
    return []
  }
}

/** Makes the list of roots out of the sums. */
class Listing {
  readonly #store: ContentStore
  readonly #table: DigestTable
  readonly #sums: DirSums
  readonly #checkpoints: readonly Checkpoint[]
  /** By root, its newest checkpoint. */
  readonly #checkpointIndex: ReadonlyMap<string, number>

  constructor(store: ContentStore, table: DigestTable, sums: DirSums, checkpoints: readonly Checkpoint[]) {
    this.#store = store
    this.#table = table
    this.#sums = sums
    this.#checkpoints = checkpoints
    const byAge = checkpoints.map(({ rootref }, index) => [rootref, index] as const).reverse()
    this.#checkpointIndex = new Map(byAge)
  }

  async result({ most, whole, kinds, signal }: FindRootsOptions): Promise<FoundRoots> {
    const sums = this.#sums
    const ordinals = new Set(sums.unreferred())
    const lostCheckpoints: number[] = []
    for (const [index, { rootref }] of this.#checkpoints.entries()) {
      const ordinal = this.#table.ordinalOf(rootref)
      if (ordinal >= 0 && sums.dirOf(ordinal) >= 0) ordinals.add(ordinal)
      else lostCheckpoints.push(index)
    }
    const counts = Object.fromEntries(ROOT_KINDS.map((kind) => [kind, 0])) as Record<RootKind, number>
    const primary: number[] = []
    const others: number[] = []
    let newest = 0
    for (const ordinal of ordinals) {
      const { kind } = this.#guess(ordinal)
      counts[kind]++
      newest = Math.max(newest, sums.newest[ordinal] as number)
      if (kinds !== undefined && !kinds.includes(kind)) continue
      if (whole && (sums.lost[sums.dirOf(ordinal)] as number) > 0) continue
      if (kind === 'primary') primary.push(ordinal)
      else others.push(ordinal)
    }
    const newestFirst = (a: number, b: number) => b - a
    const listed = [...primary.sort(newestFirst), ...others.sort(newestFirst)].slice(0, most)
    const jobids = await this.#jobids(listed, signal)
    return {
      roots: listed.map((ordinal) => this.#root(ordinal, jobids)),
      counts,
      newest: newest || undefined,
      checkpoints: this.#checkpoints,
      lostCheckpoints,
      checked: this.#table.size,
    }
  }

  #guess(ordinal: number): ReturnType<typeof guessKind> {
    return guessKind(this.#sums.names[this.#sums.dirOf(ordinal)] as number)
  }

  #root(ordinal: number, jobids: ReadonlyMap<string, bigint>): FoundRoot {
    const sums = this.#sums
    const dir = sums.dirOf(ordinal)
    const rootref = this.#table.blobrefOf(ordinal)
    return {
      rootref,
      ...this.#guess(ordinal),
      place: ordinal,
      newest: sums.newest[ordinal] || undefined,
      keys: sums.keys[dir] as number,
      jobs: sums.jobs[dir] as number,
      lost: sums.lost[dir] as number,
      checkpointIndex: this.#checkpointIndex.get(rootref),
      jobid: jobids.get(rootref),
    }
  }

  /** The jobs whose namespaces have these roots, by the primary roots among them. */
  async #jobids(listed: readonly number[], signal: AbortSignal | undefined): Promise<Map<string, bigint>> {
    const jobids = new Map<string, bigint>()
    for (const ordinal of listed) {
      if (((this.#sums.names[this.#sums.dirOf(ordinal)] as number) & NAME['job-exec']) === 0) continue
      const snapshot = { store: this.#store, rootref: this.#table.blobrefOf(ordinal) }
      for (const { rootref, jobid } of await namespaceRoots(snapshot, { signal, onFault: () => {} })) {
        if (!jobids.has(rootref)) jobids.set(rootref, jobid)
      }
    }
    return jobids
  }
}
