/** What runs in the threads of packers.ts. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ZipHeaders } from './headers.ts'
import { packRun } from './pack-run.ts'
import type { PackerData, PackerRequest } from './packers.ts'

const port = parentPort as MessagePort
const { attributes, level } = workerData as PackerData
const headers = new ZipHeaders(attributes)

port.on('message', ({ run, members }: PackerRequest) => {
  const packed = packRun(Buffer.from(run.buffer, run.byteOffset, run.length), members, headers, level)
  port.postMessage(packed, [packed.bytes.buffer as ArrayBuffer, packed.notes.buffer as ArrayBuffer])
})
