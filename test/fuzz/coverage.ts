/** Which blocks of the sources have run, from V8's precise coverage of this thread. */
import { Session } from 'node:inspector'

interface Range {
  startOffset: number
  endOffset: number
  count: number
}
interface Taken {
  result: { url: string; functions: { ranges: Range[] }[] }[]
}

/** The blocks of the sources that have run in this thread. */
export class Coverage {
  readonly #session = new Session()
  /** Blocks by file and place. */
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** How many blocks have been seen. */
  get size(): number {
    return this.#seen.size
  }

  /** The blocks that have run since the last call, and never before. */
  take(): Set<string> {
    const fresh = new Set<string>()
    for (const block of this.#ran()) {
      if (this.#seen.has(block)) continue
      this.#seen.add(block)
      fresh.add(block)
    }
    return fresh
  }

  /** Remove from `blocks` those that have run since the last call. @returns true when there were any */
  strike(blocks: Set<string>): boolean {
    const before = blocks.size
    for (const block of this.#ran()) blocks.delete(block)
    return blocks.size < before
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  *#ran(): Generator<string> {
    let taken: Taken | undefined
    // In the thread of the session itself the answer comes at once.
    this.#session.post('Profiler.takePreciseCoverage', (_error: Error | null, answer: unknown) => {
      taken = answer as Taken
    })
    for (const { url, functions } of taken?.result ?? []) {
      if (!url.includes('/src/')) continue
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) yield `${url}:${startOffset}:${endOffset}`
        }
      }
    }
  }
}
