/** Opens the two sides of a comparison, each named by one word. */
import { existsSync } from 'node:fs'
import { type ContentStore, isBlobref, isStatedir, recogniseStore } from '../content/index.ts'
import { errnoText, FluxError } from '../errors/index.ts'
import { resolveRoot, type Snapshot } from '../kvs/index.ts'
import { openArchiveStore, openSource, type SourceChoice } from './source-choice.ts'
import { UsageError } from './usage-error.ts'

/** A parsed word. */
interface SideName {
  kind: 'store' | 'archive' | 'uri' | 'flags'
  /** A path or URI. */
  where: string
  /** Index of a checkpoint, or blobref of a root. */
  root: number | string | undefined
}

/** The two sides of a comparison. If both are in one store, it is opened once. */
export class Sides implements AsyncDisposable {
  readonly a: Snapshot
  readonly b: Snapshot

  /**
   * Open the sources that two words name. A word is `store:PATH` or the path of a store, `archive:FILE` or the path of
   * an archive, or a URI; each can be followed by `@N` for a checkpoint or `@BLOBREF` for a root. `@N` or a blobref
   * alone is in the source that the flags name.
   *
   * @param flags - the source of words without one; also how all sources are read
   * @throws {UsageError} a word is malformed
   * @throws {FluxError} a source cannot be opened
   */
  static async open(wordA: string, wordB: string, flags: SourceChoice): Promise<Sides> {
    const names = [parseSide(wordA, flags), parseSide(wordB, flags)] as const
    const stores = new Map<string, ContentStore>()
    const open = async (name: SideName) => {
      const id = `${name.kind}:${name.where}`
      const store = stores.get(id) ?? (await openSide(name, flags, [...stores.values()][0]))
      stores.set(id, store)
      const choice = typeof name.root === 'string' ? { root: name.root } : { checkpointIndex: name.root }
      return resolveRoot(store, { ...choice, namespace: flags.namespace })
    }
    try {
      // An archive has no hash algorithm. It gets that of the other side, so that more values can be compared by
      // blobref.
      const archiveFirst = names[0].kind === 'archive'
      const second = archiveFirst ? await open(names[1]) : undefined
      const a = await open(names[0])
      return new Sides(a, second ?? (await open(names[1])))
    } catch (error) {
      for (const store of stores.values()) await store.close()
      throw error
    }
  }

  private constructor(a: Snapshot, b: Snapshot) {
    this.a = a
    this.b = b
  }

  async assertUnchanged(): Promise<void> {
    await this.a.store.assertUnchanged()
    await this.b.store.assertUnchanged()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.a.store.close()
    await this.b.store.close()
  }
}

function parseSide(word: string, { salvage }: SourceChoice): SideName {
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

async function openSide({ kind, where }: SideName, flags: SourceChoice, other: ContentStore | undefined) {
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
