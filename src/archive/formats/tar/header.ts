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
  let sum = 0
  let high = 0
  for (let i = at; i < at + BLOCK_BYTES; i++) {
    const byte = block[i] as number
    sum += byte
    high += byte >> 7
  }
  if (sum === 0) return 'zero'
  let own = 0
  let ownHigh = 0
  for (let i = at + CHKSUM[0]; i < at + CHKSUM[0] + CHKSUM[1]; i++) {
    own += block[i] as number
    ownHigh += (block[i] as number) >> 7
  }
  const unsigned = sum - own + CHKSUM[1] * 0x20
  const signed = unsigned - 256 * (high - ownHigh)
  const stored = octal(block, at, CHKSUM)
  return stored === unsigned || stored === signed ? 'sound' : 'damaged'
}

/** @returns undefined when the field holds anything but octal digits between spaces or NULs */
function octal(block: Buffer, header: number, [offset, width]: Field): number | undefined {
  let i = header + offset
  const end = i + width
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

function text(block: Buffer, header: number, [fieldAt, width]: Field, reading: Reading, offset: number): string {
  const at = header + fieldAt
  if (block[at] === 0) return ''
  let end = at + 1
  while (end < at + width && block[end] !== 0) end++
  return reading.text(block, at, end, offset)
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
  const magicEnd = at + MAGIC[0] + USTAR.length
  const posix =
    block[at + MAGIC[0]] === 0x75 &&
    block[magicEnd] === 0 &&
    block.toString('latin1', at + MAGIC[0], magicEnd) === USTAR
  let name = known.path ? '' : text(block, at, NAME, reading, offset)
  if (posix && !known.path && block[at + PREFIX[0]] !== 0) {
    const star = block.toString('latin1', at + STAR_MAGIC[0], at + STAR_MAGIC[0] + STAR_MAGIC[1]) === STAR
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
