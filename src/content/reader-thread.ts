/**
 * The reading thread of an offline store: SQLite, decompression and hashing block, so they run beside the thread that
 * walks and writes. One message a batch each way; the bytes of blobs are handed over, not copied.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type ErrnoName, FluxError } from '../errors/index.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import { FilesReader } from './files/reader.ts'
import type { PackedBatch } from './packed-batch.ts'
import { type SqliteAccess, SqliteReader } from './sqlite/reader.ts'

/** What the thread is started with. */
export interface ReaderThreadData {
  kind: 'sqlite' | 'files'
  path: string
  name: string
  /** For `sqlite`. */
  access: SqliteAccess
  verify: boolean
}

export type ReaderRequest =
  | { id: number; type: 'batch'; hex: string; count: number; budgetBytes: number }
  | { id: number; type: 'checkpoints' }
  | { id: number; type: 'close' }

/** An error as it crosses between threads: a structured clone would keep the message alone. */
export interface PlainError {
  code: ErrnoName
  message: string
  hint: string | undefined
}

export type ReaderReply =
  | { id: number; type: 'opened'; hash: HashName }
  | { id: number; type: 'batch'; batch: PackedBatch; objects: number | undefined }
  | { id: number; type: 'checkpoints'; checkpoints: Checkpoint[] }
  | { id: number; type: 'closed' }
  | { id: number; type: 'error'; error: PlainError }

if (parentPort) serve(parentPort, workerData as ReaderThreadData)

function serve(port: NonNullable<typeof parentPort>, data: ReaderThreadData): void {
  const send = (reply: ReaderReply, transfer: readonly ArrayBuffer[] = []) => port.postMessage(reply, transfer)
  const fail = (id: number, error: unknown) => {
    const { code, message, hint } = FluxError.fromSystem(error, data.name)
    send({ id, type: 'error', error: { code, message, hint } })
  }
  let reader: SqliteReader | FilesReader
  try {
    reader = data.kind === 'sqlite' ? new SqliteReader(data.path, data) : new FilesReader(data.path, data)
    send({ id: 0, type: 'opened', hash: reader.hash })
  } catch (error) {
    fail(0, error)
    port.close()
    return
  }
  port.on('message', (request: ReaderRequest) => {
    const { id } = request
    try {
      if (request.type === 'batch') {
        const batch = reader.readBatch(request.hex, request.count, request.budgetBytes)
        const buffers = new Set([batch.arena, ...batch.large.values()].map((bytes) => bytes.buffer as ArrayBuffer))
        send({ id, type: 'batch', batch, objects: reader.objects }, [...buffers])
      } else if (request.type === 'checkpoints') {
        send({ id, type: 'checkpoints', checkpoints: reader.checkpoints() })
      } else {
        reader.close()
        send({ id, type: 'closed' })
        port.close()
      }
    } catch (error) {
      fail(id, error)
    }
  })
}
