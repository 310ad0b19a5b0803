/**
 * Opens the source that a command line names, and finds its root. Completion uses it too, so it must not load oclif.
 */
import { statSync } from 'node:fs'
import { BrokerStore, type ContentStore, type HashName, isBlobref, openStore } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import type { RootChoice } from '../kvs/index.ts'
import type { ArchiveReading, ArchiveStore, OpenArchiveStoreOptions } from '../restore/index.ts'
import { archiveCacheDir } from './cache-dir.ts'
import { EXIT } from './exit-status.ts'
import type { Progress } from './progress.ts'
import { silenceOptions } from './silence.ts'
import { UsageError } from './usage-error.ts'
import { holdYoungGeneration } from './young-generation.ts'

export interface SourceChoice {
  uri?: string | undefined
  store?: string | undefined
  archive?: string | undefined
  /** Keep what is read of an archive in the user's cache directory, and use what was kept (default false). */
  'cache-dir'?: boolean | undefined
  /** Read an archive even if it was kept (default false): the question is whether it can be read. */
  isArchiveAnew?: boolean | undefined
  /** How long a live instance may be silent: a duration. */
  timeout?: string | undefined
  verify: boolean
  /** Read what is left of a damaged store or archive. */
  salvage?: boolean | undefined
  /** What cannot be read may be missing. */
  'ignore-failed-read'?: boolean | undefined
  maxreqs?: number | undefined
  'no-cache'?: boolean | undefined
  /** Read a live instance's blobs from the file of its backing store, where possible (default true). */
  direct?: boolean | undefined
  'sd-notify'?: boolean | undefined
  namespace?: string | undefined
  /** Directories where hard links to a store with a journal may be made. */
  scratchDirs?: readonly string[]
  /** Called with a one-line warning and its kind: about an archive, or about a live instance that does not answer. */
  onWarning?: (message: string, kind: string) => void
  /**
   * Shows how far the reading of this source is.
   *
   * @internal
   */
  progress?: Progress | undefined
  /** Environment variables for finding and connecting to the instance (default: those of the process). */
  env?: NodeJS.ProcessEnv | undefined
  /** Aborts connecting; later it closes a live instance. */
  signal?: AbortSignal
}

/**
 * Open the source that the flags name.
 *
 * @throws {UsageError} flags contradict each other
 * @throws {FluxError} it cannot be opened
 */
export async function openSource(choice: SourceChoice): Promise<ContentStore> {
  const store = await openUnwatched(choice)
  choice.progress?.readsStore(store)
  return store
}

async function openUnwatched(choice: SourceChoice): Promise<ContentStore> {
  const { uri, store, archive, verify, salvage, maxreqs, scratchDirs, onWarning, signal } = choice
  if (salvage && store === undefined && archive === undefined) {
    throw new UsageError('--salvage needs --store or --archive', 'a live instance has no files to read')
  }
  if (archive !== undefined) {
    if (store !== undefined) throw new UsageError('--archive does not go with --store', 'give one of them')
    refuseLiveFlags({ ...choice }, 'archive')
    holdYoungGeneration()
    return openArchiveStore(archive, choice)
  }
  if (store !== undefined) {
    refuseLiveFlags({ ...choice })
    holdYoungGeneration()
    return openStore(store, { verify, salvage, scratchDirs, signal })
  }
  const silence = silenceOptions(choice.timeout, onWarning)
  const options = {
    verify,
    maxreqs,
    noCache: choice['no-cache'],
    direct: choice.direct,
    env: choice.env,
    signal,
    ...silence,
  }
  const live = await BrokerStore.open(uri, options).catch((error) => {
    throw noInstanceHint(error, uri)
  })
  return closedBy(signal, live)
}

/**
 * Open an archive as a store, and show the progress.
 *
 * @param hash - see {@link OpenArchiveStoreOptions}
 * @throws {FluxError} as {@link ArchiveStore.open}
 */
export async function openArchiveStore(
  path: string,
  {
    salvage,
    'ignore-failed-read': ignores,
    onWarning,
    progress,
    signal,
    isArchiveAnew,
    'cache-dir': keeps,
  }: SourceChoice,
  hash?: HashName,
): Promise<ArchiveStore> {
  const { ArchiveStore } = await import('../restore/index.ts')
  const cacheDir = keeps && !isArchiveAnew ? archiveCacheDir() : undefined
  const onStart = (reading: ArchiveReading) => progress?.readsArchive(path, reading)
  const store = await ArchiveStore.open(path, { hash, cacheDir, salvage, onWarning, onStart, signal })
  // What the command prints is not all that was in the archive.
  if (store.restored.lost > 0 && !ignores) process.exitCode = EXIT.FAILED
  return store
}

/**
 * @param name - of a store, or the path of an archive
 * @param what - what would be written there
 * @throws {UsageError} the output file is this source, even by another name or a hard link
 */
export function refuseToReplace({ name }: { name: string }, outfile: string | undefined, what = 'the archive'): void {
  const there = outfile === undefined ? undefined : identityOf(outfile)
  if (there === undefined) return
  if (['', '-wal', '-journal'].every((suffix) => identityOf(name + suffix) !== there)) return
  throw new UsageError(
    `${outfile}: this is the ${what === 'the archive' ? 'store to be dumped' : 'source'}`,
    `give ${what} another name`,
  )
}

/** Device and inode of a file; undefined if there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    return undefined
  }
}

/** Close a live instance when the signal is aborted: one that does not answer must not delay an interrupt. */
export function closedBy<T extends { close(): Promise<void> }>(signal: AbortSignal | undefined, live: T): T {
  // Not at once: other listeners of the signal may first send messages, such as the cancellation of a watch.
  const close = () => void setImmediate(() => live.close().catch(() => {}))
  if (signal?.aborted) close()
  else signal?.addEventListener('abort', close, { once: true })
  return live
}

/** Add a hint to an error of connecting, if no instance was named. @param instead - the alternatives, for the hint */
export function noInstanceHint(
  error: unknown,
  uri: string | undefined,
  instead = 'a store on disk with --store PATH, or an archive with --archive FILE',
): unknown {
  const unnamed = uri === undefined && process.env.FLUX_URI === undefined
  if (!(unnamed && error instanceof FluxError && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')))
    return error
  const hint = `no instance runs here: name one with --uri or FLUX_URI, ${instead}`
  return new FluxError(error.code, error.message, { cause: error, hint })
}

/** The flags that choose a root of a source. */
export interface RootFlags {
  namespace?: string | undefined
  checkpoint?: boolean | undefined
  'checkpoint-index'?: number | undefined
  root?: string | undefined
}

/** The root that the flags choose. @throws {UsageError} `--root` is not a blobref */
export function rootChoice(flags: RootFlags): RootChoice {
  const { root, checkpoint, 'checkpoint-index': checkpointIndex } = flags
  if (root !== undefined && !isBlobref(root)) {
    throw new UsageError(`--root ${root}: not a blobref`, 'it looks like sha1- and 40 lower-case hex digits')
  }
  const namespace = flags.namespace ?? (process.env.FLUX_KVS_NAMESPACE || undefined)
  return { root, checkpoint, checkpointIndex, namespace }
}

/** Flags that only apply to a live instance. */
const LIVE_FLAGS = ['uri', 'timeout', 'maxreqs', 'no-cache', 'sd-notify', 'namespace'] as const

/**
 * Refuse flags for a live instance together with `--store` or `--archive`. oclif could do this, but its usage lines are
 * hard to read when many flags exclude one.
 *
 * @param beside - the flag that they contradict
 * @throws {UsageError} such a flag is given
 */
export function refuseLiveFlags(flags: Readonly<Record<string, unknown>>, beside: 'store' | 'archive' = 'store'): void {
  const why = beside === 'store' ? 'a store on disk has no broker' : 'an archive has no broker'
  for (const name of LIVE_FLAGS) {
    if (flags[name] !== undefined && flags[name] !== false) {
      throw new UsageError(`--${name} does not go with --${beside}`, why)
    }
  }
  if (flags.direct !== undefined) {
    throw new UsageError(`--${flags.direct ? '' : 'no-'}direct does not go with --${beside}`, why)
  }
}

/** The flags for sources that do not change, each with the reason why there is nothing to wait for. */
const FIXED: Readonly<Record<string, string>> = {
  store: 'a store on disk has no broker',
  archive: 'an archive has no broker',
  checkpoint: 'a checkpoint does not change',
  'checkpoint-index': 'a checkpoint does not change',
  root: 'a root does not change',
}

/**
 * Refuse what only a live instance can do, together with a flag that names another source or a fixed root.
 *
 * @param what - the names of the flags that need a live instance; or the name of the command, if it needs one itself
 * @throws {UsageError} such flags are given
 */
export function refuseUnlessLive(flags: Readonly<Record<string, unknown>>, what: readonly string[] | string): void {
  const isGiven = (name: string) => flags[name] !== undefined && flags[name] !== false
  const beside = Object.keys(FIXED).find(isGiven)
  const asked = typeof what === 'string' ? what : what.find(isGiven)
  if (beside === undefined || asked === undefined) return
  throw new UsageError(`${typeof what === 'string' ? what : `--${asked}`} does not go with --${beside}`, FIXED[beside])
}

/** Check a URI, and return it. @throws {UsageError} the text is not a URI */
export function checkedUri(text: string): string {
  try {
    BrokerStore.checkUri(text)
    return text
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    if (text === '') throw new UsageError('--uri: the URI is empty')
    throw new UsageError(`--uri ${error.message}`, error.hint, { cause: error })
  }
}

/** True when a checkpoint or root is named: then keys are read from the content store, not through the KVS service. */
export function namesRoot({ root, checkpoint, checkpointIndex }: RootChoice): boolean {
  return root !== undefined || checkpoint === true || checkpointIndex !== undefined
}
