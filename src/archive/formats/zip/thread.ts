/** Runs in the threads of packers.ts. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../../threads/index.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import { ZipHeaders } from './headers.ts'
import { PACKED_BYTES, type PackedRun, packRun } from './pack-run.ts'

/** Start data of the thread. */
export interface PackerData {
  attributes: MemberAttributes
  level: number
}

/** The calls of the thread. */
export type PackerHandlers = {
  /** `out` is {@link PACKED_BYTES} for the packed run. The memory of `run` comes back as `spent`. */
  pack: (request: { run: Uint8Array<ArrayBuffer>; out: ArrayBuffer }) => Answer<PackedRun & { spent: ArrayBuffer }>
}

const { attributes, level } = workerData as PackerData

serveThread('zip', (): PackerHandlers => {
  const headers = new ZipHeaders(attributes)
  const scratch = Buffer.allocUnsafeSlow(PACKED_BYTES)
  return {
    pack({ run, out }) {
      const members = Buffer.from(run.buffer, run.byteOffset, run.length)
      const packed = packRun(members, headers, level, Buffer.from(out), scratch)
      const spent = run.buffer
      return { reply: { ...packed, spent }, transfer: [packed.bytes.buffer, packed.notes.buffer, spent] }
    },
  }
})
