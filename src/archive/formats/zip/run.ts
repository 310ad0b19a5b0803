/**
 * A run: small members in a row in one buffer, which is moved to a thread and back. One message carries some hundred
 * members, without an object for each.
 */
import type { ZipMember } from './headers.ts'

/** Most bytes of a run. */
export const RUN_BYTES = 1 << 20
/** Most members of a run: this bounds the room for their headers. */
export const RUN_MEMBERS = 2048
/** Content of at least this size is not put into a run, but deflated in blocks of its own. */
export const LARGE_BYTES = 512 << 10

const IS_SYMLINK = 0
const NAME_BYTES = 4
const RECORDS_BYTES = 8
const SIZE = 12
const HEAD_BYTES = 16

/** A run that is being filled. */
export class Run {
  /** Bytes used. */
  bytes = 0
  members = 0
  readonly buffer: Buffer<ArrayBuffer>

  /** @param buffer - {@link RUN_BYTES} to fill */
  constructor(buffer: ArrayBuffer) {
    this.buffer = Buffer.from(buffer)
  }

  /** True when there is room for one more member. */
  fits(path: string, size: number, records: Uint8Array): boolean {
    if (this.members >= RUN_MEMBERS) return false
    return this.bytes + HEAD_BYTES + 3 * path.length + records.length + size <= RUN_BYTES
  }

  /** Add a member that fits, and is smaller than {@link LARGE_BYTES}. */
  add(path: string, isSymlink: boolean, size: number, parts: readonly Uint8Array[], records: Uint8Array): void {
    const { buffer, bytes: head } = this
    const nameBytes = buffer.write(path, head + HEAD_BYTES)
    buffer.writeUInt32LE(isSymlink ? 1 : 0, head + IS_SYMLINK)
    buffer.writeUInt32LE(nameBytes, head + NAME_BYTES)
    buffer.writeUInt32LE(records.length, head + RECORDS_BYTES)
    buffer.writeUInt32LE(size, head + SIZE)
    let at = head + HEAD_BYTES + nameBytes
    buffer.set(records, at)
    at += records.length
    for (const part of parts) {
      buffer.set(part, at)
      at += part.length
    }
    this.bytes = at
    this.members++
  }
}

/** A member of a run: its content, and the data of its headers. The packer sets checksum, packed size and method. */
export type RunMember = ZipMember & { content: Buffer }

/**
 * The members of a run, in order, as views of it. The same object is yielded each time, so use it before the next one.
 */
export function* membersOf(run: Buffer): Generator<RunMember> {
  const member = { isDeflated: false, crc: 0, packed: 0 } as RunMember
  for (let at = 0; at < run.length; ) {
    const nameAt = at + HEAD_BYTES
    const recordsAt = nameAt + run.readUInt32LE(at + NAME_BYTES)
    const contentAt = recordsAt + run.readUInt32LE(at + RECORDS_BYTES)
    member.isSymlink = run.readUInt32LE(at + IS_SYMLINK) === 1
    member.size = run.readUInt32LE(at + SIZE)
    member.name = run.subarray(nameAt, recordsAt)
    member.records = run.subarray(recordsAt, contentAt)
    member.content = run.subarray(contentAt, contentAt + member.size)
    yield member
    at = contentAt + member.size
  }
}
