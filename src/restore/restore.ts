/**
 * The restore: it reads the members of an archive, stores their values as blobs, builds a tree of them, stores its
 * directories as blobs, and commits the root. It stores a value inline or in a blob by the same rule as `flux
 * restore`, so that the same archive gives the same root.
 */
import { type ArchiveError, type ArchiveReader, type Member, openArchive } from '../archive/index.ts'
import { HashingWriter } from '../content/index.ts'
import { FluxError, printable, secondsSince1970, throwIfAborted, wholeNumber } from '../errors/index.ts'
import { type ArchiveOrigin, originOf } from '../kvs/index.ts'
import { nameOfArchive } from './archive-name.ts'
import { isOneBlob, MemberLeaves } from './member-leaves.ts'
import { MemberTree } from './member-tree.ts'
import { noProgress, type RestoreProgress } from './progress.ts'
import { isRecorded } from './recorded-root.ts'
import { Selection, type SelectionOptions } from './selection.ts'
import { TreeBuilder } from './tree-builder.ts'
import { type BlobWriter, ValueStore } from './value-store.ts'

/** What to restore, and where to. */
export interface RestoreOptions extends SelectionOptions {
  /** A file, a pipe or a directory; `-` is standard input. */
  infile: string
  /** Stores the blobs. */
  writer: BlobWriter
  /** Where a temporary file is made, if one is needed (default: the directory for temporary files). */
  scratchDir?: string | undefined
  /** Called with the root, once everything is stored. */
  commit: (root: RestoredRoot) => Promise<void>
  /** Skip values larger than this many bytes (default, and 0: no limit). */
  sizeLimit?: number | undefined
  /** Restore an empty KVS when no key is left to restore (default: that is an error). */
  allowEmpty?: boolean | undefined
  /** Time of the root when no member has one, in seconds since 1970 (default: when {@link Restore} is created). */
  nowSeconds?: number | undefined
  /** Called with a line for each restored member, a batch at a time: its path, and for a link its target. */
  onMembers?: ((lines: readonly string[]) => void) | undefined
  /**
   * Restore what is left of a damaged archive (default: any damage is an error). Each part that is lost is a warning, and
   * counts as {@link RestoreProgress.lost}. See {@link OpenArchiveOptions}.
   */
  salvage?: boolean | undefined
  /** Called with all members of the archive, a batch at a time, whether they are restored or not. */
  onRead?: ((members: readonly Member[]) => void) | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** A restored tree. */
export interface RestoredRoot {
  readonly rootref: string
  /** The time of the newest member, in whole seconds since 1970. */
  readonly timestamp: number
}

/** The progress of reading an archive. */
export type ArchiveReading = Readonly<Pick<Restore, 'progress' | 'part'>>

/** The result of a restore. */
export interface RestoreResult extends Readonly<RestoreProgress>, RestoredRoot {
  readonly infile: string
  readonly format: string
  readonly filter: string
  /** What the archive says about itself; undefined when a dump of ours did not write it. */
  readonly origin: ArchiveOrigin | undefined
  /**
   * True when all of the archive was restored, and gave the root that was recorded when it was written. False when no root is
   * recorded, or when the two cannot be compared.
   */
  readonly isProven: boolean
}

/**
 * A restore. {@link Restore.run} does all the work. Each of its phases also has a promise, to show progress. When a
 * phase fails, the later ones reject too, and `run` throws the first error.
 */
export class Restore {
  readonly progress: RestoreProgress = noProgress()
  readonly #options: RestoreOptions
  readonly #selection: Selection
  readonly #tree: TreeBuilder
  readonly #members: MemberTree
  readonly #values: ValueStore
  readonly #opened = Promise.withResolvers<ArchiveReader['type']>()
  readonly #read = Promise.withResolvers<void>()
  readonly #committed = Promise.withResolvers<RestoreResult>()
  readonly #nowSeconds: number
  #hasRun = false
  #reader: ArchiveReader | undefined
  #newestSeconds = 0

  /** @throws {FluxError} `EINVAL` an invalid `sizeLimit` or `nowSeconds` */
  constructor(options: RestoreOptions) {
    const { sizeLimit = 0, nowSeconds = Date.now() / 1000, writer, scratchDir } = options
    this.#options = options
    wholeNumber('sizeLimit', sizeLimit)
    this.#nowSeconds = secondsSince1970('nowSeconds', nowSeconds)
    this.#selection = new Selection(options)
    this.#tree = new TreeBuilder({ hash: writer.hash, scratchDir })
    this.#members = new MemberTree(this.#tree, this.#selection, (path) =>
      this.#warn(`${printable(path)}: appears twice; the last one counts`, 'duplicate'),
    )
    this.#values = new ValueStore(writer, (blobs) => (this.progress.blobs += blobs))
    for (const { promise } of [this.#opened, this.#read, this.#committed]) promise.catch(() => {})
  }

  /**
   * How much of the archive has been read, from 0 to 1; undefined when its size is unknown, as for a pipe or a
   * directory.
   */
  get part(): number | undefined {
    const { size, bytesRead = 0 } = this.#reader ?? {}
    // With random access, parts of a file may be read more than once.
    return size ? Math.min(bytesRead / size, 1) : undefined
  }

  /** Settles when the type of the archive is known. */
  get opened(): Promise<ArchiveReader['type']> {
    return this.#opened.promise
  }

  /** Settles when the whole archive has been read and stored. */
  get read(): Promise<void> {
    return this.#read.promise
  }

  /** Settles when the root has been committed. */
  get committed(): Promise<RestoreResult> {
    return this.#committed.promise
  }

  /**
   * Read, store, commit. When it throws, nothing has been committed. It can be called once: a second call throws
   * `EALREADY` and does not disturb the first.
   *
   * @throws {ArchiveError} the archive is damaged, or of an unsupported kind
   * @throws {FluxError} `EBADMSG` it gives another root than the one that is recorded in it
   * @throws {FluxError} a member cannot be restored, or a blob cannot be stored; `EBADMSG` nothing is left of a damaged
   *   archive; `ENOENT` no key is left to restore,
   *   and `allowEmpty` is not set
   * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
   */
  async run(): Promise<RestoreResult> {
    if (this.#hasRun) {
      const hint = 'make another Restore for another run'
      throw new FluxError('EALREADY', `${this.#options.infile}: this restore has been run already`, { hint })
    }
    this.#hasRun = true
    const phases = [this.#opened, this.#read, this.#committed]
    try {
      const { infile, salvage, signal } = this.#options
      const onLoss = salvage ? (error: ArchiveError) => this.#lose(error) : undefined
      await using reader = await openArchive(infile, { signal, onLoss })
      this.#reader = reader
      this.#opened.resolve(reader.type)
      await this.#readMembers(reader)
      this.#refuseNothing()
      const rootref = await this.#tree.build((blobs) => this.#values.store(blobs, true))
      await this.#values.settled()
      throwIfAborted(signal)
      const origin = originOf(reader.records)
      const isProven = await this.#compare(rootref, origin)
      this.#read.resolve()
      this.#warnUnreachable()
      const root = { rootref, timestamp: this.#newestSeconds || Math.floor(this.#nowSeconds) }
      await this.#options.commit(root)
      const result = { ...this.progress, ...root, infile, ...reader.type, origin, isProven }
      this.#committed.resolve(result)
      return result
    } catch (error) {
      await this.#values.ended()
      for (const phase of phases) phase.reject(error)
      throw error
    } finally {
      await this.#tree.close()
    }
  }

  async #readMembers(reader: ArchiveReader): Promise<void> {
    const { infile, salvage = false, signal, onMembers, onRead } = this.#options
    const isPlainFile = infile !== '-' && reader.size !== undefined && reader.type.filter === 'none' && !salvage
    const leaves = new MemberLeaves(this.#values, isPlainFile)
    for await (const batch of reader.batches()) {
      throwIfAborted(signal)
      onRead?.(batch)
      const members = batch.filter((member) => this.#accepts(member))
      const blobrefs = await leaves.storeBlobs(members)
      let next = 0
      for (const member of members) {
        if (isOneBlob(member)) this.#members.put(member, blobrefs[next++] as string, member.size)
        else if (member.type === 'hardlink') this.#putHardlink(member)
        else this.#members.put(member, await leaves.leafOf(member), member.size)
      }
      if (this.#tree.isFull) await this.#tree.spill()
      this.progress.keys = this.#tree.leaves
      this.progress.symlinks = this.#tree.symlinks
      this.progress.bytes = this.#tree.bytes
      onMembers?.(members.map(({ path, type, linkname }) => (type === 'symlink' ? `${path} -> ${linkname}` : path)))
    }
    await this.#values.settled()
  }

  /**
   * Compare the root with the one that was recorded when the archive was written: most formats do not protect contents, so
   * a flipped bit shows only here.
   *
   * @returns true when both were compared
   * @throws {FluxError} `EBADMSG` they differ
   */
  async #compare(rootref: string, origin: ArchiveOrigin | undefined): Promise<boolean> {
    const { infile, include = [], exclude = [], strip = '', scratchDir, salvage, signal } = this.#options
    const { skipped, lost } = this.progress
    const isWhole = include.length + exclude.length === 0 && strip === '' && skipped + lost === 0
    const recorded = origin?.restored
    if (recorded === undefined || !isWhole) return false
    return isRecorded(recorded, {
      infile,
      rootref,
      async readAgain(hash) {
        const writer = new HashingWriter(hash)
        const commit = async () => {}
        const again = new Restore({ infile, writer, scratchDir, commit, allowEmpty: true, salvage, signal })
        return again.run()
      },
      onMismatch: (error) => {
        if (!salvage) throw error
        this.#lose(error)
      },
      onWarning: (message, kind) => this.#warn(message, kind),
    })
  }

  #putHardlink(member: Member): void {
    try {
      const { leaf, size } = this.#members.targetOf(member)
      this.#members.put(member, leaf, size)
    } catch (error) {
      // The member that it names may be lost.
      if (!this.#options.salvage || !(error instanceof FluxError)) throw error
      this.#lose(error)
    }
  }

  #lose({ message }: FluxError): void {
    this.progress.lost++
    this.#warn(message, 'lost')
  }

  #accepts(member: Member): boolean {
    const { path, type, mtimeSeconds, size } = member
    if (type === 'directory') return false
    if (!this.#selection.takes(path)) {
      this.progress.deselected++
      return false
    }
    if (type !== 'file' && type !== 'symlink' && type !== 'hardlink') {
      const hint = 'leave it out with --exclude'
      throw new FluxError('ENOTSUP', `${printable(path)}: a ${type}, which a KVS cannot hold`, { hint })
    }
    this.#newestSeconds = Math.max(this.#newestSeconds, Math.floor(mtimeSeconds))
    const { sizeLimit = 0 } = this.#options
    if (sizeLimit > 0 && size > sizeLimit) {
      this.progress.skipped++
      this.#warn(`${printable(path)} size ${size} exceeds ${sizeLimit} limit, skipping`, 'over the size limit')
      return false
    }
    return true
  }

  /** A truncated archive or a mistyped glob must not leave an instance with an empty KVS. */
  #refuseNothing(): void {
    const { keys, skipped, deselected, lost } = this.progress
    if (keys > 0) return
    const { infile, allowEmpty = false } = this.#options
    if (lost > 0 && skipped + deselected === 0) {
      throw new FluxError('EBADMSG', `${nameOfArchive(infile)}: no key is left in it`)
    }
    const why =
      skipped > 0
        ? 'all values in it exceed the size limit'
        : deselected > 0
          ? 'nothing in it matches the globs'
          : 'holds no keys'
    const message = `${nameOfArchive(infile)}: ${why}`
    if (!allowEmpty) throw new FluxError('ENOENT', message, { hint: '--allow-empty restores an empty KVS' })
    this.#warn(`${message}: the KVS will be empty`, 'empty')
  }

  #warnUnreachable(): void {
    const count = this.#members.unreachable
    if (count === 0) return
    const keys = count === 1 ? '1 key has' : `${count} keys have`
    this.#warn(`${keys} a dot within a component, where no KVS lookup can reach it`, 'unreachable')
  }

  #warn(message: string, kind: string): void {
    this.#options.onWarning?.(message, kind)
  }
}
