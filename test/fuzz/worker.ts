/** Fuzzes in a thread of its own, which can be ended and has a bounded heap. */
import { parentPort, workerData } from 'node:worker_threads'
import { readCorpus, readFinds } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { type Find, Fuzzer } from './fuzzer.ts'
import { installMeter } from './meter.ts'
import type { Target } from './target.ts'
import { TARGETS } from './targets/index.ts'

/** The work of the thread. */
export interface FuzzWork {
  targets: readonly string[]
  seed: number
  /** Inputs for each target, by its name. */
  inputs: Readonly<Record<string, number>>
  /** Seconds for each target; undefined without a limit. */
  seconds?: number | undefined
  /** The share of inputs, and of the time, that are run with coverage, which is slower: 0 to 1. */
  explore: number
  /** Shows the input that runs: how many have run, its bytes, and the input itself. */
  shared: SharedArrayBuffer
}

/** What was done for one target. */
export interface FuzzResult {
  target: string
  inputs: number
  seconds: number
  /** Seconds of processor time, of all threads. */
  cpuSeconds: number
  /** Blocks of the sources that have run. */
  blocks: number
  finds: Find[]
  /** Inputs that ran something new. */
  added: Uint8Array[]
}

/** Numbers in the shared memory before the input. */
export const SHARED = { COUNT: 0, BYTES: 1, TARGET: 2, HEAD_BYTES: 12 } as const

const BATCH = 64

async function fuzz(target: Target, work: FuzzWork): Promise<FuzzResult> {
  const { seed, explore, shared } = work
  const inputs = work.inputs[target.name] as number
  const numbers = new Int32Array(shared, 0, 3)
  const bytes = new Uint8Array(shared, SHARED.HEAD_BYTES)
  Atomics.store(numbers, SHARED.TARGET, TARGETS.indexOf(target))
  const seeds = [...(await target.seeds()), ...readCorpus(target.name)]
  const fuzzer = new Fuzzer(target, seeds, seed, (input) => {
    bytes.set(input)
    numbers[SHARED.BYTES] = input.length
    Atomics.add(numbers, SHARED.COUNT, 1)
  })
  const begin = performance.now()
  const cpuBegin = process.cpuUsage()
  const isOver = (share: number) =>
    fuzzer.count >= inputs * share ||
    (work.seconds !== undefined && performance.now() - begin >= work.seconds * 1000 * share)
  const known = [...seeds, ...readFinds(target.name).map(({ input }) => input)]
  const coverage = explore > 0 ? new Coverage() : undefined
  for (const input of known) await fuzzer.try(input)
  coverage?.take()
  while (coverage !== undefined && !isOver(explore)) {
    await fuzzer.explore(
      coverage,
      Array.from({ length: BATCH }, () => fuzzer.make()),
    )
  }
  coverage?.stop()
  while (!isOver(1)) {
    const count = Math.min(BATCH, inputs - fuzzer.count)
    await fuzzer.try(...Array.from({ length: count }, () => fuzzer.make()))
    // Others of this thread have their turn: the readers' timers, and the message that ends it.
    await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(cpuBegin)
  return {
    target: target.name,
    cpuSeconds: (user + system) / 1e6,
    inputs: fuzzer.count,
    seconds: (performance.now() - begin) / 1000,
    blocks: coverage?.size ?? 0,
    finds: fuzzer.finds,
    added: fuzzer.added,
  }
}

if (parentPort !== null) {
  const work = workerData as FuzzWork
  const port = parentPort
  installMeter()
  for (const target of TARGETS) if (work.targets.includes(target.name)) port.postMessage(await fuzz(target, work))
  // Timers of the code that was run do not keep it.
  process.exit(0)
}
