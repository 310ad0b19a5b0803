import { grown } from '../../../bytes/index.ts'
import type { Job } from '../job.ts'
import type { HeldSum } from './job-usage.ts'

/** A broker has fewer ranks: a few bytes of a damaged record must not fill the memory. */
const MAX_RANK = 1 << 20

/** For how long jobs held each node, by its rank. */
export class HeldByRank implements HeldSum {
  #seconds = new Float64Array(64)

  add({ allocation = [] }: Job, held: { from: number; to: number } | undefined): void {
    if (held === undefined) return
    for (const { ranks } of allocation) {
      for (const rank of ranks) {
        if (rank >= MAX_RANK) break
        this.#seconds = grown(this.#seconds, rank + 1)
        this.#seconds[rank] = (this.#seconds[rank] as number) + held.to - held.from
      }
    }
  }

  /** Seconds for which a node was held. */
  secondsOf(rank: number): number {
    return this.#seconds[rank] ?? 0
  }
}
