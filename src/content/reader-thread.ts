/** The reading thread of an offline store. */
import { workerData } from 'node:worker_threads'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { FilesReader } from './files/reader.ts'
import type { PackedBatch } from './packed-batch.ts'
import { type SqliteAccess, SqliteReader } from './sqlite/reader.ts'
import { type Answer, serveThread } from './thread.ts'

/** What the thread is started with. */
export interface ReaderThreadData {
  kind: 'sqlite' | 'files'
  path: string
  name: string
  /** For `sqlite`. */
  access: SqliteAccess
  verify: boolean
}

/** What it answers. */
export type ReaderHandlers = {
  hash: () => Answer<HashName>
  checkpoints: () => Answer<Checkpoint[]>
  batch: (args: {
    hex: string
    count: number
    budgetBytes: number
  }) => Answer<{ batch: PackedBatch; objects: number | undefined }>
  sizes: (args: { hex: string; count: number }) => Answer<Float64Array>
  close: () => Answer<undefined>
}

const data = workerData as ReaderThreadData

serveThread(data.name, (): ReaderHandlers => {
  const reader = data.kind === 'sqlite' ? new SqliteReader(data.path, data) : new FilesReader(data.path, data)
  return {
    hash: () => ({ reply: reader.hash }),
    checkpoints: () => ({ reply: reader.checkpoints() }),
    batch({ hex, count, budgetBytes }) {
      const batch = reader.readBatch(hex, count, budgetBytes)
      const buffers = new Set([batch.arena, ...batch.large.values()].map((bytes) => bytes.buffer as ArrayBuffer))
      return { reply: { batch, objects: reader.objects }, transfer: [...buffers] }
    },
    sizes: ({ hex, count }) => ({ reply: reader.sizes(hex, count) }),
    close() {
      reader.close()
      return { reply: undefined }
    },
  }
})
