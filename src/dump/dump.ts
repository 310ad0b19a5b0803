/**
 * The dump, as one pipeline of three phases: find the root, walk the tree below it, write what the walk yields. Walk and
 * write run at the same time, with a short queue of batches between them: whichever is slower holds the other back.
 */
import { stat } from 'node:fs/promises'
import {
  type ArchiveWriter,
  createArchive,
  type ExtraRecords,
  type FilterName,
  type FormatName,
} from '../archive/index.ts'
import type { ContentStore } from '../content/index.ts'
import { FluxError, LAST_ID, LAST_SECONDS, printable, throwIfAborted, wholeNumber } from '../errors/index.ts'
import {
  COMPONENTS_RECORD,
  type DirObj,
  type Entry,
  GlobFilter,
  type KeySelection,
  keyComponents,
  keyOf,
  LINKNAME_RECORD,
  linkText,
  type RootChoice,
  resolveRoot,
  type Snapshot,
  SnapshotReader,
  selectKeys,
  type TreeError,
  walk,
} from '../kvs/index.ts'
import { BatchQueue } from './batch-queue.ts'
import { MemberPaths } from './member-path.ts'

/** What is dumped, and how it is written. */
export interface DumpOptions extends RootChoice, KeySelection {
  store: ContentStore
  /** Only these keys, and what is below them; none at all means all. See {@link selectKeys}. */
  keys?: readonly string[] | undefined
  /** Name of the archive; its extension says the format; `-` is standard output. */
  outfile: string
  /** An extension that says the format, in place of that of `outfile`. */
  format?: string | undefined
  /** How hard to compress, and with how many threads: see {@link createArchive}. */
  level?: number | undefined
  threads?: number | undefined
  /** Permission bits of the archive itself: see {@link createArchive}. */
  fileMode?: number | undefined
  /** Leave out what cannot be read, instead of failing. */
  ignoreFailedRead?: boolean | undefined
  /** How much is walked before the dump fails: see {@link WalkOptions}. */
  maxKeys?: number | undefined
  maxDepth?: number | undefined
  /** The members' time, unless the snapshot has its own: whole seconds since 1970 (default: when {@link Dump} is made). */
  startSeconds?: number | undefined
  /** The members' time whatever the snapshot says, in whole seconds since 1970 (SOURCE_DATE_EPOCH). */
  mtimeSeconds?: number | undefined
  /** Owner and group of the members (default: those of the process). */
  uid?: number | undefined
  gid?: number | undefined
  /** Hears of every member of the archive, a batch of paths at a time. */
  onMembers?: ((paths: readonly string[]) => void) | undefined
  /** Hears of everything that is not as it should be, one line each. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** How far a dump is. One object, counted up in place: whoever shows it looks when it likes. */
export interface DumpProgress {
  /** Values and symlinks that the walk has found. */
  walked: number
  /** Blobs that have been loaded, directories included. One that comes twice may count twice. */
  loaded: number
  /** Values and symlinks in the archive. */
  keys: number
  symlinks: number
  /** Blobs of the values in the archive. */
  blobs: number
  /** Bytes of the values in the archive. */
  bytes: number
  /** Keys or subtrees left out because they could not be read. */
  skipped: number
  /** Keys whose path had to be encoded. */
  encoded: number
}

/** What a dump came to. */
export interface DumpResult extends Readonly<DumpProgress> {
  readonly outfile: string
  readonly format: FormatName
  readonly filter: FilterName
  readonly snapshot: Snapshot
  /** Bytes of the archive before compression. */
  readonly archiveBytes: number
  /** Bytes of the file; undefined when it is a directory, a pipe, a device or standard output. */
  readonly fileBytes: number | undefined
}

/** The size of the file that has been written, if it is one. The archive is complete: whoever took it away since is no error. */
async function fileBytes(outfile: string): Promise<number | undefined> {
  if (outfile === '-') return undefined
  const stats = await stat(outfile).catch(() => undefined)
  return stats?.isFile() ? stats.size : undefined
}

/** Batches that may wait between walk and write. */
const QUEUE_BATCHES = 4

/**
 * A dump: {@link Dump.run} does it all. Its three phases are promises of their own for whoever shows them; a phase that
 * fails makes the later ones fail too, and `run` throws what failed first.
 */
export class Dump {
  readonly progress: DumpProgress = {
    walked: 0,
    loaded: 0,
    keys: 0,
    symlinks: 0,
    blobs: 0,
    bytes: 0,
    skipped: 0,
    encoded: 0,
  }
  readonly #options: DumpOptions
  readonly #owner: { readonly uid: number; readonly gid: number }
  readonly #startSeconds: number
  #hasRun = false
  #firstSkipped: TreeError | undefined
  readonly #queue = new BatchQueue<Entry[]>(QUEUE_BATCHES)
  readonly #resolved = Promise.withResolvers<Snapshot>()
  readonly #walked = Promise.withResolvers<void>()
  readonly #written = Promise.withResolvers<DumpResult>()
  /** Stops the walk when the write fails. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** What went wrong first: the other phase is stopped for it, and fails only in consequence. */
  #failed: { error: unknown } | undefined

  /** @throws {FluxError} `EINVAL` for a number that none of its kind can be, as a negative or broken `uid` */
  constructor(options: DumpOptions) {
    const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0, mtimeSeconds } = options
    const { startSeconds = Math.floor(Date.now() / 1000) } = options
    this.#options = options
    this.#owner = { uid: wholeNumber('uid', uid, LAST_ID), gid: wholeNumber('gid', gid, LAST_ID) }
    this.#startSeconds = wholeNumber('startSeconds', startSeconds, LAST_SECONDS)
    if (mtimeSeconds !== undefined) wholeNumber('mtimeSeconds', mtimeSeconds, LAST_SECONDS)
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal
    // Nobody has to look at a phase: `run` throws as well.
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

  /** Settles when the walk has come to its end. */
  get walked(): Promise<void> {
    return this.#walked.promise
  }

  /** Settles when the archive is complete, under its name and on disk. */
  get written(): Promise<DumpResult> {
    return this.#written.promise
  }

  /**
   * Find the root, walk, write. When it throws, nothing is left behind: no archive, and no half of one. It can be called
   * once: a second call throws `EALREADY`, and does not disturb the first.
   *
   * @throws {TreeError} a part of the tree cannot be read; {FluxError} the archive cannot be written; `ENOENT` nothing is
   *   selected, though there is something;
   *   {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
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
      // Both must have ended, and cleaned up, before anything is said of either.
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

  /** What is walked: the root, or a directory that holds nothing but what was asked for. */
  async #select({ rootref, namespace }: Snapshot): Promise<string | DirObj> {
    const { store, keys = [], onWarning } = this.#options
    if (keys.length === 0) return rootref
    return selectKeys(new SnapshotReader({ store, rootref, namespace }), keys, (key) => {
      onWarning?.(`${printable(key)}: a symbolic link, dumped as such`, 'symlink')
    })
  }

  /** Walk the tree, and hand its entries to the other phase. */
  async #walk(root: string | DirObj): Promise<void> {
    const { store, ignoreFailedRead, include = [], exclude = [], filter: taken, maxKeys, maxDepth } = this.#options
    const onFault = ignoreFailedRead ? (error: TreeError) => this.#skip(error) : undefined
    const isFiltered = include.length + exclude.length > 0 || taken !== undefined
    const filter = isFiltered ? new GlobFilter({ include, exclude, filter: taken }) : undefined
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
   * An archive of nothing must not take the place of an older one, unless there is nothing in the snapshot. A missing
   * root, or a glob with a slip in it, would make one.
   */
  #refuseNothing(filter: GlobFilter | undefined): void {
    const { store, keys = [] } = this.#options
    const error = this.#firstSkipped
    if (error !== undefined) {
      const hint = 'an older checkpoint may be whole'
      throw new FluxError(error.code, `${store.name}: nothing could be read: ${error.message}`, { cause: error, hint })
    }
    if (filter?.hasRefused) throw new FluxError('ENOENT', `${store.name}: nothing in it is selected`)
    // The root is a key too, and may be empty in truth.
    const names = keys.filter((key) => keyComponents(key).length > 0)
    if (names.length < keys.length || names.length === 0) return
    throw new FluxError('ENOENT', `${names.map(printable).join(', ')}: no value and no link there`)
  }

  /** Write the archive, which appears under its name only when the walk has come to its end. */
  async #write(snapshot: Snapshot): Promise<DumpResult> {
    const { outfile, format, level, threads, fileMode } = this.#options
    const { timestamp } = snapshot
    const mtimeSeconds = this.#options.mtimeSeconds ?? (timestamp ? Math.floor(timestamp) : this.#startSeconds)
    const attributes = { mode: 0o644, ...this.#owner, mtimeSeconds }
    let archive: ArchiveWriter | undefined
    try {
      archive = await createArchive(outfile, { attributes, format, level, threads, fileMode, signal: this.#signal })
      const paths = new MemberPaths()
      for (let batch = await this.#queue.pull(); batch !== undefined; batch = await this.#queue.pull()) {
        await this.#writeBatch(archive, batch, paths)
      }
      throwIfAborted(this.#signal)
      await archive.finish()
      const { type, bytes: archiveBytes } = archive
      return { ...this.progress, outfile, ...type, snapshot, archiveBytes, fileBytes: await fileBytes(outfile) }
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
    this.#options.onWarning?.(error.message, error.faultKind)
  }

  async #writeBatch(archive: ArchiveWriter, batch: readonly Entry[], paths: MemberPaths): Promise<void> {
    const { progress } = this
    const members: string[] | undefined = this.#options.onMembers && []
    for (const entry of batch) {
      const { path, components } = paths.of(entry.dir, entry.name)
      let extra: ExtraRecords | undefined
      if (components !== undefined) extra = this.#encodedKey(entry, path, components)
      if (entry.type === 'symlink') {
        const target = linkText(entry)
        // Flux itself cannot store a NUL, and no archive can hold one in a link.
        if (target.includes('\0')) extra = { ...extra, [LINKNAME_RECORD]: JSON.stringify(target) }
        archive.symlink(path, target.replaceAll('\0', '%00'), extra)
        progress.symlinks++
      } else {
        if (entry.parts !== undefined) archive.file(path, entry.size, entry.parts, extra)
        else if (entry.stream) await archive.streamFile(path, entry.size, entry.stream(), extra)
        progress.blobs += entry.blobs
        progress.bytes += entry.size
      }
      progress.keys++
      members?.push(path)
    }
    if (members) this.#options.onMembers?.(members)
    await archive.flush()
  }

  #encodedKey(entry: Entry, path: string, components: readonly string[]): ExtraRecords {
    this.progress.encoded++
    this.#options.onWarning?.(
      `${printable(keyOf(entry.dir, entry.name))}: no path can say this key; archived as ${printable(path)}`,
      'encoded path',
    )
    return { [COMPONENTS_RECORD]: JSON.stringify(components) }
  }
}
