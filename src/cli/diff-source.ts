/** Opens the two sides of a comparison, each named by one word. */
import type { ContentStore } from '../content/index.ts'
import { resolveRoot, type Snapshot } from '../kvs/index.ts'
import { openNamed, parseSourceName, type SourceName } from './named-source.ts'
import type { SourceChoice } from './source-choice.ts'

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
    const names = [parseSourceName(wordA, flags), parseSourceName(wordB, flags)] as const
    const stores = new Map<string, ContentStore>()
    const open = async (name: SourceName) => {
      const id = `${name.kind}:${name.where}`
      const store = stores.get(id) ?? (await openNamed(name, flags, [...stores.values()][0]))
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
