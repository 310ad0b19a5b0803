/** The writing thread of an offline store. */
import { workerData } from 'node:worker_threads'
import type { BlobBatch } from './blob-batch.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { FilesWriter } from './files/writer.ts'
import { SqliteWriter } from './sqlite/writer.ts'
import { type Answer, serveThread } from './thread.ts'

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
  const done = { reply: undefined }
  return {
    hash: () => ({ reply: writer.hash }),
    store: (batch) => {
      writer.store(batch)
      return done
    },
    commit: (checkpoint) => {
      writer.commit(checkpoint)
      return done
    },
    close: () => {
      writer.close()
      return done
    },
  }
})
