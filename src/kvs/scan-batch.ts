/** Directories loaded, and blobs of values compared with their blobrefs where they lie, in batches of both. */
import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { MAX_DIR_BYTES } from './treeobj.ts'
import { isTooLarge } from './value-stream.ts'

/** Blobs asked for at a time. */
const BATCH = 512

/** Bytes of directories in a batch. */
const BATCH_BYTES = 16 << 20

/** A blob of a value that cannot be had, or is not what it should be. */
export interface BadPart {
  /** Which of the blobs of the value. */
  readonly index: number
  readonly error: ContentError
}

/** A directory or a value whose blobs are to be looked at. */
export interface ToCheck {
  readonly type: 'dir' | 'value'
  readonly blobrefs: readonly string[]
}

/** A directory's blob, or why it cannot be had; or what is wrong with a value, undefined for nothing. */
export type Checked = Uint8Array | ContentError | BadPart[] | undefined

export class ScanBatches {
  readonly #store: ContentStore

  readonly #most: number | undefined

  /** @param most - blobs asked for at a time (default: half of the store's window, 512 at most) */
  constructor(store: ContentStore, most: number | undefined) {
    this.#store = store
    this.#most = most
  }

  /** Take what makes a batch: about as many blobs as are asked for at a time. */
  take<T extends ToCheck>(next: () => T | undefined): T[] {
    const taken: T[] = []
    const most = this.#most ?? Math.max(1, Math.min(BATCH, Math.ceil(this.#store.window / 2)))
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
      let bad: BadPart[] | undefined
      for (let i = 0; i < blobrefs.length; i++) {
        const error = checked[value++]
        if (error !== undefined) (bad ??= []).push({ index: i, error })
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
    const take = (i: number, result: Uint8Array | ContentError) => {
      results[i] = result
    }
    await loadEach(this.#store, blobrefs, take, { most: BATCH, budgetBytes: BATCH_BYTES, maxBlobBytes: BATCH_BYTES })
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
