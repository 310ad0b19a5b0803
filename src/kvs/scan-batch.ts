/**
 * Batches of a tree scan: each loads directories, and verifies blobs of values against their blobrefs without loading
 * them.
 */
import { ContentError, type ContentStore, loadEach } from '../content/index.ts'
import { MAX_DIR_BYTES } from './treeobj.ts'
import { isTooLarge } from './value-stream.ts'

/** Blobs requested at a time. */
const BATCH = 512

/** Bytes of directories loaded at a time. */
const BATCH_BYTES = 16 << 20

/** A blob of a value that is missing, unreadable or altered. */
export interface BadPart {
  /** Index of the blob in the value's blobrefs. */
  readonly index: number
  readonly error: ContentError
}

/** A directory to load, or a value whose blobs to verify. */
export interface ToCheck {
  readonly type: 'dir' | 'value'
  readonly blobrefs: readonly string[]
}

/** For a directory its blob, or the error; for a value its bad blobs, undefined when it is sound. */
export type Checked = Uint8Array | ContentError | BadPart[] | undefined

export class ScanBatches {
  readonly #store: ContentStore

  readonly #most: number | undefined

  /** @param most - blobs requested at a time (default: half of the store's window, 512 at most) */
  constructor(store: ContentStore, most: number | undefined) {
    this.#store = store
    this.#most = most
  }

  /**
   * Take items from `next` until they make a batch, and `next` returns undefined at the end. The last item may exceed
   * the number of blobs.
   */
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
   * @returns the result of each item, in order. Of a directory's blobrefs only the first counts. A directory too large
   *   to load beside others fails with `EFBIG`: load it with {@link whole}.
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

  /** Load a directory that was too large to load beside others. Any other result is returned unchanged. */
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

  /**
   * Verify blobs. @returns the error of each, undefined for a sound one. A blobref that occurs several times is
   * verified once.
   */
  async #check(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const distinct = new Map<string, ContentError | undefined>()
    for (const blobref of blobrefs) distinct.set(blobref, undefined)
    const list = distinct.size === blobrefs.length ? blobrefs : [...distinct.keys()]
    const found: (ContentError | undefined)[] = []
    // One value can have any number of blobs, so a batch of items can exceed a batch of blobs.
    for (let at = 0; at < list.length; at += BATCH) {
      for (const error of await this.#store.checkBatch(list.slice(at, at + BATCH))) found.push(error)
    }
    if (list === blobrefs) return found
    for (const [i, blobref] of list.entries()) distinct.set(blobref, found[i])
    return blobrefs.map((blobref) => distinct.get(blobref))
  }
}
