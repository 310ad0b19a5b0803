/** Packs a run into members of a zip: headers and contents for the archive, and notes for its directory. */
import { crc32, deflateRawSync } from 'node:zlib'
import { HEADER_ROOM, type ZipHeaders } from './headers.ts'
import { noteBytes, putNote } from './notes.ts'
import { membersOf, RUN_BYTES, RUN_MEMBERS } from './run.ts'

/** The result of packing a run. */
export interface PackedRun {
  bytes: Uint8Array<ArrayBuffer>
  /** Deflated notes. Offsets count from the start of `bytes`. */
  notes: Uint8Array<ArrayBuffer>
}

/**
 * Room for any packed run, and for its notes. The run holds each name and its records once, as header and notes do, and
 * contents never get longer.
 */
export const PACKED_BYTES = RUN_BYTES + RUN_MEMBERS * HEADER_ROOM

/** Content of up to this many bytes does not get shorter. */
const MAX_ALWAYS_STORED = 8

/**
 * A smaller deflate window for contents of up to this size: zlib clears less memory for each. Measured a sixth faster.
 */
const SMALL_WINDOW = { bytes: 4096, bits: 12 }

/**
 * @param level - deflate level, 1 to 9
 * @param out - where the packed run goes: {@link PACKED_BYTES}
 * @param notes - scratch memory of the same size
 */
export function packRun(
  run: Buffer,
  headers: ZipHeaders,
  level: number,
  out: Buffer<ArrayBuffer>,
  notes: Buffer,
): PackedRun {
  let at = 0
  let noted = 0
  for (const member of membersOf(run)) {
    const { content } = member
    const deflated = content.length > MAX_ALWAYS_STORED && !member.isSymlink ? deflate(content, level) : content
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
  // Room for the whole output, so that zlib needs only one call.
  const chunkSize = Math.max(64, content.length + 32)
  if (content.length > SMALL_WINDOW.bytes) return deflateRawSync(content, { level, chunkSize })
  return deflateRawSync(content, { level, chunkSize, windowBits: SMALL_WINDOW.bits })
}

/** The notes of a member that is not in a run. */
export function noteOf(member: Parameters<typeof putNote>[2]): Uint8Array {
  const note = Buffer.allocUnsafe(noteBytes(member))
  putNote(note, 0, member, 0)
  return packNotes(note)
}

function packNotes(notes: Buffer): Uint8Array<ArrayBuffer> {
  // A copy, since zlib returns a view of a much larger buffer.
  return new Uint8Array(deflateRawSync(notes, { level: 1 }))
}
