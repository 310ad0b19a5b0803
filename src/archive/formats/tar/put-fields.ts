/** Writes the fields of a header in place. The functions that return a number return what its bytes add to the checksum. */
import type { Field } from './layout.ts'

/** Write octal digits, a space and, if there is room, a NUL. A long number takes all bytes but the last. */
export function putOctal(header: Buffer, [offset, width]: Field, value: number): void {
  const text = value.toString(8)
  const digits = width === 8 && text.length <= 6 ? 6 : width - 1
  const end = width === 8 && digits === 6 ? ' \0' : width === 8 ? '\0' : ' '
  header.write(text.padStart(digits, '0') + end, offset, 'latin1')
}

/** Write octal digits with leading zeros. @returns the sum of their bytes */
export function putDigits(header: Buffer, offset: number, digits: number, value: number): number {
  let sum = 0
  let rest = value
  let at = offset + digits - 1
  // Bit operations work on 32 bits.
  for (; rest > 0x7fffffff; at--) {
    const digit = rest % 8
    sum += header[at] = 0x30 + digit
    rest = (rest - digit) / 8
  }
  for (; at >= offset; at--) {
    sum += header[at] = 0x30 + (rest & 7)
    rest >>>= 3
  }
  return sum
}

/**
 * Write the binary number of GNU tar and star: the top bit is set, the rest is big-endian. Every reader that supports
 * files of 8 GiB reads it.
 *
 * @returns the sum of the bytes
 */
export function putBase256(header: Buffer, [offset, width]: Field, value: number): number {
  let rest = value
  for (let i = offset + width - 1; i >= offset; i--) {
    header[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  header[offset] = 0x80
  let sum = 0
  for (let i = offset; i < offset + width; i++) sum += header[i] as number
  return sum
}

/** Write a part of an ASCII text. @returns the sum of the bytes */
export function putAscii(header: Buffer, offset: number, text: string, from: number, end: number): number {
  let sum = 0
  for (let i = from, at = offset; i < end; i++, at++) {
    const code = text.charCodeAt(i)
    header[at] = code
    sum += code
  }
  return sum
}

export function putBytes(header: Buffer, [offset, width]: Field, bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < Math.min(width, bytes.length); i++) {
    const byte = bytes[i] as number
    header[offset + i] = byte
    sum += byte
  }
  return sum
}
