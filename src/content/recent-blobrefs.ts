/** How many are remembered, at least; at most twice as many. */
const REMEMBERED = 1 << 16

/**
 * What has been stored lately, or is about to be. Jobs submitted together share a jobspec, which need not be stored again.
 */
export class RecentBlobrefs {
  #recent = new Set<string>()
  #before = new Set<string>()

  /** True the first time it is asked for a blobref, and again when that is long ago. */
  isNew(blobref: string): boolean {
    if (this.#recent.has(blobref) || this.#before.has(blobref)) return false
    if (this.#recent.size >= REMEMBERED) {
      this.#before = this.#recent
      this.#recent = new Set()
    }
    this.#recent.add(blobref)
    return true
  }
}
