/** Which source a command line names, and its root. Completion asks too, so nothing here knows oclif. */
import { statSync } from 'node:fs'
import { BrokerStore, type ContentStore, isBlobref, openStore } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import type { RootChoice } from '../kvs/index.ts'
import type { ArchiveStore, OpenArchiveStoreOptions } from '../restore/index.ts'
import type { Progress } from './progress.ts'
import { silenceOptions } from './silence.ts'
import { UsageError } from './usage-error.ts'
import { holdYoungGeneration } from './young-generation.ts'

export interface SourceChoice {
  uri?: string | undefined
  store?: string | undefined
  archive?: string | undefined
  /** How long a live instance may be silent: a duration. */
  timeout?: string | undefined
  verify: boolean
  maxreqs?: number | undefined
  'no-cache'?: boolean | undefined
  /** Read a live instance's blobs from the file of its backing store, where possible (default true). */
  direct?: boolean | undefined
  'sd-notify'?: boolean | undefined
  namespace?: string | undefined
  /** Directories where a store with a journal may be given second names. */
  scratchDirs?: readonly string[]
  /** Called with a one-line warning and its kind: what is wrong in an archive, or that a live instance is silent. */
  onWarning?: (message: string, kind: string) => void
  /**
   * Shows how far the reading is, of an archive that is opened and of what is opened afterwards.
   *
   * @internal
   */
  progress?: Progress | undefined
  /** Where the instance and the way to it are looked up (default: the process's). */
  env?: NodeJS.ProcessEnv | undefined
  /** Gives up connecting, and closes a live instance later on. */
  signal?: AbortSignal
}

/** Open what the flags name. @throws {FluxError} when it cannot be opened */
export async function openSource(choice: SourceChoice): Promise<ContentStore> {
  const store = await openUnwatched(choice)
  choice.progress?.readsStore(store)
  return store
}

async function openUnwatched(choice: SourceChoice): Promise<ContentStore> {
  const { uri, store, archive, verify, maxreqs, scratchDirs, onWarning, progress, signal } = choice
  if (archive !== undefined) {
    if (store !== undefined) throw new UsageError('--archive does not go with --store', 'give one of them')
    refuseLiveFlags({ ...choice }, 'archive')
    holdYoungGeneration()
    return openArchiveStore(archive, { onWarning, progress, signal })
  }
  if (store !== undefined) {
    refuseLiveFlags({ ...choice })
    holdYoungGeneration()
    return openStore(store, { verify, scratchDirs, signal })
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

/** Open an archive as a store, and show how far the reading is. @throws {FluxError} as {@link ArchiveStore.open} */
export async function openArchiveStore(
  path: string,
  { progress, ...options }: OpenArchiveStoreOptions & Pick<SourceChoice, 'progress'>,
): Promise<ArchiveStore> {
  const { ArchiveStore } = await import('../restore/index.ts')
  return ArchiveStore.open(path, { ...options, onStart: (reading) => progress?.readsArchive(path, reading) })
}

/** @throws {UsageError} an archive would take the place of the store on disk that it is to be of, by whatever name */
export function refuseToReplace({ name }: ContentStore, outfile: string): void {
  const there = identityOf(outfile)
  if (there === undefined) return
  if (['', '-wal', '-journal'].every((suffix) => identityOf(name + suffix) !== there)) return
  throw new UsageError(`${outfile}: is the store that is to be dumped`, 'give the archive a name of its own')
}

/** What all links to a file have in common, hard ones too; undefined where nothing is. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    return undefined
  }
}

/** A live instance that is closed when the signal is aborted: one that does not answer must not hold up an interrupt. */
export function closedBy<T extends { close(): Promise<void> }>(signal: AbortSignal | undefined, live: T): T {
  // Not at once: who listens to the signal too may have something to send before, such as that a watch is cancelled.
  const close = () => void setImmediate(() => live.close().catch(() => {}))
  if (signal?.aborted) close()
  else signal?.addEventListener('abort', close, { once: true })
  return live
}

/** An error of connecting, with what to give when nothing was. @param instead - what else can be given */
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

/** The flags that say which root of a source is meant. */
export interface RootFlags {
  namespace?: string | undefined
  checkpoint?: boolean | undefined
  'checkpoint-index'?: number | undefined
  root?: string | undefined
}

/** Which root the flags mean. @throws {UsageError} when `--root` is not a blobref */
export function rootChoice(flags: RootFlags): RootChoice {
  const { root, checkpoint, 'checkpoint-index': checkpointIndex } = flags
  if (root !== undefined && !isBlobref(root)) {
    throw new UsageError(`--root ${root}: not a blobref`, 'it looks like sha1- and 40 lower-case hex digits')
  }
  const namespace = flags.namespace ?? (process.env.FLUX_KVS_NAMESPACE || undefined)
  return { root, checkpoint, checkpointIndex, namespace }
}

/** Flags that only a live instance has a meaning for. */
const LIVE_FLAGS = ['uri', 'timeout', 'maxreqs', 'no-cache', 'sd-notify', 'namespace'] as const

/**
 * Refuse flags for a live instance beside one for something without a broker. Not left to oclif, whose usage lines do not
 * come out well with many flags that exclude one.
 *
 * @param beside - the flag they are refused for
 * @throws {UsageError}
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

/** What a flag names that does not change, and why nobody can be asked about it. */
const FIXED: Readonly<Record<string, string>> = {
  store: 'a store on disk has no broker',
  archive: 'an archive has no broker',
  checkpoint: 'a checkpoint does not change',
  'checkpoint-index': 'a checkpoint does not change',
  root: 'what is below a root does not change',
}

/**
 * Refuse what only a live instance can do beside a flag that names something else.
 *
 * @param what - the flags that ask for it, among `flags`; or in words, the command that does
 * @throws {UsageError}
 */
export function refuseUnlessLive(flags: Readonly<Record<string, unknown>>, what: readonly string[] | string): void {
  const isGiven = (name: string) => flags[name] !== undefined && flags[name] !== false
  const beside = Object.keys(FIXED).find(isGiven)
  const asked = typeof what === 'string' ? what : what.find(isGiven)
  if (beside === undefined || asked === undefined) return
  throw new UsageError(`${typeof what === 'string' ? what : `--${asked}`} does not go with --${beside}`, FIXED[beside])
}

/** @throws {UsageError} it is no URI */
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

/** True when a checkpoint or root is named: then the content store has the answer, and not the KVS service. */
export function namesRoot({ root, checkpoint, checkpointIndex }: RootChoice): boolean {
  return root !== undefined || checkpoint === true || checkpointIndex !== undefined
}
