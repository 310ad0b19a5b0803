/**
 * Reads the directory at the end of a zip (PKWARE APPNOTE.TXT 6.3.10, 4.3.12 to 4.3.16), with Zip64. The headers before
 * the contents give less: in a streamed zip they have no sizes.
 *
 * We do not use yauzl, because it makes two reads and an event for each member.
 */
import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { ExtraRecords } from '../../format-encoder.ts'
import type { Input } from '../../input.ts'
import type { Reading } from '../../member.ts'
import { extraOf, parsePax } from '../pax.ts'
import { decodeTextRecords } from '../text-records.ts'
import type { Window } from '../window.ts'
import {
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
  EXTRA_NTFS,
  EXTRA_RECORDS,
  EXTRA_UNICODE_PATH,
  EXTRA_UT,
  EXTRA_UX,
  EXTRA_ZIP64,
  FLAG_ENCRYPTED,
  FLAG_MASKED_HEADER,
  FLAG_STRONG_ENCRYPTION,
  FLAG_UTF8,
  LOCATOR,
  LOCATOR_BYTES,
  LOCATOR_MAGIC,
  MADE_ON_DARWIN,
  MADE_ON_UNIX,
  NTFS_EPOCH_SECONDS,
  SEE_ZIP64_16,
  SEE_ZIP64_32,
} from './layout.ts'

const ENCRYPTED = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADER

export interface ZipDirectory {
  offset: number
  size: number
  entries: number
  /** Offset behind all that ends a zip, its comment included. */
  end: number
}

export interface ZipEntry {
  /** Offset of the directory entry. */
  offset: number
  name: string
  /** The raw bytes of the name and of two extra fields. Views, valid until the next entry is read. */
  rawName: Buffer
  rawRecords: Buffer | undefined
  unicodePath: Buffer | undefined
  /** True when made on Unix: then the upper half of the attributes is a mode. */
  unix: boolean
  encrypted: boolean
  method: number
  crc: number
  packed: number
  size: number
  attributes: number
  headerOffset: number
  mtimeSeconds: number
  uid: number
  gid: number
  extra: ExtraRecords | undefined
  /** True for one of which there is only a header, which salvage has found. */
  isFound?: boolean
}

/**
 * Find the directory. @throws {ArchiveError} `EBADMSG` it is missing or does not fit into the file; `ENOTSUP` a split
 * zip
 */
export async function findDirectory(window: Window, reading: Reading): Promise<ZipDirectory> {
  const tailBytes = Math.min(window.size, END_BYTES + 0xffff)
  const tail = await window.at(window.size - tailBytes, tailBytes)
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_MAGIC || at + END_BYTES + tail.readUInt16LE(at + END.commentBytes) > tail.length)
      continue
    const offset = window.size - tailBytes + at
    const comment = tail.subarray(at + END_BYTES, at + END_BYTES + tail.readUInt16LE(at + END.commentBytes))
    reading.note(decodeTextRecords(comment))
    const disk = tail.readUInt16LE(at + END.disk)
    if (disk !== 0 && disk !== SEE_ZIP64_16) {
      throw reading.error('ENOTSUP', 'is one part of a zip in several, which is not supported', { offset })
    }
    const end = {
      entries: tail.readUInt16LE(at + END.entries),
      size: tail.readUInt32LE(at + END.size),
      offset: tail.readUInt32LE(at + END.offset),
    }
    const directory = (await zip64End(window, offset, reading)) ?? end
    if (directory.offset + directory.size > offset || directory.entries * ENTRY_BYTES > directory.size) {
      throw reading.error('EBADMSG', 'damaged: the directory at the end does not fit into the file', { offset })
    }
    return { ...directory, end: offset + END_BYTES + comment.length }
  }
  throw reading.error('EBADMSG', 'truncated: the directory that ends a zip is missing', { offset: window.size })
}

async function zip64End(window: Window, end: number, reading: Reading): Promise<Omit<ZipDirectory, 'end'> | undefined> {
  if (end < LOCATOR_BYTES) return undefined
  const locator = await window.at(end - LOCATOR_BYTES, LOCATOR_BYTES)
  if (locator.readUInt32LE(0) !== LOCATOR_MAGIC) return undefined
  const offset = Number(locator.readBigUInt64LE(LOCATOR.endOffset))
  const record = await window.at(Math.min(offset, window.size), END64_BYTES)
  if (record.length < END64_BYTES || record.readUInt32LE(0) !== END64_MAGIC) {
    throw reading.error('EBADMSG', 'damaged: the Zip64 directory end is not where it should be', { offset })
  }
  return {
    entries: Number(record.readBigUInt64LE(END64.entries)),
    size: Number(record.readBigUInt64LE(END64.size)),
    offset: Number(record.readBigUInt64LE(END64.offset)),
  }
}

/**
 * Skip the next entry of a directory.
 *
 * @returns the offset of its member; undefined when nothing was skipped and {@link readEntry} must read it
 */
export function passEntry(input: Input): number | undefined {
  if (!input.ready(ENTRY_BYTES)) return undefined
  const { buffer, position } = input
  if (buffer.readUInt32LE(position) !== ENTRY_MAGIC) return undefined
  const headerOffset = buffer.readUInt32LE(position + ENTRY_HEADER_OFFSET)
  const variable =
    buffer.readUInt16LE(position + ENTRY_NAME_BYTES) +
    buffer.readUInt16LE(position + ENTRY_EXTRA_BYTES) +
    buffer.readUInt16LE(position + ENTRY_COMMENT_BYTES)
  if (headerOffset === SEE_ZIP64_32 || !input.ready(ENTRY_BYTES + variable)) return undefined
  input.position += ENTRY_BYTES + variable
  return headerOffset
}

/** Read the next entry of a directory. @param input - the bytes of the directory, which begins at offset `base` */
export async function readEntry(input: Input, base: number, reading: Reading): Promise<ZipEntry> {
  const offset = base + input.offset
  if (!input.ready(ENTRY_BYTES) && !(await input.fill(ENTRY_BYTES)))
    throw reading.truncated('the directory', { offset })
  const header = input.buffer
  const at = input.position
  if (header.readUInt32LE(at) !== ENTRY_MAGIC) {
    throw reading.error('EBADMSG', 'damaged: no directory entry where one should be', { offset })
  }
  const nameBytes = header.readUInt16LE(at + ENTRY_NAME_BYTES)
  const extraBytes = header.readUInt16LE(at + ENTRY_EXTRA_BYTES)
  const bytes = ENTRY_BYTES + nameBytes + extraBytes + header.readUInt16LE(at + ENTRY_COMMENT_BYTES)
  if (!input.ready(bytes) && !(await input.fill(bytes))) throw reading.truncated('the directory', { offset })
  const entry = input.buffer.subarray(input.position, input.position + bytes)
  input.position += bytes
  const flags = entry.readUInt16LE(ENTRY_FLAGS)
  const madeOn = entry.readUInt16LE(ENTRY_MADE_BY) >> 8
  const name = entry.subarray(ENTRY_BYTES, ENTRY_BYTES + nameBytes)
  const result: ZipEntry = {
    offset,
    name: (flags & FLAG_UTF8) !== 0 ? reading.text(name, 0, name.length, offset) : oldName(name),
    rawName: name,
    rawRecords: undefined,
    unicodePath: undefined,
    unix: madeOn === MADE_ON_UNIX || madeOn === MADE_ON_DARWIN,
    encrypted: (flags & ENCRYPTED) !== 0,
    method: entry.readUInt16LE(ENTRY_METHOD),
    crc: entry.readUInt32LE(ENTRY_CRC),
    packed: entry.readUInt32LE(ENTRY_PACKED),
    size: entry.readUInt32LE(ENTRY_SIZE),
    attributes: entry.readUInt32LE(ENTRY_ATTRIBUTES),
    headerOffset: entry.readUInt32LE(ENTRY_HEADER_OFFSET),
    mtimeSeconds: Number.NaN,
    uid: 0,
    gid: 0,
    extra: undefined,
  }
  extraFields(entry.subarray(ENTRY_BYTES + nameBytes, ENTRY_BYTES + nameBytes + extraBytes), result, name, reading)
  if (Number.isNaN(result.mtimeSeconds))
    result.mtimeSeconds = dosTime(entry.readUInt16LE(ENTRY_DOS_TIME), entry.readUInt16LE(ENTRY_DOS_TIME + 2))
  return result
}

function extraFields(extra: Buffer, entry: ZipEntry, name: Buffer, reading: Reading): void {
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = extra.readUInt16LE(at)
    const data = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    if (data.length < extra.readUInt16LE(at + 2)) break
    at += 4 + data.length
    if (id === EXTRA_ZIP64) zip64Field(data, entry, reading)
    else if (id === EXTRA_UT) extendedTime(data, entry)
    else if (id === EXTRA_NTFS) ntfsTime(data, entry)
    else if (id === EXTRA_UX) unixOwner(data, entry)
    else if (id === EXTRA_UNICODE_PATH) {
      entry.unicodePath = data
      // This is the name in UTF-8, valid only if its checksum matches the entry's name. Info-ZIP writes wrong UTF-8 for
      // DEL.
      const isOfName = data.length >= 5 && data.readUInt32LE(1) === crc32(name) && isUtf8(data.subarray(5))
      if (isOfName) entry.name = reading.text(data, 5, data.length, entry.offset)
    } else if (id === EXTRA_RECORDS) {
      entry.rawRecords = data
      entry.extra = extraOf(parsePax(data, {}, reading, entry.offset))
    }
  }
}

/**
 * NTFS times, in units of 100 ns since 1601; the first is that of modification. Used only if no other field gives the
 * time.
 */
function ntfsTime(data: Buffer, entry: ZipEntry): void {
  if (!Number.isNaN(entry.mtimeSeconds)) return
  for (let at = 4; at + 4 <= data.length; at += 4 + data.readUInt16LE(at + 2)) {
    if (data.readUInt16LE(at) !== 1 || at + 12 > data.length) continue
    entry.mtimeSeconds = Number(data.readBigUInt64LE(at + 4)) / 1e7 - NTFS_EPOCH_SECONDS
    return
  }
}

/** The Zip64 field holds the numbers that did not fit the entry, in this order. */
function zip64Field(data: Buffer, entry: ZipEntry, reading: Reading): void {
  let at = 0
  const next = (value: number): number => {
    if (value !== SEE_ZIP64_32) return value
    if (at + 8 > data.length) {
      throw reading.error('EBADMSG', 'damaged: a Zip64 field is too short', { path: entry.name, offset: entry.offset })
    }
    at += 8
    return Number(data.readBigUInt64LE(at - 8))
  }
  entry.size = next(entry.size)
  entry.packed = next(entry.packed)
  entry.headerOffset = next(entry.headerOffset)
}

/** Info-ZIP's "UT". The field without a modification time means that there is none. */
function extendedTime(data: Buffer, entry: ZipEntry): void {
  if (data.length >= 5 && (data[0] as number) & 1) entry.mtimeSeconds = data.readInt32LE(1)
  else if (data.length >= 1 && ((data[0] as number) & 1) === 0) entry.mtimeSeconds = 0
}

/** Info-ZIP's "ux": uid and gid, each after its width. */
function unixOwner(data: Buffer, entry: ZipEntry): void {
  const uidBytes = data[1] ?? 0
  const gidBytes = data[2 + uidBytes] ?? 0
  if (data[0] !== 1 || uidBytes > 6 || gidBytes > 6 || data.length < 3 + uidBytes + gidBytes) return
  if (uidBytes > 0) entry.uid = data.readUIntLE(2, uidBytes)
  if (gidBytes > 0) entry.gid = data.readUIntLE(3 + uidBytes, gidBytes)
}

/** DOS time, which is local time where the zip was made. Like other readers, this takes it as local time here. */
function dosTime(time: number, date: number): number {
  const [year, month, day] = [1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31]
  return new Date(year, month, day, time >> 11, (time >> 5) & 63, 2 * (time & 31)).getTime() / 1000
}

const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

/** Decode a name without the UTF-8 flag: as UTF-8 if it is valid, as old Unix tools write it, else as code page 437. */
function oldName(name: Buffer): string {
  if (isUtf8(name)) return name.toString()
  return Array.from(name, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : CP437[byte - 0x80])).join('')
}
