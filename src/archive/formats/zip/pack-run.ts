/** Turns a run into members of a zip: headers and contents as they stand in the archive, and notes for its directory. */
import { crc32, deflateRawSync } from 'node:zlib'
import { HEADER_ROOM, type ZipHeaders } from './headers.ts'
import { noteBytes, putNote } from './notes.ts'
import { membersOf } from './run.ts'

/** What became of a run. */
export interface PackedRun {
  bytes: Uint8Array
  /** Deflated. Offsets count from the start of `bytes`. */
  notes: Uint8Array
}

/** Content up to this long does not get shorter. */
const LEAST_DEFLATED = 8

/** Deflate's window for contents of this size, or smaller: zlib has less to clear for each. Measured a sixth faster. */
const SMALL_WINDOW = { bytes: 4096, bits: 12 }

/** @param level - of deflate, 1 to 9 */
export function packRun(run: Buffer, members: number, headers: ZipHeaders, level: number): PackedRun {
  // A name and its records are in the run once, as in the header; contents never get longer.
  const out = Buffer.from(new ArrayBuffer(run.length + members * HEADER_ROOM))
  const notes = Buffer.allocUnsafe(run.length + members * HEADER_ROOM)
  let at = 0
  let noted = 0
  for (const member of membersOf(run)) {
    const { content } = member
    const deflated = content.length > LEAST_DEFLATED && !member.isSymlink ? deflate(content, level) : content
    member.isDeflated = deflated.length < content.length
    const packed = member.isDeflated ? deflated : content
    member.packed = packed.length
    member.crc = crc32(content)
    const offset = at
    at = headers.local(out, at, member)
    out.set(packed, at)
    at += packed.length
    noted = putNote(notes, noted, member, offset)
  }
  return { bytes: out.subarray(0, at), notes: packNotes(notes.subarray(0, noted)) }
}

function deflate(content: Buffer, level: number): Buffer {
  // Room for all of it, so that zlib ends in one call.
  const chunkSize = Math.max(64, content.length + 32)
  if (content.length > SMALL_WINDOW.bytes) return deflateRawSync(content, { level, chunkSize })
  return deflateRawSync(content, { level, chunkSize, windowBits: SMALL_WINDOW.bits })
}

/** Notes of a member that was in no run. */
export function noteOf(member: Parameters<typeof putNote>[2]): Uint8Array {
  const note = Buffer.allocUnsafe(noteBytes(member))
  putNote(note, 0, member, 0)
  return packNotes(note)
}

function packNotes(notes: Buffer): Uint8Array {
  // A copy: what zlib answers lies in a much larger buffer.
  return new Uint8Array(deflateRawSync(notes, { level: 1 }))
}
