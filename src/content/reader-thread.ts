/** The reading thread of an offline store. */
import { workerData } from 'node:worker_threads'
import { serveThread } from '../threads/index.ts'
import type { SharedCounts } from './read-counts.ts'
import { type ReaderHandlers, readerHandlers } from './reader-handlers.ts'
import type { ReaderModule } from './store-kind.ts'

/** What the thread is started with. */
export interface ReaderThreadData {
  /** The name of the store for messages. */
  name: string
  /** The URL of a {@link ReaderModule}, and the data for its `openReader`. */
  module: string
  data: unknown
  shared: SharedCounts
}

const { name, module, data, shared } = workerData as ReaderThreadData

serveThread(name, async (): Promise<ReaderHandlers> => {
  const { openReader } = (await import(module)) as ReaderModule
  return readerHandlers(openReader(data), shared)
})
