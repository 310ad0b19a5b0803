/**
 * The search for roots: every blob of a store is read once, and the directories that nothing in the store refers to are
 * listed. Each commit of an instance makes a new root, and leaves the one before to be collected as garbage. So these
 * are the root at which the instance stopped, older ones, those of the namespaces of jobs, and directories whose parent
 * is lost.
 */
import { type Checkpoint, type ContentError, type ContentStore, loadEach } from '../../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../../errors/index.ts'
import { decodeDir, MAX_DIR_BYTES } from '../../kvs/index.ts'
import { extraRoots } from '../extra-roots.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { DigestTable } from './digest-table.ts'
import { DirSums } from './dir-sums.ts'
import { lastEventTime, startsWith } from './event-time.ts'
import { guessKind, NAME, ROOT_KINDS, type RootKind } from './root-kind.ts'

/** Blobs that are listed in one call. */
const LISTED = 8192

/** Blobs that are loaded in one batch, and batches in progress at a time. */
const BATCH = 512
const BATCHES = 3

/** Larger blobs are read in pieces, and only directories among them are loaded whole. In bytes. */
const LARGE_BYTES = 4 << 20

/** Bytes kept of the end of a large blob: they hold the last event of an eventlog. */
const TAIL_BYTES = 128 << 10

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

/** Options of {@link findRoots}. A fault is a blob that is altered or unreadable, or a checkpoint that is damaged. */
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
  await new Reading(store, table, sums, options).run()
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

/** Reads all blobs of a store into the sums of its directories. */
class Reading {
  readonly #store: ContentStore
  readonly #table: DigestTable
  readonly #sums: DirSums
  readonly #options: FindRootsOptions

  constructor(store: ContentStore, table: DigestTable, sums: DirSums, options: FindRootsOptions) {
    this.#store = store
    this.#table = table
    this.#sums = sums
    this.#options = options
  }

  async run(): Promise<void> {
    const { signal } = this.#options
    const underWay: Promise<void>[] = []
    for (let from = 0; from < this.#table.size; from += BATCH) {
      throwIfAborted(signal)
      const reading = this.#batch(from)
      reading.catch(() => {})
      underWay.push(reading)
      if (underWay.length >= BATCHES) await abortable(underWay.shift() as Promise<void>, signal)
    }
    for (const reading of underWay) await abortable(reading, signal)
  }

  async #batch(from: number): Promise<void> {
    const { onDisk } = this.#store
    const { signal } = this.#options
    const blobrefs = (await onDisk?.list(from, Math.min(BATCH, this.#table.size - from))) ?? []
    const large: number[] = []
    const take = (i: number, result: Uint8Array | ContentError): void => {
      if (result instanceof Uint8Array) this.#take(from + i, result)
      else if (result.code === 'EFBIG') large.push(i)
      else this.#bad(from + i, result)
    }
    await loadEach(this.#store, blobrefs, take, { most: BATCH, maxBlobBytes: LARGE_BYTES, signal })
    for (const i of large) await this.#large(from + i, blobrefs[i] as string)
  }

  #take(ordinal: number, blob: Uint8Array): void {
    if (this.#sums.entries.read(blob)) this.#sums.addDir(ordinal)
    else if (mayBeDir(blob, blob)) this.#decode(ordinal, blob)
    else this.#sums.addValue(ordinal, lastEventTime(blob))
  }

  /** Take a blob that may be a directory that is not written as Flux writes it. */
  #decode(ordinal: number, blob: Uint8Array): void {
    try {
      this.#sums.entries.take(decodeDir(blob, '.', undefined))
      this.#sums.addDir(ordinal)
    } catch (error) {
      if (!(error instanceof FluxError)) throw error
      this.#sums.addValue(ordinal, lastEventTime(blob))
    }
  }

  async #large(ordinal: number, blobref: string): Promise<void> {
    try {
      let head: Uint8Array | undefined
      let tail = Buffer.alloc(0)
      for await (const piece of this.#store.onDisk?.stream(blobref) ?? []) {
        throwIfAborted(this.#options.signal)
        head ??= Buffer.from(piece.subarray(0, TAIL_BYTES))
        tail = Buffer.concat([tail, piece.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
      }
      if (!mayBeDir(head ?? tail, tail)) {
        this.#sums.addValue(ordinal, lastEventTime(tail))
        return
      }
      const [blob] = await this.#store.loadBatch([blobref], 1, MAX_DIR_BYTES)
      if (blob instanceof Uint8Array) this.#take(ordinal, blob)
      else this.#sums.addValue(ordinal, 0)
    } catch (error) {
      // Only a fault of this blob has its blobref.
      if (!(error instanceof FluxError && 'blobref' in error)) throw error
      this.#bad(ordinal, error)
    }
  }

  #bad(ordinal: number, error: FluxError): void {
    this.#sums.addBad(ordinal)
    this.#options.onFault?.(error)
  }
}

/** How much of the beginning and the end of a blob is looked at for the type of a tree object. In bytes. */
const TYPE_BYTES = 64

const DIR_TYPE = Buffer.from('"dir"')

/** True for text that begins and ends as a directory may: values that are JSON objects are common. */
function mayBeDir(head: Uint8Array, tail: Uint8Array): boolean {
  if (head[0] !== 0x7b) return false
  return hasDirType(head, 0) || hasDirType(tail, Math.max(0, tail.length - TYPE_BYTES))
}

function hasDirType(text: Uint8Array, from: number): boolean {
  const to = Math.min(from + TYPE_BYTES, text.length)
  for (let at = from; at < to; at++) if (text[at] === DIR_TYPE[0] && startsWith(text, at, DIR_TYPE)) return true
  return false
}

/** Makes the list of roots out of the sums. */
class Listing {
  readonly #store: ContentStore
  readonly #table: DigestTable
  readonly #sums: DirSums
  readonly #checkpoints: readonly Checkpoint[]

  constructor(store: ContentStore, table: DigestTable, sums: DirSums, checkpoints: readonly Checkpoint[]) {
    this.#store = store
    this.#table = table
    this.#sums = sums
    this.#checkpoints = checkpoints
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
    const index = this.#checkpoints.findIndex((checkpoint) => checkpoint.rootref === rootref)
    return {
      rootref,
      ...this.#guess(ordinal),
      place: ordinal,
      newest: sums.newest[ordinal] || undefined,
      keys: sums.keys[dir] as number,
      jobs: sums.jobs[dir] as number,
      lost: sums.lost[dir] as number,
      checkpointIndex: index < 0 ? undefined : index,
      jobid: jobids.get(rootref),
    }
  }

  /** The jobs whose namespaces have these roots, by the primary roots among them. */
  async #jobids(listed: readonly number[], signal: AbortSignal | undefined): Promise<Map<string, bigint>> {
    const jobids = new Map<string, bigint>()
    for (const ordinal of listed) {
      if (((this.#sums.names[this.#sums.dirOf(ordinal)] as number) & NAME['job-exec']) === 0) continue
      const snapshot = { store: this.#store, rootref: this.#table.blobrefOf(ordinal) }
      for (const { rootref, jobid } of await extraRoots(snapshot, { signal, onFault: () => {} })) {
        if (!jobids.has(rootref)) jobids.set(rootref, jobid)
      }
    }
    return jobids
  }
}
