/** Numbers and dates in the form of ECMA-119. */
import { ArchiveError } from '../../archive-error.ts'
import { FIRST_SHORT_YEAR, SECTOR, SHORT_DATE_BYTES } from './layout.ts'

/** Number of sectors for `bytes` bytes. */
export function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / SECTOR)
}

/** A 16-bit number in both byte orders, little-endian first (7.2.3). */
export function putBoth16(to: Buffer, at: number, value: number): void {
  to.writeUInt16LE(value, at)
  to.writeUInt16BE(value, at + 2)
}

/** A 32-bit number in both byte orders, little-endian first (7.3.3). */
export function putBoth32(to: Buffer, at: number, value: number): void {
  to[at] = to[at + 7] = value
  to[at + 1] = to[at + 6] = value >>> 8
  to[at + 2] = to[at + 5] = value >>> 16
  to[at + 3] = to[at + 4] = value >>> 24
}

/** The last year that the one byte of a short date can hold. */
const LAST_SHORT_YEAR = 2155

/** True when a directory record can hold this time. */
export function hasShortDate(seconds: number): boolean {
  const year = new Date(seconds * 1000).getUTCFullYear()
  return year >= FIRST_SHORT_YEAR && year <= LAST_SHORT_YEAR
}

/**
 * Date and time of a directory record, in UTC (9.1.5); seven zeros, "not specified", for a time that it cannot hold.
 */
export function shortDate(seconds: number): Buffer {
  const bytes = Buffer.alloc(SHORT_DATE_BYTES)
  if (!hasShortDate(seconds)) return bytes
  const date = new Date(seconds * 1000)
  bytes[0] = date.getUTCFullYear() - FIRST_SHORT_YEAR
  bytes[1] = date.getUTCMonth() + 1
  bytes[2] = date.getUTCDate()
  bytes[3] = date.getUTCHours()
  bytes[4] = date.getUTCMinutes()
  bytes[5] = date.getUTCSeconds()
  return bytes
}

/**
 * Date and time of a volume descriptor, in UTC: 16 digits down to hundredths, and the offset from UTC (8.4.26.1).
 *
 * @throws {ArchiveError} `EOVERFLOW` the time is outside the years 1 to 9999
 */
export function longDate(seconds: number): Buffer {
  const date = new Date(seconds * 1000)
  const year = date.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) {
    throw new ArchiveError(
      'EOVERFLOW',
      { format: 'iso9660' },
      `iso9660: cannot record the time ${seconds} s: years go from 1 to 9999`,
    )
  }
  const digits = (value: number, width = 2) => String(value).padStart(width, '0')
  const text =
    digits(year, 4) +
    digits(date.getUTCMonth() + 1) +
    digits(date.getUTCDate()) +
    digits(date.getUTCHours()) +
    digits(date.getUTCMinutes()) +
    digits(date.getUTCSeconds())
  return Buffer.from(`${text}00\0`, 'latin1')
}

/** The long date "not specified": all digits zero, and offset zero. */
export const NO_LONG_DATE: Uint8Array = Buffer.from(`${'0'.repeat(16)}\0`, 'latin1')
