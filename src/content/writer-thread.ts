/** The writing thread of an offline store. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../threads/index.ts'
import type { BlobBatch } from './blob-batch.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { FilesWriter } from './files/writer.ts'
import { SqliteWriter } from './sqlite/writer.ts'

/** What the thread is started with. */
export interface WriterThreadData {
  kind: 'sqlite' | 'files'
  path: string
  name: string
  hash: HashName | undefined
}

/** What it answers. */
export type WriterHandlers = {
  hash: () => Answer<HashName>
  store: (batch: BlobBatch) => Answer<undefined>
  commit: (checkpoint: Checkpoint) => Answer<undefined>
  close: () => Answer<undefined>
}

const data = workerData as WriterThreadData

serveThread(data.name, (): WriterHandlers => {
  const writer = data.kind === 'sqlite' ? new SqliteWriter(data.path, data) : new FilesWriter(data.path, data)
  let failure: unknown
  /** The first error ends it: batches are on their way already, and what they write must not outlive the others. */
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
