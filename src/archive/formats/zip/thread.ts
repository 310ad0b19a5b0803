/** Runs in the threads of packers.ts. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../../threads/index.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import { ZipHeaders } from './headers.ts'
import { type PackedRun, packRun } from './pack-run.ts'

/** Start data of the thread. */
export interface PackerData {
  attributes: MemberAttributes
  level: number
}

/** The calls of the thread. */
export type PackerHandlers = {
  pack: (request: { run: Uint8Array; members: number }) => Answer<PackedRun>
}

const { attributes, level } = workerData as PackerData

serveThread('zip', (): PackerHandlers => {
  const headers = new ZipHeaders(attributes)
  return {
    pack({ run, members }) {
      const packed = packRun(Buffer.from(run.buffer, run.byteOffset, run.length), members, headers, level)
      return { reply: packed, transfer: [packed.bytes.buffer as ArrayBuffer, packed.notes.buffer as ArrayBuffer] }
    },
  }
})
