import { startOf } from '../errors/index.ts'
import type { Job } from '../inspect/index.ts'

/** Names that are listed. */
const MOST = 10

/** Names that are counted at a time. Any user can give each job a name of its own. */
const KNOWN = 20_000

/** A longer name is counted by its beginning. */
const LONGEST = 200

/**
 * Counts by the names of jobs how many failed. When there are too many names, those with the fewest failed jobs are
 * forgotten; their jobs are missing in the counts if the name comes again.
 */
export class FailedNames {
  readonly #names = new Map<string, { failed: number; jobs: number }>()

  add({ name, result }: Job): void {
    if (!name) return
    const short = startOf(name, LONGEST)
    let counts = this.#names.get(short)
    if (counts === undefined) {
      if (this.#names.size >= KNOWN) this.#forget()
      this.#names.set(short, (counts = { failed: 0, jobs: 0 }))
    }
    counts.jobs++
    if (result === 'FAILED') counts.failed++
  }

  /** The names whose jobs failed most often. */
  most(): { name: string; failed: number; jobs: number }[] {
    const all = [...this.#names].map(([name, counts]) => ({ name, ...counts })).filter(({ failed }) => failed > 0)
    return all.sort((a, b) => b.failed - a.failed || (a.name < b.name ? -1 : 1)).slice(0, MOST)
  }

  #forget(): void {
    const byFailed = [...this.#names].sort(([, a], [, b]) => a.failed - b.failed || a.jobs - b.jobs)
    for (const [name] of byFailed.slice(0, KNOWN >> 1)) this.#names.delete(name)
  }
}
