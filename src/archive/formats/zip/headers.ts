/**
 * The headers of a zip (PKWARE APPNOTE.TXT 6.3.10, 4.3.7 to 4.3.16), with fields in the order of the specification.
 * Each member has two: one before its content, and one in the directory at the end.
 */
import { S_IFLNK, S_IFREG } from '../../file-mode.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import {
  DEFLATED,
  END,
  END_BYTES,
  END_MAGIC,
  END64,
  END64_BYTES,
  END64_MAGIC,
  ENTRY_ATTRIBUTES,
  ENTRY_BYTES,
  ENTRY_COMMENT_BYTES,
  ENTRY_CRC,
  ENTRY_DOS_TIME,
  ENTRY_EXTRA_BYTES,
  ENTRY_FLAGS,
  ENTRY_HEADER_OFFSET,
  ENTRY_MADE_BY,
  ENTRY_MAGIC,
  ENTRY_METHOD,
  ENTRY_NAME_BYTES,
  ENTRY_PACKED,
  ENTRY_SIZE,
  ENTRY_VERSION,
  EXTRA_NTFS,
  EXTRA_RECORDS,
  EXTRA_UT,
  EXTRA_UX,
  EXTRA_XL,
  EXTRA_ZIP64,
  FLAG_UTF8,
  LOCAL_BYTES,
  LOCAL_CRC,
  LOCAL_DOS_TIME,
  LOCAL_EXTRA_BYTES,
  LOCAL_FLAGS,
  LOCAL_MAGIC,
  LOCAL_METHOD,
  LOCAL_NAME_BYTES,
  LOCAL_PACKED,
  LOCAL_SIZE,
  LOCAL_VERSION,
  LOCATOR,
  LOCATOR_BYTES,
  LOCATOR_MAGIC,
  MADE_ON_UNIX,
  NTFS_EPOCH_SECONDS,
  SEE_ZIP64_16,
  SEE_ZIP64_32,
  STORED,
} from './layout.ts'

/** The version needed to extract: for deflate, and for Zip64. */
const VERSION = 20
const VERSION_ZIP64 = 45
/** Made on Unix by a tool of version 2.0. On Unix, the upper half of the external attributes is a mode. */
const MADE_BY = (MADE_ON_UNIX << 8) | VERSION

/** The fields in "xl": version made by, and external attributes. */
const XL_FIELDS = 1 | 4
/** Most bytes of a header without name and records. */
export const HEADER_ROOM = 160
/** Most bytes of the name, and of the records: lengths have 16 bits, and the other fields need room too. */
export const MAX_FIELD_BYTES = 0xffff - HEADER_ROOM

/** The data of one member's headers. */
export interface ZipMember {
  /** In UTF-8. */
  name: Uint8Array
  isSymlink: boolean
  isDeflated: boolean
  crc: number
  /** Bytes of the content in the archive, deflated or stored. */
  packed: number
  /** Bytes of the content. */
  size: number
  /** Data of our extra field; usually empty. */
  records: Uint8Array
}

/** Writes the headers of one archive, whose members share owner and time. */
export class ZipHeaders {
  readonly #dosTime: number
  readonly #mode: number
  /** Extra fields that all members have. */
  readonly #extra: Buffer

  /** @throws {RangeError} an attribute does not fit its field; see {@link fitsHeaders} */
  constructor({ mode, uid, gid, mtimeSeconds }: MemberAttributes) {
    this.#dosTime = dosTime(mtimeSeconds)
    this.#mode = mode
    const owner = Buffer.alloc(15)
    owner.writeUInt16LE(EXTRA_UX, 0)
    owner.writeUInt16LE(11, 2)
    owner[4] = 1
    owner[5] = 4
    owner.writeUInt32LE(uid, 6)
    owner[10] = 4
    owner.writeUInt32LE(gid, 11)
    this.#extra = Buffer.concat([timeField(mtimeSeconds), owner])
  }

  /** Write the header before the content. @returns its end offset */
  local(out: Buffer, at: number, member: ZipMember): number {
    const { name, crc, packed, size } = member
    const zip64 = packed >= SEE_ZIP64_32 || size >= SEE_ZIP64_32
    out.writeUInt32LE(LOCAL_MAGIC, at)
    out.writeUInt16LE(zip64 ? VERSION_ZIP64 : VERSION, at + LOCAL_VERSION)
    out.writeUInt16LE(isAscii(name) ? 0 : FLAG_UTF8, at + LOCAL_FLAGS)
    out.writeUInt16LE(member.isDeflated ? DEFLATED : STORED, at + LOCAL_METHOD)
    out.writeUInt32LE(this.#dosTime, at + LOCAL_DOS_TIME)
    out.writeUInt32LE(crc, at + LOCAL_CRC)
    out.writeUInt32LE(zip64 ? SEE_ZIP64_32 : packed, at + LOCAL_PACKED)
    out.writeUInt32LE(zip64 ? SEE_ZIP64_32 : size, at + LOCAL_SIZE)
    out.writeUInt16LE(name.length, at + LOCAL_NAME_BYTES)
    out.set(name, at + LOCAL_BYTES)
    const extraAt = at + LOCAL_BYTES + name.length
    const fields = this.#extraFields(out, extraAt, zip64 ? [size, packed] : [], member.records)
    out.writeUInt16LE(EXTRA_XL, fields)
    out.writeUInt16LE(7, fields + 2)
    out[fields + 4] = XL_FIELDS
    out.writeUInt16LE(MADE_BY, fields + 5)
    const end = out.writeUInt32LE(this.#attributesOf(member), fields + 7)
    out.writeUInt16LE(end - extraAt, at + LOCAL_EXTRA_BYTES)
    return end
  }

  /** Write an entry of the directory. @param offset - offset of the member's local header. @returns its end offset */
  central(out: Buffer, at: number, member: ZipMember, offset: number): number {
    const { name, crc, packed, size } = member
    // The fields that do not fit, in this order (4.5.3).
    const large = [size, packed, offset].filter((value) => value >= SEE_ZIP64_32)
    out.writeUInt32LE(ENTRY_MAGIC, at)
    out.writeUInt16LE(MADE_BY, at + ENTRY_MADE_BY)
    out.writeUInt16LE(large.length > 0 ? VERSION_ZIP64 : VERSION, at + ENTRY_VERSION)
    out.writeUInt16LE(isAscii(name) ? 0 : FLAG_UTF8, at + ENTRY_FLAGS)
    out.writeUInt16LE(member.isDeflated ? DEFLATED : STORED, at + ENTRY_METHOD)
    out.writeUInt32LE(this.#dosTime, at + ENTRY_DOS_TIME)
    out.writeUInt32LE(crc, at + ENTRY_CRC)
    out.writeUInt32LE(Math.min(packed, SEE_ZIP64_32), at + ENTRY_PACKED)
    out.writeUInt32LE(Math.min(size, SEE_ZIP64_32), at + ENTRY_SIZE)
    out.writeUInt16LE(name.length, at + ENTRY_NAME_BYTES)
    // No comment, first disk, no internal attributes.
    out.fill(0, at + ENTRY_COMMENT_BYTES, at + ENTRY_ATTRIBUTES)
    out.writeUInt32LE(this.#attributesOf(member), at + ENTRY_ATTRIBUTES)
    out.writeUInt32LE(Math.min(offset, SEE_ZIP64_32), at + ENTRY_HEADER_OFFSET)
    out.set(name, at + ENTRY_BYTES)
    const extraAt = at + ENTRY_BYTES + name.length
    const end = this.#extraFields(out, extraAt, large, member.records)
    out.writeUInt16LE(end - extraAt, at + ENTRY_EXTRA_BYTES)
    return end
  }

  /** External attributes, with the Unix mode in the upper half. */
  #attributesOf({ isSymlink }: ZipMember): number {
    return ((isSymlink ? S_IFLNK : S_IFREG) | this.#mode) * 0x1_0000
  }

  #extraFields(out: Buffer, from: number, large: readonly number[], records: Uint8Array): number {
    let at = from
    if (large.length > 0) {
      out.writeUInt16LE(EXTRA_ZIP64, at)
      out.writeUInt16LE(8 * large.length, at + 2)
      at += 4
      for (const value of large) at = out.writeBigUInt64LE(BigInt(value), at)
    }
    out.set(this.#extra, at)
    at += this.#extra.length
    if (records.length > 0) {
      out.writeUInt16LE(EXTRA_RECORDS, at)
      out.writeUInt16LE(records.length, at + 2)
      out.set(records, at + 4)
      at += 4 + records.length
    }
    return at
  }
}

/** The end records of the archive (4.3.14 to 4.3.16), with those of Zip64 when a field is too short. */
export function directoryEnd(entries: number, offset: number, size: number, commentBytes = 0): Buffer {
  const end = Buffer.alloc(END_BYTES)
  end.writeUInt32LE(END_MAGIC, 0)
  end.writeUInt16LE(Math.min(entries, SEE_ZIP64_16), END.entriesOnDisk)
  end.writeUInt16LE(Math.min(entries, SEE_ZIP64_16), END.entries)
  end.writeUInt32LE(Math.min(size, SEE_ZIP64_32), END.size)
  end.writeUInt32LE(Math.min(offset, SEE_ZIP64_32), END.offset)
  end.writeUInt16LE(commentBytes, END.commentBytes)
  if (entries < SEE_ZIP64_16 && offset < SEE_ZIP64_32 && size < SEE_ZIP64_32) return end
  const end64 = Buffer.alloc(END64_BYTES)
  end64.writeUInt32LE(END64_MAGIC, 0)
  end64.writeBigUInt64LE(BigInt(END64_BYTES - END64.madeBy), END64.bytesAfter)
  end64.writeUInt16LE((MADE_ON_UNIX << 8) | VERSION_ZIP64, END64.madeBy)
  end64.writeUInt16LE(VERSION_ZIP64, END64.version)
  end64.writeBigUInt64LE(BigInt(entries), END64.entriesOnDisk)
  end64.writeBigUInt64LE(BigInt(entries), END64.entries)
  end64.writeBigUInt64LE(BigInt(size), END64.size)
  end64.writeBigUInt64LE(BigInt(offset), END64.offset)
  const locator = Buffer.alloc(LOCATOR_BYTES)
  locator.writeUInt32LE(LOCATOR_MAGIC, 0)
  locator.writeBigUInt64LE(BigInt(offset + size), LOCATOR.endOffset)
  locator.writeUInt32LE(1, LOCATOR.disks)
  return Buffer.concat([end64, locator, end])
}

/** True when the headers can hold this owner and time. */
export function fitsHeaders({ uid, gid, mtimeSeconds }: MemberAttributes): boolean {
  return uid <= 0xffff_ffff && gid <= 0xffff_ffff && mtimeSeconds >= -NTFS_EPOCH_SECONDS && mtimeSeconds < 2 ** 40
}

/** The time field: "UT", a signed 32-bit number, or for times before 1901 and after 2038 the NTFS field. */
function timeField(mtimeSeconds: number): Buffer {
  if (mtimeSeconds === (mtimeSeconds | 0)) {
    const field = Buffer.alloc(9)
    field.writeUInt16LE(EXTRA_UT, 0)
    field.writeUInt16LE(5, 2)
    field[4] = 1
    field.writeInt32LE(mtimeSeconds, 5)
    return field
  }
  const field = Buffer.alloc(36)
  field.writeUInt16LE(EXTRA_NTFS, 0)
  field.writeUInt16LE(32, 2)
  field.writeUInt16LE(1, 8)
  field.writeUInt16LE(24, 10)
  const ticks = BigInt(mtimeSeconds + NTFS_EPOCH_SECONDS) * 10_000_000n
  // Times of modification, access and creation.
  for (const at of [12, 20, 28]) field.writeBigUInt64LE(ticks, at)
  return field
}

/**
 * DOS time has no time zone. It is written in UTC, so that the bytes do not depend on the local zone. The extra fields
 * hold the exact time.
 */
function dosTime(mtimeSeconds: number): number {
  const first = Date.UTC(1980, 0, 1)
  const last = Date.UTC(2107, 11, 31, 23, 59, 58)
  const date = new Date(Math.min(Math.max(mtimeSeconds * 1000, first), last))
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  return day * 0x1_0000 + time
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false
  return true
}
