/**
 * The compaction of a store: it chooses every blob that the kept checkpoints reach, and copies these to a new store as
 * they are stored. The store itself is not written to.
 */
import { existsSync, lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { blobrefOf, type Checkpoint, type ChosenSize, type ContentStore, type StoreCopier } from '../content/index.ts'
import { byteText, countText, FluxError, grouped, throwIfAborted, wholeNumber } from '../errors/index.ts'
import { freeBytes } from '../files/index.ts'
import { chooseTree, dirBlob, formatJobid, namespaceRoots } from '../kvs/index.ts'

/** What to compact, and where to. */
export interface CompactionOptions {
  /** The store, opened from disk. */
  store: ContentStore
  /** The new store: a path where there is nothing, or a directory, in which `content.sqlite` is made. */
  output?: string | undefined
  /** Keep only the newest checkpoints, this many (default: all). */
  keepCheckpoints?: number | undefined
  /** Only find out what would be kept. */
  dryRun?: boolean | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The room that the new store needs. */
export interface NeededSpace {
  /** An estimate, rather too large than too small. */
  neededBytes: number
  /** What is free where it is written; undefined when it is written nowhere. */
  freeBytes: number | undefined
}

/** The result of a compaction. */
export interface CompactionResult extends ChosenSize, NeededSpace {
  /** The path of the new store; undefined when none was written. */
  readonly output: string | undefined
  /** The checkpoints that are kept, newest first. */
  readonly checkpoints: readonly Checkpoint[]
  /** The size of the new store; undefined when none was written. */
  readonly outputBytes: number | undefined
}

/** How many faults of a tree are looked at. */
const FIRST_FAULTS = 1

/**
 * A compaction. {@link Compaction.run} does all the work. Each of its phases also has a promise, to show progress. When a
 * phase fails, the later ones reject too, and `run` throws the first error.
 */
export class Compaction {
  readonly #options: CompactionOptions
  readonly #chosen = Promise.withResolvers<ChosenSize>()
  readonly #measured = Promise.withResolvers<NeededSpace>()
  readonly #written = Promise.withResolvers<CompactionResult>()
  #size: ChosenSize | undefined
  #hasRun = false

  /** @throws {FluxError} `EINVAL` an invalid `keepCheckpoints`, or no `output` */
  constructor(options: CompactionOptions) {
    const { keepCheckpoints = 1, output, dryRun = false } = options
    this.#options = options
    wholeNumber('keepCheckpoints', keepCheckpoints)
    if (keepCheckpoints === 0) throw new FluxError('EINVAL', 'keepCheckpoints 0: nothing would be kept')
    if (output === undefined && !dryRun) throw new FluxError('EINVAL', 'a compaction needs an output')
    for (const { promise } of [this.#chosen, this.#measured, this.#written]) promise.catch(() => {})
  }

  /** Settles when every blob that is kept is known. */
  get chosen(): Promise<ChosenSize> {
    return this.#chosen.promise
  }

  /** Settles when it is known that there is room. */
  get measured(): Promise<NeededSpace> {
    return this.#measured.promise
  }

  /** Settles when the new store is on disk. */
  get written(): Promise<CompactionResult> {
    return this.#written.promise
  }

  /** True when it is known what to copy. */
  get isCopying(): boolean {
    return this.#size !== undefined
  }

  /** How much has been copied, from 0 to 1. */
  get part(): number {
    const { copied = 0 } = this.#options.store.onDisk?.copier ?? {}
    return this.#size === undefined || this.#size.blobs === 0 ? 0 : copied / this.#size.blobs
  }

  /** Blobs that have been copied so far. */
  get copied(): number {
    return this.#options.store.onDisk?.copier?.copied ?? 0
  }

  /**
   * Choose, measure, copy. When it throws, there is no new store. It can be called once.
   *
   * @throws {FluxError} `ENOTSUP` blobs of this store cannot be copied as they are; `EEXIST` there is something at the
   *   output; `ENOENT` the store has no checkpoint; `EBADMSG` what a kept checkpoint reaches is not all there;
   *   `EFBIG` it has more checkpoints than are read; `ENOSPC` there is no room
   * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
   */
  async run(): Promise<CompactionResult> {
    const { store } = this.#options
    if (this.#hasRun) {
      const hint = 'make another Compaction for another run'
      throw new FluxError('EALREADY', `${store.name}: this compaction has been run already`, { hint })
    }
    this.#hasRun = true
    try {
      return await this.#run()
    } catch (error) {
      for (const phase of [this.#chosen, this.#measured, this.#written]) phase.reject(error)
      throw error
    }
  }

  async #run(): Promise<CompactionResult> {
    const { store, dryRun = false, signal } = this.#options
    const copier = copierOf(store)
    const output = this.#options.output === undefined ? undefined : outputPath(this.#options.output)
    const checkpoints = await this.#checkpoints()
    await this.#choose(copier, checkpoints)
    const size = await copier.measure()
    this.#size = size
    this.#chosen.resolve(size)
    const freeBytes = output === undefined ? undefined : roomFor(output, size.neededBytes, dryRun)
    const space = { neededBytes: size.neededBytes, freeBytes }
    this.#measured.resolve(space)
    throwIfAborted(signal)
    if (output !== undefined && !dryRun) {
      await copier.copy(output, checkpoints.length, signal).catch((error) => {
        throw rescueHint(error, store)
      })
    }
    const written = dryRun ? undefined : output
    const outputBytes = written === undefined ? undefined : statSync(written).size
    const result = { ...size, ...space, output: written, outputBytes, checkpoints }
    this.#written.resolve(result)
    return result
  }

  async #checkpoints(): Promise<Checkpoint[]> {
    const { store, keepCheckpoints = Number.POSITIVE_INFINITY } = this.#options
    const checkpoints = await store.checkpoints().catch((error) => {
      throw rescueHint(error, store)
    })
    // To leave some out may be meant, but is never done unasked.
    if (store.onDisk?.hasOlderCheckpoints && keepCheckpoints > checkpoints.length) {
      const most = grouped(checkpoints.length)
      throw new FluxError(
        'EFBIG',
        `${store.name}: has more than ${most} checkpoints: a compaction keeps ${most} at most`,
        {
          hint: '--keep-checkpoints N keeps the N newest',
        },
      )
    }
    return checkpoints.slice(0, keepCheckpoints)
  }

  /** Choose all that the checkpoints reach. @throws {FluxError} `EBADMSG` one of them is not whole */
  async #choose(copier: StoreCopier, checkpoints: readonly Checkpoint[]): Promise<void> {
    const { store } = this.#options
    for (const [index, { rootref }] of checkpoints.entries()) {
      const { count, first } = await this.#chooseTree(copier, rootref)
      if (first !== undefined) throw notWhole(store, index, rootref, count, first)
      await this.#chooseNamespaces(copier, rootref)
    }
    // Flux takes it for granted: it stores it when it starts, and refers to it later. Where it is not, it is not missed.
    await copier.choose(Buffer.from(blobrefOf(store.hash, EMPTY_DIR).slice(store.hash.length + 1), 'hex'))
  }

  async #chooseTree(copier: StoreCopier, rootref: string): Promise<{ count: number; first: FluxError | undefined }> {
    const { store, signal } = this.#options
    const faults: FluxError[] = []
    let count = 0
    const onFault = (error: FluxError, blobref: string) => {
      count++
      if (faults.length < FIRST_FAULTS) faults.push(new FluxError(error.code, `${blobref}: ${error.message}`))
    }
    await chooseTree(store, copier, rootref, { onFault, signal })
    return { count, first: faults[0] }
  }

  /** Choose what the namespaces of running jobs reach. What they lack may have been given up long ago. */
  async #chooseNamespaces(copier: StoreCopier, rootref: string): Promise<void> {
    const { store, onWarning, signal } = this.#options
    for (const namespace of await namespaceRoots({ store, rootref }, { onFault: () => {}, signal })) {
      const { count } = await this.#chooseTree(copier, namespace.rootref)
      if (count === 0) continue
      const job = formatJobid(namespace.jobid, 'f58')
      onWarning?.(`the namespace of job ${job} (${namespace.rootref}) lacks ${countText(count, 'blob')}`, 'namespace')
    }
  }
}

/** The blob of an empty directory. */
const EMPTY_DIR = dirBlob(new Map())

/** @throws {FluxError} `ENOTSUP` */
function copierOf({ name, onDisk }: ContentStore): StoreCopier {
  if (onDisk?.copier) return onDisk.copier
  throw new FluxError('ENOTSUP', `${name}: blobs of such a store cannot be copied as they are`, {
    hint: 'a compaction needs a content.sqlite; dump, and restore to a new store',
  })
}

/** @throws {FluxError} `EEXIST`, `ENOENT`, `ENOTDIR`; or the errno of the file system */
function outputPath(path: string): string {
  const output = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'content.sqlite') : path
  if (lstatSync(output, { throwIfNoEntry: false })) {
    throw new FluxError('EEXIST', `cannot write ${output}: File exists`, {
      hint: 'name a new file: a compaction replaces nothing',
    })
  }
  const dir = dirname(output)
  if (!existsSync(dir)) throw new FluxError('ENOENT', `cannot write ${output}: No such file or directory`)
  return output
}

/** @throws {FluxError} `ENOSPC` */
function roomFor(output: string, neededBytes: number, dryRun: boolean): number {
  const dir = dirname(output)
  const free = freeBytes(dir)
  if (free >= neededBytes || dryRun) return free
  throw new FluxError(
    'ENOSPC',
    `cannot write ${output}: it takes ${byteText(neededBytes)}, and ${dir} has only ${byteText(free)} free`,
    { hint: 'write to another file system' },
  )
}

function notWhole(store: ContentStore, index: number, rootref: string, count: number, first: FluxError): FluxError {
  const what = `${countText(count, 'blob')} missing or damaged, the first ${first.message}`
  const error = new FluxError('EBADMSG', `${store.name}: checkpoint ${index} (${rootref}) is not whole: ${what}`)
  return rescueHint(error, store, index === 0 ? '' : `--keep-checkpoints ${index} leaves it out; `) as FluxError
}

/** Name the way out of damage. */
function rescueHint(error: unknown, { name }: ContentStore, before = ''): unknown {
  if (!(error instanceof FluxError)) return error
  if (!['EBADMSG', 'EPROTO', 'ENOENT'].includes(error.code)) return error
  const hint = `${before}rescue --store ${name} --out DIR saves what can be read`
  return new FluxError(error.code, error.message, { cause: error, hint })
}
