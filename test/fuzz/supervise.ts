/** Runs the thread that fuzzes, and ends it when an input does not end. */
import { Worker } from 'node:worker_threads'
import type { Find } from './fuzzer.ts'
import { TARGETS } from './targets/index.ts'
import { type FuzzResult, type FuzzWork, SHARED } from './worker.ts'

const HEAP_MB = 512
/** How often the thread is looked at. */
const LOOK_MS = 1000
/** How much processor time one input may take, and how much time in all where it only waits. */
const MOST_CPU_SECONDS = 30
const MOST_SECONDS = 300

/** @param onResult - called for each target, in turn @param onFind - called for what ended the thread */
export async function supervise(
  work: Omit<FuzzWork, 'shared'>,
  onResult: (result: FuzzResult) => void,
  onFind: (find: Find) => void,
): Promise<void> {
  const shared = new SharedArrayBuffer(SHARED.HEAD_BYTES + (1 << 20))
  const numbers = new Int32Array(shared, 0, 3)
  const left = new Set(work.targets)
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { ...work, shared },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  let hasFound = false
  const found = (what: string) => {
    hasFound = true
    const target = TARGETS[numbers[SHARED.TARGET] as number]?.name as string
    const input = Buffer.from(new Uint8Array(shared, SHARED.HEAD_BYTES, numbers[SHARED.BYTES]))
    left.delete(target)
    onFind({ target, what, stack: what, input })
  }
  let before = -1
  let since = { cpu: process.cpuUsage(), time: performance.now() }
  const timer = setInterval(() => {
    const count = Atomics.load(numbers, SHARED.COUNT)
    if (count !== before) since = { cpu: process.cpuUsage(), time: performance.now() }
    before = count
    const { user, system } = process.cpuUsage(since.cpu)
    const isTooLong = (user + system) / 1e6 > MOST_CPU_SECONDS || performance.now() - since.time > MOST_SECONDS * 1000
    if (!isTooLong || count === 0 || hasFound) return
    found(`does not end within ${MOST_CPU_SECONDS} seconds of processor time`)
    void worker.terminate()
  }, LOOK_MS)
  worker.on('message', (result: FuzzResult) => {
    left.delete(result.target)
    onResult({
      ...result,
      finds: result.finds.map((find) => ({ ...find, input: Buffer.from(find.input) })),
    })
  })
  await new Promise<void>((resolve) => {
    worker.on('error', (error) => found(`ends the thread: ${error.message}`))
    worker.on('exit', () => resolve())
  })
  clearInterval(timer)
  // Nothing is left that could answer, but something still waits.
  if (left.size > 0 && !hasFound) found('never answers')
  const targets = work.targets.filter((target) => left.has(target))
  if (targets.length > 0 && targets.length < work.targets.length)
    await supervise({ ...work, targets }, onResult, onFind)
}
