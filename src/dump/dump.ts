/**
 * The dump is one pipeline of three phases: find the root, walk the tree below it, write what the walk yields. Walk and
 * write run at the same time, with a short queue of batches between them, so the slower one holds the other back.
 */
import { stat } from 'node:fs/promises'
import { type ArchiveWriter, createArchive, type FilterName, type FormatName } from '../archive/index.ts'
import type { ContentStore } from '../content/index.ts'
import { FluxError, LAST_ID, LAST_SECONDS, printable, throwIfAborted, wholeNumber } from '../errors/index.ts'
import {
  type DirObj,
  type Entry,
  GlobFilter,
  type KeySelection,
  keyComponents,
  originRecords,
  proofRecords,
  type RootChoice,
  resolveRoot,
  type Snapshot,
  SnapshotReader,
  selectKeys,
  type TreeError,
  TreeHash,
  walk,
} from '../kvs/index.ts'
import { BatchQueue } from './batch-queue.ts'
import { MemberWriter } from './member-writer.ts'
import { type DumpProgress, noProgress } from './progress.ts'

/** What to dump, and how to write it. */
export interface DumpOptions extends RootChoice, KeySelection {
  store: ContentStore
  /** Dump only these keys and everything below them (default, and when empty: all). See {@link selectKeys}. */
  keys?: readonly string[] | undefined
  /** Path of the archive. Its extension selects the format; `-` is standard output. */
  outfile: string
  /** An extension that selects the format, instead of that of `outfile`. */
  format?: string | undefined
  /** Compression level and threads: see {@link createArchive}. */
  level?: number | undefined
  threads?: number | undefined
  /** Permission bits of the archive itself: see {@link createArchive}. */
  fileMode?: number | undefined
  /** Write the checksum of the archive to `OUTFILE.sha256`: see {@link createArchive}. */
  checksum?: boolean | undefined
  /**
   * Called with the path of the archive when it is complete, but has not got its name yet, and with the root that a restore
   * of it makes, computed from what the walk saw; undefined when a key or link is not Unicode text. When it rejects, no
   * archive is left.
   */
  verify?: ((path: string, restoredRootref: string | undefined) => Promise<void>) | undefined
  /** Skip what cannot be read, instead of failing. */
  ignoreFailedRead?: boolean | undefined
  /** Limits after which the dump fails: see {@link WalkOptions}. */
  maxKeys?: number | undefined
  maxDepth?: number | undefined
  /**
   * Time of the members when the snapshot has none, in whole seconds since 1970 (default: when {@link Dump} is
   * created).
   */
  startSeconds?: number | undefined
  /** Time of the members, instead of the snapshot's, in whole seconds since 1970 (SOURCE_DATE_EPOCH). */
  mtimeSeconds?: number | undefined
  /** Owner and group of the members (default: those of the process). */
  uid?: number | undefined
  gid?: number | undefined
  /** Called with the paths of written members, a batch at a time. */
  onMembers?: ((paths: readonly string[]) => void) | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The result of a dump. */
export interface DumpResult extends Readonly<DumpProgress> {
  readonly outfile: string
  readonly format: FormatName
  readonly filter: FilterName
  readonly snapshot: Snapshot
  /** Bytes of the archive before compression. */
  readonly archiveBytes: number
  /** Size of the archive file in bytes; undefined for a directory, a pipe, a device or standard output. */
  readonly fileBytes: number | undefined
  /**
   * Blobref of the root that a restore of the archive makes, as it is recorded in it; undefined when the archive has no
   * place for it, or a key or link is not Unicode text.
   */
  readonly restoredRootref: string | undefined
}

/**
 * The size of the written file, if it is one. The archive is complete by now, so it is not an error if it has been
 * moved away since.
 */
async function fileBytes(outfile: string): Promise<number | undefined> {
  if (outfile === '-') return undefined
  const stats = await stat(outfile).catch(() => undefined)
  return stats?.isFile() ? stats.size : undefined
}

/** Most batches in the queue between walk and write. */
const QUEUE_BATCHES = 4

/**
 * A dump. {@link Dump.run} does all the work. Each of its three phases also has a promise, to show progress. When a
 * phase fails, the later ones reject too, and `run` throws the first error.
 */
export class Dump {
  readonly progress: DumpProgress = noProgress()
  readonly #options: DumpOptions
  readonly #owner: { readonly uid: number; readonly gid: number }
  readonly #startSeconds: number
  #hasRun = false
  #firstSkipped: TreeError | undefined
  readonly #queue = new BatchQueue<Entry[]>(QUEUE_BATCHES)
  readonly #resolved = Promise.withResolvers<Snapshot>()
  readonly #walked = Promise.withResolvers<void>()
  readonly #written = Promise.withResolvers<DumpResult>()
  /** Aborts the walk when the write fails. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** The first error. It stops the other phase, whose own error is only a consequence. */
  #failed: { error: unknown } | undefined

  /** @throws {FluxError} `EINVAL` a number is out of range or not whole, such as a negative `uid` */
  constructor(options: DumpOptions) {
    const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0, mtimeSeconds } = options
    const { startSeconds = Math.floor(Date.now() / 1000) } = options
    this.#options = options
    this.#owner = { uid: wholeNumber('uid', uid, LAST_ID), gid: wholeNumber('gid', gid, LAST_ID) }
    this.#startSeconds = wholeNumber('startSeconds', startSeconds, LAST_SECONDS)
    if (mtimeSeconds !== undefined) wholeNumber('mtimeSeconds', mtimeSeconds, LAST_SECONDS)
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal
    // `run` also rejects, so an unobserved phase must not be an unhandled rejection.
    for (const { promise } of [this.#resolved, this.#walked, this.#written]) promise.catch(() => {})
  }

  /** False when only a part of the snapshot is dumped: some keys, or what globs or a filter select. */
  get isWhole(): boolean {
    const { keys, include, exclude, filter } = this.#options
    const isAll = (selected: readonly string[] | undefined) => selected === undefined || selected.length === 0
    return filter === undefined && [keys, include, exclude].every(isAll)
  }

  /** Settles when the root is known. */
  get resolved(): Promise<Snapshot> {
    return this.#resolved.promise
  }

  /** Settles when the walk has ended. */
  get walked(): Promise<void> {
    return this.#walked.promise
  }

  /** Settles when the archive is complete, under its name and on disk. */
  get written(): Promise<DumpResult> {
    return this.#written.promise
  }

  /**
   * Find the root, walk the tree, write the archive. When it throws, no archive is left, not even a part of one. It can
   * be called once: a second call throws `EALREADY` and does not disturb the first.
   *
   * @throws {TreeError} a part of the tree cannot be read
   * @throws {FluxError} the archive cannot be written; `ENOENT` the snapshot has keys, but none is selected; `EINTR`,
   *   `ETIMEDOUT` or the signal's reason when it is aborted
   */
  async run(): Promise<DumpResult> {
    if (this.#hasRun) {
      const hint = 'make another Dump for another archive'
      throw new FluxError('EALREADY', `${this.#options.outfile}: this dump has been run already`, { hint })
    }
    this.#hasRun = true
    const phases = [this.#resolved, this.#walked, this.#written]
    try {
      const snapshot = await resolveRoot(this.#options.store, this.#options)
      const root = await this.#select(snapshot)
      this.#resolved.resolve(snapshot)
      // Wait until both have ended and cleaned up before reporting either.
      const [walked, written] = await Promise.allSettled([
        this.#walk(root).then(this.#walked.resolve),
        this.#write(snapshot),
      ])
      if (written.status === 'rejected') throw this.#failed?.error ?? written.reason
      if (walked.status === 'rejected') throw walked.reason
      this.#written.resolve(written.value)
      return written.value
    } catch (error) {
      for (const phase of phases) phase.reject(error)
      throw error
    }
  }

  /** What to walk: the root, or a directory that holds only the selected keys. */
  async #select({ rootref, namespace }: Snapshot): Promise<string | DirObj> {
    const { store, keys = [], onWarning } = this.#options
    if (keys.length === 0) return rootref
    return selectKeys(new SnapshotReader({ store, rootref, namespace }), keys, (key) => {
      onWarning?.(`${printable(key)}: a symbolic link, dumped as such`, 'symlink')
    })
  }

  /** Walk the tree, and queue its entries for the write. */
  async #walk(root: string | DirObj): Promise<void> {
    const { store, ignoreFailedRead, include = [], exclude = [], filter: keyFilter, maxKeys, maxDepth } = this.#options
    const onFault = ignoreFailedRead ? (error: TreeError) => this.#skip(error) : undefined
    const isFiltered = include.length + exclude.length > 0 || keyFilter !== undefined
    const filter = isFiltered ? new GlobFilter({ include, exclude, filter: keyFilter }) : undefined
    const onLoaded = (blobs: number) => {
      this.progress.loaded += blobs
    }
    const options = { onFault, onLoaded, filter, maxKeys, maxDepth, signal: this.#signal }
    try {
      for await (const batch of walk(store, root, options)) {
        this.progress.walked += batch.length
        if (!(await this.#queue.push(batch))) return
      }
      await store.assertUnchanged()
      if (this.progress.walked === 0) this.#refuseNothing(filter)
      this.#queue.end()
    } catch (error) {
      this.#failed ??= { error }
      this.#queue.fail(error)
      throw error
    }
  }

  /**
   * An empty archive must not replace an older one, unless the snapshot is empty. A missing root or a mistyped glob
   * would otherwise write one.
   */
  #refuseNothing(filter: GlobFilter | undefined): void {
    const { store, keys = [] } = this.#options
    const error = this.#firstSkipped
    if (error !== undefined) {
      const hint = 'an older checkpoint may be whole'
      throw new FluxError(error.code, `${store.name}: nothing could be read: ${error.message}`, { cause: error, hint })
    }
    if (filter?.hasRefused) throw new FluxError('ENOENT', `${store.name}: nothing in it is selected`)
    // The root is a key too, and may really be empty.
    const names = keys.filter((key) => keyComponents(key).length > 0)
    if (names.length < keys.length || names.length === 0) return
    throw new FluxError('ENOENT', `${names.map(printable).join(', ')}: no value and no link there`)
  }

  /** Write the archive. It appears under its name only after the walk has ended. */
  async #write(snapshot: Snapshot): Promise<DumpResult> {
    const { outfile, format, level, threads, fileMode, checksum, verify, onMembers, onWarning } = this.#options
    const { timestamp } = snapshot
    const mtimeSeconds = this.#options.mtimeSeconds ?? (timestamp ? Math.floor(timestamp) : this.#startSeconds)
    const attributes = { mode: 0o644, ...this.#owner, mtimeSeconds }
    let archive: ArchiveWriter | undefined
    try {
      const records = originRecords(snapshot, { mtimeSeconds, isWhole: this.isWhole })
      const options = { attributes, format, level, threads, fileMode, records, checksum, signal: this.#signal }
      let restoredRootref: string | undefined
      const beforeNaming = verify && ((path: string) => verify(path, restoredRootref))
      archive = await createArchive(outfile, { ...options, beforeNaming })
      const tree =
        archive.holdsRecords || verify ? new TreeHash(snapshot.hash, this.#options.store.isUnverified) : undefined
      const { progress } = this
      const members = new MemberWriter(archive, { tree, progress, onMembers, onWarning })
      for (let batch = await this.#queue.pull(); batch !== undefined; batch = await this.#queue.pull()) {
        await members.write(batch)
      }
      throwIfAborted(this.#signal)
      restoredRootref = tree?.root()
      await archive.finish(proofRecords(restoredRootref, this.progress.skipped))
      const { type, bytes: archiveBytes } = archive
      const written = { archiveBytes, fileBytes: await fileBytes(outfile), restoredRootref }
      return { ...this.progress, outfile, ...type, snapshot, ...written }
    } catch (error) {
      this.#failed ??= { error }
      this.#queue.close()
      this.#stop.abort(error)
      throw error
    } finally {
      await archive?.abort()
    }
  }

  #skip(error: TreeError): void {
    this.#firstSkipped ??= error
    this.progress.skipped++
    if (error.isDirectory) this.progress.skippedDirs++
    this.#options.onWarning?.(error.message, error.faultKind)
  }
}
