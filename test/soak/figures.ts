/** What a process holds, as /proc says, and whether that grows. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Memory is in bytes; descriptors include sockets. */
export interface Figures {
  memory: number
  descriptors: number
  sockets: number
  threads: number
}

/** The share of rounds in which caches may fill, and the memory that may then still come. */
const WARM_UP = 0.2
const MEMORY_SLACK = 16 * 1024 * 1024

/** The figures of a process; its memory is what it has resident. */
export function figuresOf(pid: number): Figures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      // It was closed meanwhile, as is the descriptor that lists this directory.
      return []
    }
  })
  return {
    memory: number('VmRSS') * 1024,
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    threads: number('Threads'),
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The figures of this process; its memory is what is left on the heap, and in buffers, after a garbage collection. */
export function ownFigures(): Figures {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return { ...figuresOf(process.pid), memory: heapUsed + external }
}

/** Collects the figures of one process, round by round. */
export class Flatness {
  readonly #name: string
  readonly #measure: () => Figures
  readonly #warmUpRounds: number
  readonly #all: Figures[] = []

  constructor(name: string, measure: () => Figures, rounds: number) {
    this.#name = name
    this.#measure = measure
    this.#warmUpRounds = Math.ceil(rounds * WARM_UP)
  }

  /** Measure, at the end of a round. */
  record(): void {
    this.#all.push(this.#measure())
  }

  /** Print what it was after the warm-up and in the last rounds. @throws {Error} something has grown */
  report({ memory: isMemoryBound }: { memory: boolean }): void {
    const least = (figures: Figures[], name: keyof Figures) => Math.min(...figures.map((each) => each[name]))
    const after = this.#all.slice(this.#warmUpRounds)
    // The least of several rounds: a connection that is just being closed is not a leak.
    const count = Math.max(1, Math.min(5, Math.floor(after.length / 2)))
    const grown: string[] = []
    const texts = (['descriptors', 'sockets', 'threads', 'memory'] as const).map((name) => {
      // Of counts the most of the first half: helpers of the broker, such as those of job-ingest, end when they are idle.
      const early = after.slice(0, Math.ceil(after.length / 2))
      const from = name === 'memory' ? least(after.slice(0, count), name) : Math.max(...early.map((each) => each[name]))
      const to = least(after.slice(-count), name)
      const isBound = name !== 'memory' || isMemoryBound
      if (isBound && to > from + (name === 'memory' ? MEMORY_SLACK : 0)) grown.push(name)
      return `${name} ${from} to ${to}`
    })
    console.log(`${this.#name}, ${this.#all.length} rounds: ${texts.join(', ')}`)
    if (grown.length > 0) throw new Error(`${this.#name}: ${grown.join(', ')} grew`)
  }
}
