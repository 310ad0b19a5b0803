/**
 * Notes hold the data of members until the directory at the end is written: 40 bytes and the name and records of each
 * member. They are deflated one run at a time, to about 15 bytes for each member, and spooled. Sizes and offsets are
 * kept in full; the headers decide about Zip64.
 */
import type { ZipMember } from './headers.ts'

const NOTE_BYTES = 40

/** Bytes that {@link putNote} writes. */
export function noteBytes({ name, records }: ZipMember): number {
  return NOTE_BYTES + name.length + records.length
}

/** @param offset - offset of the member, from the start of its run. @returns the end offset of the note */
export function putNote(out: Buffer, at: number, member: ZipMember, offset: number): number {
  const { name, records } = member
  out.writeUInt32LE((member.isSymlink ? 1 : 0) | (member.isDeflated ? 2 : 0), at)
  out.writeUInt32LE(member.crc, at + 4)
  out.writeDoubleLE(member.packed, at + 8)
  out.writeDoubleLE(member.size, at + 16)
  out.writeDoubleLE(offset, at + 24)
  out.writeUInt32LE(name.length, at + 32)
  out.writeUInt32LE(records.length, at + 36)
  out.set(name, at + NOTE_BYTES)
  out.set(records, at + NOTE_BYTES + name.length)
  return at + NOTE_BYTES + name.length + records.length
}

/** Decode notes, each with the member's offset. The same object is yielded each time, so use it before the next one. */
export function* notesOf(notes: Buffer): Generator<ZipMember & { offset: number }> {
  const member = {} as ZipMember & { offset: number }
  for (let at = 0; at < notes.length; ) {
    const flags = notes.readUInt32LE(at)
    const nameAt = at + NOTE_BYTES
    const recordsAt = nameAt + notes.readUInt32LE(at + 32)
    const end = recordsAt + notes.readUInt32LE(at + 36)
    member.isSymlink = (flags & 1) !== 0
    member.isDeflated = (flags & 2) !== 0
    member.crc = notes.readUInt32LE(at + 4)
    member.packed = notes.readDoubleLE(at + 8)
    member.size = notes.readDoubleLE(at + 16)
    member.offset = notes.readDoubleLE(at + 24)
    member.name = notes.subarray(nameAt, recordsAt)
    member.records = notes.subarray(recordsAt, end)
    yield member
    at = end
  }
}
