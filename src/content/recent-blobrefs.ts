/** The least number of blobrefs to remember; at most twice as many are remembered. */
const REMEMBERED = 1 << 16

/**
 * Remembers blobs that were stored or queued lately, so that they are not stored again. For example, jobs submitted
 * together share a jobspec.
 */
export class RecentBlobrefs {
  #recent = new Set<string>()
  #before = new Set<string>()

  /** True for a blobref that is not remembered; it is remembered from now on. */
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
