/** The writing thread of an offline store. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../threads/index.ts'
import type { BlobBatch } from './blob-batch.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { WriterModule } from './store-kind.ts'

/** What the thread is started with. */
export interface WriterThreadData {
  /** The name of the store for messages. */
  name: string
  /** The URL of a {@link WriterModule}, and the data for its `openWriter`. */
  module: string
  data: unknown
}

/** The handlers of the thread. */
export type WriterHandlers = {
  hash: () => Answer<HashName>
  store: (batch: BlobBatch) => Answer<undefined>
  commit: (checkpoint: Checkpoint) => Answer<undefined>
  close: () => Answer<undefined>
}

const { name, module, data } = workerData as WriterThreadData

serveThread(name, async (): Promise<WriterHandlers> => {
  const { openWriter } = (await import(module)) as WriterModule
  const writer = openWriter(data)
  let failure: unknown
  /**
   * After the first error all calls fail: later batches may be queued already, and must not be stored without the
   * others.
   */
  const attempt = (work: () => void): Answer<undefined> => {
    if (failure !== undefined) throw failure
    try {
      work()
      return { reply: undefined }
    } catch (error) {
      failure = error
      writer.close()
      throw error
    }
  }
  return {
    hash: () => ({ reply: writer.hash }),
    store: (batch) => attempt(() => writer.store(batch)),
    commit: (checkpoint) => attempt(() => writer.commit(checkpoint)),
    close() {
      writer.close()
      return { reply: undefined }
    },
  }
})
