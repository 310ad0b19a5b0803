/** What runs in the threads of encode.ts: blocks come in, each goes back as a stream. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { FromBzip2Thread } from './encode.ts'
import { Libbz2 } from './libbz2.ts'

const port = parentPort as MessagePort
const level = workerData as number
const libbz2 = new Libbz2()

const send = (message: FromBzip2Thread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

port.on('message', (block: Uint8Array<ArrayBuffer>) => {
  try {
    const packed = libbz2.compress(block, level)
    // Freed here: a thread with as little garbage as this one has no reason to look for it.
    block.buffer.transfer(0)
    send({ packed }, [packed.buffer])
  } catch (error) {
    send({ failed: (error as Error).message })
  }
})
