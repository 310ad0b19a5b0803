/**
 * The header before the content of each member of a zip (PKWARE APPNOTE.TXT 6.3.10, 4.3.7). It repeats the directory
 * entry. Comparing the two detects damage to a name or a size, for which a zip has no checksum.
 */
import { printable } from '../../../errors/index.ts'
import type { Reading } from '../../member.ts'
import type { Window } from '../window.ts'
import {
  EXTRA_RECORDS,
  EXTRA_UNICODE_PATH,
  EXTRA_ZIP64,
  FLAG_ENCRYPTED,
  FLAG_SIZES_FOLLOW,
  LOCAL_BYTES,
  LOCAL_CRC,
  LOCAL_EXTRA_BYTES,
  LOCAL_FLAGS,
  LOCAL_MAGIC,
  LOCAL_METHOD,
  LOCAL_NAME_BYTES,
  LOCAL_PACKED,
  LOCAL_SIZE,
  SEE_ZIP64_32,
} from './layout.ts'
import type { ZipEntry } from './read-directory.ts'

/** Most bytes of a name in a message. */
const MAX_SHOWN_BYTES = 200

export interface At {
  path: string
  offset: number
}

/**
 * Compare a member's own header with its entry in the directory.
 *
 * @returns the offset of the content; undefined when the header is not in the window: then call {@link loadHeader}
 *   first
 * @throws {ArchiveError} `EBADMSG` there is no header, or the two differ in name, method, sizes or checksum
 */
export function contentOffset(window: Window, entry: ZipEntry, at: At, reading: Reading): number | undefined {
  const { headerOffset } = entry
  let header = window.ready(headerOffset, LOCAL_BYTES)
  if (header === undefined) return undefined
  const bytes = LOCAL_BYTES + header.readUInt16LE(LOCAL_NAME_BYTES) + header.readUInt16LE(LOCAL_EXTRA_BYTES)
  header = window.ready(headerOffset, bytes)
  if (header === undefined) return undefined
  compare(header, entry, at, reading)
  return headerOffset + bytes
}

/** Load a header into the window. @throws {ArchiveError} `EBADMSG` there is no header */
export async function loadHeader(window: Window, { headerOffset }: ZipEntry, at: At, reading: Reading): Promise<void> {
  const header = await window.at(headerOffset, LOCAL_BYTES)
  if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL_MAGIC) throw noHeader(at, reading)
  const bytes = LOCAL_BYTES + header.readUInt16LE(LOCAL_NAME_BYTES) + header.readUInt16LE(LOCAL_EXTRA_BYTES)
  if ((await window.at(headerOffset, bytes)).length < bytes) throw reading.truncated('a header', at)
}

function noHeader(at: At, reading: Reading): Error {
  return reading.error('EBADMSG', 'damaged: no header where the directory says', at)
}

function compare(header: Buffer, entry: ZipEntry, at: At, reading: Reading): void {
  if (header.readUInt32LE(0) !== LOCAL_MAGIC) throw noHeader(at, reading)
  const { rawName, method, crc } = entry
  const nameEnd = LOCAL_BYTES + header.readUInt16LE(LOCAL_NAME_BYTES)
  let isSameName = nameEnd === LOCAL_BYTES + rawName.length
  for (let i = 0; i < rawName.length; i++) isSameName &&= header[LOCAL_BYTES + i] === rawName[i]
  if (!isSameName) throw differ([at, reading], 'the name', shown(header.subarray(LOCAL_BYTES, nameEnd)), shown(rawName))
  const flags = header.readUInt16LE(LOCAL_FLAGS)
  if (flags & FLAG_ENCRYPTED) throw differ([at, reading], 'the content', 'encrypted', 'not')
  if (header.readUInt16LE(LOCAL_METHOD) !== method)
    throw differ([at, reading], 'the method', header.readUInt16LE(LOCAL_METHOD), method)
  const { zip64, records, unicodePath } = extraOf(header, nameEnd)
  const follow = (flags & FLAG_SIZES_FOLLOW) !== 0
  const size = sizeIn(header.readUInt32LE(LOCAL_SIZE), zip64, 0)
  // A local Zip64 field has both sizes (4.5.3), so the second is at 8.
  const packed = sizeIn(header.readUInt32LE(LOCAL_PACKED), zip64, 8)
  const ownCrc = header.readUInt32LE(LOCAL_CRC)
  if (size !== entry.size && !(follow && size === 0)) throw differ([at, reading], 'the size', size, entry.size)
  if (packed !== entry.packed && !(follow && packed === 0))
    throw differ([at, reading], 'the packed size', packed, entry.packed)
  if (ownCrc !== crc && !(follow && ownCrc === 0)) throw differ([at, reading], 'the checksum', hex(ownCrc), hex(crc))
  if (!isSame(records, entry.rawRecords))
    throw differ([at, reading], 'the key', shown(records), shown(entry.rawRecords))
  // Some writers have this field in only one place.
  if (unicodePath === undefined || entry.unicodePath === undefined || isSame(unicodePath, entry.unicodePath)) return
  throw differ([at, reading], 'the name', shown(unicodePath.subarray(5)), shown(entry.unicodePath.subarray(5)))
}

function differ(place: [At, Reading], what: string, own: string | number, listed: string | number): Error {
  const [at, reading] = place
  const message = `damaged: ${what} is ${own} in its own header, but ${listed} in the directory at the end`
  return reading.error('EBADMSG', message, at)
}

/** The extra fields to compare. */
interface Extra {
  zip64: Buffer | undefined
  records: Buffer | undefined
  unicodePath: Buffer | undefined
}

function extraOf(header: Buffer, from: number): Extra {
  const found: Extra = { zip64: undefined, records: undefined, unicodePath: undefined }
  for (let at = from; at + 4 <= header.length; ) {
    const id = header.readUInt16LE(at)
    const end = at + 4 + header.readUInt16LE(at + 2)
    if (end > header.length) break
    if (id === EXTRA_ZIP64) found.zip64 = header.subarray(at + 4, end)
    else if (id === EXTRA_RECORDS) found.records = header.subarray(at + 4, end)
    else if (id === EXTRA_UNICODE_PATH) found.unicodePath = header.subarray(at + 4, end)
    at = end
  }
  return found
}

function sizeIn(field: number, zip64: Buffer | undefined, at: number): number {
  if (field !== SEE_ZIP64_32) return field
  return zip64 !== undefined && zip64.length >= at + 8 ? Number(zip64.readBigUInt64LE(at)) : 0
}

function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b)
}

function shown(text: Buffer | undefined): string {
  return text === undefined ? 'not there' : printable(text.toString('utf8', 0, MAX_SHOWN_BYTES).trimEnd())
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
