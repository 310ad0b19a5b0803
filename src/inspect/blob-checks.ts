/** Directories loaded, and blobs of values compared with their blobrefs where they lie, in batches of both. */
import { ContentError, type ContentStore } from '../content/index.ts'
import { isTooLarge, MAX_DIR_BYTES } from '../kvs/index.ts'
import { type BadBlob, badBlob } from './damage.ts'

/** Blobs asked for at a time. */
const BATCH = 512

/** Bytes of directories in a batch. */
const BATCH_BYTES = 16 << 20

/** A directory or a value whose blobs are to be looked at. */
export interface ToCheck {
  readonly type: 'dir' | 'value'
  readonly blobrefs: readonly string[]
}

/** A directory's blob, or why it cannot be had; or what is wrong with a value, undefined for nothing. */
export type Checked = Uint8Array | ContentError | BadBlob[] | undefined

export class BlobChecks {
  readonly #store: ContentStore

  constructor(store: ContentStore) {
    this.#store = store
  }

  /** Take what makes a batch: about as many blobs as are asked for at a time. */
  take<T extends ToCheck>(next: () => T | undefined): T[] {
    const taken: T[] = []
    const most = Math.max(1, Math.min(BATCH, Math.ceil(this.#store.window / 2)))
    for (let blobs = 0; blobs < most; ) {
      const one = next()
      if (one === undefined) break
      blobs += one.blobrefs.length
      taken.push(one)
    }
    return taken
  }

  /**
   * @returns what became of each, in order. Of a directory's blobrefs only the first counts; one too large to be held beside
   *   others is left for {@link whole}.
   */
  async batch(batch: readonly ToCheck[]): Promise<Checked[]> {
    const dirs = batch.filter(({ type }) => type === 'dir').map(({ blobrefs }) => blobrefs[0] as string)
    const values = batch.flatMap(({ type, blobrefs }) => (type === 'value' ? blobrefs : []))
    const [loaded, checked] = await Promise.all([this.#load(dirs), this.#check(values)])
    let dir = 0
    let value = 0
    return batch.map(({ type, blobrefs }) => {
      if (type === 'dir') return loaded[dir++] as Uint8Array | ContentError
      let bad: BadBlob[] | undefined
      for (let i = 0; i < blobrefs.length; i++) {
        const error = checked[value++]
        if (error !== undefined) (bad ??= []).push(badBlob(i, error))
      }
      return bad
    })
  }

  /** A directory that was too large to be loaded beside others; anything else as it is. */
  async whole(result: Checked): Promise<Checked> {
    if (!(result instanceof ContentError && isTooLarge(result))) return result
    return (await this.#store.loadBatch([result.blobref], 1, MAX_DIR_BYTES))[0]
  }

  async #load(blobrefs: readonly string[]): Promise<(Uint8Array | ContentError)[]> {
    const results: (Uint8Array | ContentError)[] = new Array(blobrefs.length)
    for (let left = [...blobrefs.keys()]; left.length > 0; ) {
      const some = await this.#store.loadBatch(
        left.map((i) => blobrefs[i] as string),
        BATCH_BYTES,
        BATCH_BYTES,
      )
      left = left.filter((place, i) => {
        const result = some[i]
        if (result === undefined) return true
        results[place] = result
        return false
      })
    }
    return results
  }

  /** What is wrong with each of some blobs. One that is named again and again is looked at once. */
  async #check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const distinct = new Map<string, ContentError | undefined>()
    for (const blobref of blobrefs) distinct.set(blobref, undefined)
    const list = distinct.size === blobrefs.length ? blobrefs : [...distinct.keys()]
    const found: (ContentError | undefined)[] = []
    // A single value may have any number of blobs.
    for (let at = 0; at < list.length; at += BATCH) {
      for (const error of await this.#store.checkBatch(list.slice(at, at + BATCH))) found.push(error)
    }
    if (list === blobrefs) return found
    for (const [i, blobref] of list.entries()) distinct.set(blobref, found[i])
    return blobrefs.map((blobref) => distinct.get(blobref))
  }
}
