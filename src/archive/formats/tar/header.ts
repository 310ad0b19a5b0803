/**
 * The 512 bytes of a tar header, of any dialect: POSIX ustar, GNU (numbers in base 256, no prefix), star, and the
 * oldest one, V7. Fields are named as in POSIX pax(1), "ustar Interchange Format"; their offsets are in layout.ts.
 */
import type { Reading } from '../../member.ts'
import {
  BLOCK_BYTES,
  CHKSUM,
  type Field,
  GID,
  LINKNAME,
  MAGIC,
  MODE,
  MTIME,
  NAME,
  PREFIX,
  SIZE,
  STAR,
  STAR_MAGIC,
  STAR_PREFIX,
  TYPEFLAG,
  UID,
  USTAR,
} from './layout.ts'

/** The fields of a header. Its numbers are safe integers. */
export interface TarHeader {
  name: string
  mode: number
  uid: number
  gid: number
  size: number
  mtime: number
  typeflag: string
  linkname: string
}

/**
 * Verify the checksum of a header: the sum of all bytes, with its own field as spaces. Some old tars sum signed bytes.
 *
 * @returns `zero` for a block of zeros, which ends an archive
 */
export function checkHeader(block: Buffer, at: number): 'sound' | 'zero' | 'damaged' {
  const sum = sumOfBytes(block, at)
  if (sum === 0) return 'zero'
  let own = 0
  for (let i = at + CHKSUM[0]; i < at + CHKSUM[0] + CHKSUM[1]; i++) own += block[i] as number
  const unsigned = sum - own + CHKSUM[1] * 0x20
  const stored = octal(block, at, CHKSUM)
  return stored === unsigned || stored === unsigned - 256 * highBytes(block, at) ? 'sound' : 'damaged'
}

/** The sum of all bytes of a header. Four at a time: every header of an archive is summed. */
function sumOfBytes(block: Buffer, at: number): number {
  const words = new DataView(block.buffer, block.byteOffset + at, BLOCK_BYTES)
  // Two sums of 16 bits. At most 65280 in each: they do not run into each other.
  let sums = 0
  for (let i = 0; i < BLOCK_BYTES; i += 4) {
    const word = words.getInt32(i)
    sums = (sums + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0
  }
  return (sums & 0xffff) + (sums >>> 16)
}

/** How many bytes of a header are negative when they are signed, without the checksum. */
function highBytes(block: Buffer, at: number): number {
  let high = 0
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i < CHKSUM[0] || i >= CHKSUM[0] + CHKSUM[1]) high += (block[at + i] as number) >> 7
  }
  return high
}

/** @returns undefined when the field holds anything but octal digits between spaces or NULs */
function octal(block: Buffer, header: number, field: Field): number | undefined {
  let i = header + field[0]
  const end = i + field[1]
  while (i < end && block[i] === 0x20) i++
  let value = 0
  for (; i < end; i++) {
    const digit = (block[i] as number) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  return i === end || block[i] === 0x20 || block[i] === 0 ? value : undefined
}

/** Read a GNU binary number: the first bit marks it, the others are big-endian two's complement. */
function base256(block: Buffer, header: number, [offset, width]: Field): number {
  const at = header + offset
  const negative = block[at] === 0xff
  let value = negative ? -1 : (block[at] as number) & 0x7f
  for (let i = at + 1; i < at + width; i++) value = value * 256 + (block[i] as number)
  return value
}

function number(block: Buffer, header: number, field: Field, what: string, reading: Reading, offset: number): number {
  const value =
    (block[header + field[0]] as number) >= 0x80 ? base256(block, header, field) : octal(block, header, field)
  if (value === undefined) throw reading.error('EBADMSG', `damaged header: the ${what} is not a number`, { offset })
  if (!Number.isSafeInteger(value)) throw reading.error('EOVERFLOW', `the ${what} is out of range`, { offset })
  return value
}

function text(block: Buffer, header: number, field: Field, reading: Reading, offset: number): string {
  const at = header + field[0]
  const most = at + field[1]
  if (block[at] === 0) return ''
  let end = at + 1
  while (end < most && block[end] !== 0) end++
  return reading.text(block, at, end, offset)
}

function isMagic(block: Buffer, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (block[at + i] !== magic.charCodeAt(i)) return false
  return true
}

/**
 * Decode a header whose checksum is sound.
 *
 * @param at - offset of the header in `block`
 * @param offset - offset of the header in the archive, for messages
 * @param known - which names an extended header has given, so that the cut ones here are not decoded
 */
export function parseHeader(
  block: Buffer,
  at: number,
  reading: Reading,
  offset: number,
  known: { path: boolean; linkname: boolean },
): TarHeader {
  // "ustar\0" is POSIX, or star with its shorter prefix. GNU has "ustar " and keeps times in the place of the prefix.
  const posix = isMagic(block, at + MAGIC[0], USTAR) && block[at + MAGIC[0] + USTAR.length] === 0
  let name = known.path ? '' : text(block, at, NAME, reading, offset)
  if (posix && !known.path && block[at + PREFIX[0]] !== 0) {
    const star = isMagic(block, at + STAR_MAGIC[0], STAR)
    name = `${text(block, at, star ? STAR_PREFIX : PREFIX, reading, offset)}/${name}`
  }
  const size = number(block, at, SIZE, 'size', reading, offset)
  if (size < 0) throw reading.error('EBADMSG', 'damaged header: the size is negative', { path: name, offset })
  return {
    name,
    mode: number(block, at, MODE, 'mode', reading, offset) & 0o7777,
    uid: number(block, at, UID, 'uid', reading, offset),
    gid: number(block, at, GID, 'gid', reading, offset),
    size,
    mtime: number(block, at, MTIME, 'mtime', reading, offset),
    typeflag: String.fromCharCode(block[at + TYPEFLAG] as number),
    linkname: known.linkname ? '' : text(block, at, LINKNAME, reading, offset),
  }
}
