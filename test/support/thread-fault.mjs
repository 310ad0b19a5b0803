/** Loaded before the CLI (`node --import`), in each of its threads: ends them. See held-fault.ts. */
import { syncBuiltinESMExports } from 'node:module'
import workerThreads, { isMainThread, parentPort } from 'node:worker_threads'

const { THREAD_FAULT: fault, THREAD_FAULT_AFTER: after } = process.env

if (isMainThread && fault === 'memory') {
  const { Worker } = workerThreads
  workerThreads.Worker = class extends Worker {
    constructor(file, options) {
      super(file, { ...options, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 } })
    }
  }
  syncBuiltinESMExports()
}
if (!isMainThread) {
  let left = Number(after)
  const kept = []
  const happen = () => {
    if (fault === 'exit') process.exit(0)
    if (fault === 'throw') throw new Error('made to throw')
    for (;;) kept.push(new Array(1000).fill(kept.length))
  }
  // Before the CLI's own listener, and not one that keeps the thread alive.
  const { on } = parentPort
  parentPort.on = function (event, listener) {
    if (event !== 'message') return on.call(this, event, listener)
    return on.call(this, event, (message) => {
      if (left-- <= 0) happen()
      listener(message)
    })
  }
}
