/** What runs in the threads of encode.ts: a block comes in, and goes back as a stream. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../../threads/index.ts'
import { Libbz2 } from './libbz2.ts'

/** What the thread is started with: 1 to 9. */
export interface Bzip2ThreadData {
  level: number
}

/** What it answers. */
export type Bzip2Handlers = {
  compress: (block: Uint8Array<ArrayBuffer>) => Answer<Uint8Array<ArrayBuffer>>
}

const { level } = workerData as Bzip2ThreadData

serveThread('bzip2', (): Bzip2Handlers => {
  const libbz2 = new Libbz2()
  return {
    compress(block) {
      const packed = libbz2.compress(block, level)
      // Freed here: a thread with as little garbage as this one has no reason to look for it.
      block.buffer.transfer(0)
      return { reply: packed, transfer: [packed.buffer] }
    },
  }
})
