/** The reading thread of an offline store. */
import { workerData } from 'node:worker_threads'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { StoreTotals } from './content-store.ts'
import { FilesReader } from './files/reader.ts'
import type { CheckedBatch, PackedBatch } from './packed-batch.ts'
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

/** Digests in hex, `count` of them, one after another. */
interface Wanted {
  hex: string
  count: number
}

/** What it answers. */
export type ReaderHandlers = {
  hash: () => Answer<HashName>
  checkpoints: () => Answer<Checkpoint[]>
  batch: (wanted: Wanted & { budgetBytes: number }) => Answer<{ batch: PackedBatch; objects: number | undefined }>
  sizes: (wanted: Wanted) => Answer<Float64Array>
  check: (wanted: Wanted) => Answer<CheckedBatch>
  list: (range: { from: number; count: number }) => Answer<string>
  mark: (wanted: Wanted) => Answer<undefined>
  totals: () => Answer<StoreTotals>
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
    check: ({ hex, count }) => ({ reply: reader.checkBatch(hex, count) }),
    list: ({ from, count }) => ({ reply: reader.list(from, count) }),
    mark({ hex, count }) {
      reader.mark(hex, count)
      return { reply: undefined }
    },
    totals: () => ({ reply: reader.totals() }),
    close() {
      reader.close()
      return { reply: undefined }
    },
  }
})
