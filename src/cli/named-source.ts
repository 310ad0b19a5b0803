/**
 * Sources that are named by one word: `store:PATH` or the path of a store, `archive:FILE` or the path of an archive, or a
 * URI; each can be followed by `@N` for a checkpoint or `@BLOBREF` for a root.
 */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type ContentStore, isBlobref, isStatedir, recogniseStore } from '../content/index.ts'
import { errnoText, FluxError, shellWord } from '../errors/index.ts'
import { PRIMARY_NAMESPACE, type RootChoice, resolveRoot, type Snapshot } from '../kvs/index.ts'
import { openArchiveStore, openSource, type SourceChoice } from './source-choice.ts'
import { UsageError } from './usage-error.ts'

/** A parsed word. */
export interface SourceName {
  kind: 'store' | 'archive' | 'uri' | 'flags'
  /** A path or URI. */
  where: string
  /** Index of a checkpoint, or blobref of a root. */
  root: number | string | undefined
}

/** A source that was opened by its name. */
export interface NamedSource {
  readonly snapshot: Snapshot
  /** A path or URI. */
  readonly name: string
  /** `sqlite`, `files`, `archive` or `broker`. */
  readonly kind: string
  /** The flags that name its store in another command. */
  readonly flags: string
  /** The flags that name its root, if it is not the usual one. */
  readonly rootFlags: string
  /** The word that names the snapshot, as a shell takes it. */
  readonly word: string
}

/** Opens named sources, a store that several words name once. */
export class NamedSources implements AsyncDisposable {
  readonly #flags: SourceChoice
  readonly #stores = new Map<string, ContentStore>()

  /** @param flags - the source of words without one; also how all sources are read */
  constructor(flags: SourceChoice) {
    this.#flags = flags
  }

  /**
   * @param word - undefined for the source that the flags name
   * @param choice - the root, if the word names none
   * @throws {UsageError} the word is malformed, or names a source when flags name one too
   * @throws {FluxError} the source cannot be opened
   */
  async open(word: string | undefined, choice: RootChoice): Promise<NamedSource> {
    const flags = this.#flags
    const named = word === undefined ? undefined : parseSourceName(word, flags)
    const { kind, where, root } = named?.kind === undefined || named.kind === 'flags' ? ofFlags(flags, named) : named
    const id = `${kind}:${where}`
    const source = { kind: named === undefined ? ('flags' as const) : named.kind, where, root }
    const store = this.#stores.get(id) ?? (await openNamed(source, flags, [...this.#stores.values()][0]))
    this.#stores.set(id, store)
    const rootOf = root === undefined ? choice : typeof root === 'string' ? { root } : { checkpointIndex: root }
    const snapshot = await resolveRoot(store, { namespace: flags.namespace, ...rootOf })
    const { checkpointIndex, rootref } = snapshot
    const { namespace } = snapshot
    const isNamed =
      root !== undefined ||
      choice.root !== undefined ||
      choice.checkpointIndex !== undefined ||
      (choice.checkpoint === true && kind === 'uri')
    const isOther = namespace !== undefined && namespace !== PRIMARY_NAMESPACE
    const rootFlags = isOther
      ? `--namespace ${shellWord(namespace)}`
      : !isNamed
        ? ''
        : checkpointIndex === undefined
          ? `--root ${rootref}`
          : `--checkpoint-index ${checkpointIndex}`
    const name = where === '' ? store.name : where
    const suffix = isNamed || isOther ? `@${checkpointIndex ?? rootref}` : ''
    const salvaged = flags.salvage && kind !== 'uri' ? ' --salvage' : ''
    return {
      snapshot,
      name,
      kind: kindOf(kind, where),
      flags: `${flagOf(kind)} ${shellWord(name)}${salvaged}`,
      rootFlags,
      word: shellWord(`${name}${suffix}`),
    }
  }

  /** @throws {FluxError} `EBUSY` a store was changed while it was read */
  async assertUnchanged(): Promise<void> {
    for (const store of this.#stores.values()) await store.assertUnchanged()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores.values()) await store.close()
  }
}

/** What the flags name. */
function ofFlags({ store, archive, uri = '' }: SourceChoice, named: SourceName | undefined): SourceName {
  const root = named?.root
  if (archive !== undefined) return { kind: 'archive', where: archive, root }
  if (store !== undefined) return { kind: 'store', where: store, root }
  return { kind: 'uri', where: uri, root }
}

function kindOf(kind: SourceName['kind'], where: string): string {
  if (kind === 'archive') return 'archive'
  if (kind !== 'store') return 'broker'
  const { fileName } = recogniseStore(where, { salvage: true }).kind
  return basename(fileName).replace(/^content\./, '')
}

function flagOf(kind: SourceName['kind']): string {
  return kind === 'archive' ? '--archive' : kind === 'store' ? '--store' : '--uri'
}

/** Read a word that names a source. @throws {UsageError} it is malformed @throws {FluxError} there is no such path */
export function parseSourceName(word: string, { salvage }: SourceChoice): SourceName {
  if (isBlobref(word)) return { kind: 'flags', where: '', root: word }
  // The name of an existing file is never split at an @.
  const [, base = word, suffix] = existsSync(word) ? [] : (/^(.*)@(\d+|sha\d+-[0-9a-f]+)$/.exec(word) ?? [])
  const root = suffix === undefined ? undefined : isBlobref(suffix) ? suffix : Number(suffix)
  if (Number.isNaN(root)) throw new UsageError(`${word}: ${suffix} is not a blobref`)
  if (base === '') return { kind: 'flags', where: '', root }
  if (base.startsWith('store:')) return { kind: 'store', where: base.slice('store:'.length), root }
  if (base.startsWith('archive:')) return { kind: 'archive', where: base.slice('archive:'.length), root }
  if (/^[a-z]+:\/\//.test(base)) return { kind: 'uri', where: base, root }
  return { kind: isStore(base, salvage) ? 'store' : 'archive', where: base, root }
}

/**
 * True for a content store, false for an archive.
 *
 * @param salvage - a statedir with a damaged store is a store, too
 * @throws {FluxError} the path does not exist or cannot be read; or it is a statedir with a damaged store
 */
function isStore(path: string, salvage = false): boolean {
  if (path === '-') return false
  try {
    recogniseStore(path)
    return true
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    if (error.code === 'EINVAL') {
      // A damaged statedir must not be compared as a directory of unpacked values.
      if (isStatedir(path)) {
        if (salvage) return true
        throw error
      }
      return false
    }
    const hint = error.code === 'ENOENT' ? 'give the path of a store or an archive, a URI, or @N' : undefined
    throw new FluxError(error.code, `cannot open ${path}: ${errnoText(error.code)}`, { cause: error, hint })
  }
}

const noLiveFlags = {
  timeout: undefined,
  maxreqs: undefined,
  'no-cache': false,
  direct: undefined,
  namespace: undefined,
}

/** Open the store that a word names. @param other - a store whose algorithm an archive gets */
export async function openNamed(
  { kind, where }: SourceName,
  flags: SourceChoice,
  other: ContentStore | undefined,
): Promise<ContentStore> {
  if (kind === 'archive') {
    const store = await openArchiveStore(where, flags, other?.hash)
    flags.progress?.readsStore(store)
    return store
  }
  if (kind === 'flags') return openSource(flags)
  const { uri: _uri, store: _store, archive: _archive, ...how } = flags
  return openSource(
    kind === 'uri' ? { ...how, salvage: undefined, uri: where } : { ...how, ...noLiveFlags, store: where },
  )
}
