/** Runs in the threads of encode.ts: compresses a block into a stream. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../../threads/index.ts'
import { Libbz2 } from './libbz2.ts'

/** Start data of the thread. `level` is 1 to 9. */
export interface Bzip2ThreadData {
  level: number
}

/** The calls of the thread. */
export type Bzip2Handlers = {
  compress: (block: Uint8Array<ArrayBuffer>) => Answer<Uint8Array<ArrayBuffer>>
}

const { level } = workerData as Bzip2ThreadData

serveThread('bzip2', (): Bzip2Handlers => {
  const libbz2 = new Libbz2()
  return {
    compress(block) {
      const packed = libbz2.compress(block, level)
      // Free the block now. A thread with so little garbage would not collect it for a long time.
      block.buffer.transfer(0)
      return { reply: packed, transfer: [packed.buffer] }
    },
  }
})
