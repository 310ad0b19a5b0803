/** What an archive is, by its first bytes: names are not looked at. */
import { BLOCK_BYTES, checkHeader } from './formats/tar/header.ts'

export type ReadableFormat = 'tar' | 'cpio' | 'zip' | 'iso9660'
export type ReadableFilter = 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** An ISO 9660 image begins with 16 sectors of anything. */
const ISO_MAGIC_AT = 16 * 2048 + 1

/** The longest file of zeros that is a tar without members: what GNU tar and libarchive fill an archive up to. */
const EMPTY_TAR_BYTES = 10_240

/** The first bytes that are looked at: all of a file that is shorter. */
export const MAGIC_BYTES = ISO_MAGIC_AT + 5

const has = (head: Buffer, at: number, magic: string): boolean =>
  head.toString('latin1', at, at + magic.length) === magic

/** @returns undefined when the bytes are not compressed in a way that can be undone */
export function recogniseFilter(head: Buffer): ReadableFilter | undefined {
  if (has(head, 0, '\x1f\x8b')) return 'gzip'
  if (has(head, 0, 'BZh') && (has(head, 4, '1AY&SY') || has(head, 4, '\x17rE8P\x90'))) return 'bzip2'
  if (has(head, 0, '\xfd7zXZ\0')) return 'xz'
  if (has(head, 0, '\x28\xb5\x2f\xfd')) return 'zstd'
  // A frame to be skipped may come first: 0x184D2A50 to 5F.
  if (has(head, 1, '\x2a\x4d\x18') && ((head[0] as number) & 0xf0) === 0x50) return 'zstd'
  return undefined
}

/** @returns undefined when it is no archive that can be read */
export function recogniseFormat(head: Buffer): ReadableFormat | undefined {
  if (has(head, 0, '07070') && '127'.includes(String.fromCharCode(head[5] ?? 0))) return 'cpio'
  if (has(head, 0, 'PK\x03\x04') || has(head, 0, 'PK\x05\x06') || has(head, 0, 'PK\x07\x08')) return 'zip'
  if (has(head, 257, 'ustar')) return 'tar'
  if (has(head, ISO_MAGIC_AT, 'CD001')) return 'iso9660'
  // Without a magic: a header whose checksum is right, or the zeros that end an archive of nothing.
  if (head.length < BLOCK_BYTES) return undefined
  const first = checkHeader(head, 0)
  return first === 'sound' || (first === 'zero' && isEmptyTar(head)) ? 'tar' : undefined
}

/**
 * A tar without members is nothing but zeros, and so is the beginning of an ISO 9660 image, of a sparse file, and of a file
 * that lost its first block. Only what a writer of tar makes is taken for one.
 */
function isEmptyTar(head: Buffer): boolean {
  return head.length <= EMPTY_TAR_BYTES && head.length % BLOCK_BYTES === 0 && isZeros(head)
}

const isZeros = (head: Buffer): boolean => head.every((byte) => byte === 0)

const STRANGERS: readonly [magic: string, what: string][] = [
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['xar!', 'a xar archive'],
  ['!<arch>\n', 'an ar archive'],
  ['\xc7\x71', 'a binary cpio archive'],
  ['\x71\xc7', 'a binary cpio archive'],
  ['\x1f\x9d', 'compressed by compress (.Z)'],
  ['LZIP', 'compressed by lzip'],
  ['\x04\x22\x4d\x18', 'compressed by lz4'],
  ['\x89LZO', 'compressed by lzop'],
  ['\x5d\0\0', 'compressed by lzma'],
  ['SQLite format 3\0', 'an SQLite database'],
  ['\x7fELF', 'a program'],
  ['%PDF-', 'a PDF document'],
  ['#mtree', 'an mtree listing'],
  ['WARC/', 'a WARC archive'],
]

const READABLE = 'tar, cpio, zip, iso9660, or a directory; compressed by gzip, bzip2, xz or zstd, or not'

/** @returns half a sentence, and what to do about it */
export function describeStranger(head: Buffer): { what: string; hint: string } {
  if (isZeros(head)) {
    const hint = 'an ISO 9660 image or a disk file that was cut off looks like this; make the archive again'
    return { what: `begins with ${head.length} bytes of zeros, and is not an archive`, hint }
  }
  const known = STRANGERS.find(([magic]) => has(head, 0, magic))?.[1]
  if (known === 'a 7z archive') {
    return { what: 'is a 7z archive, which is not supported', hint: 'unpack it with `7z x`, and give the directory' }
  }
  if (known?.startsWith('compressed')) {
    return { what: `is ${known}, which is not supported`, hint: 'uncompress it first' }
  }
  const text = /^[\t\n\r\x20-\x7e]+$/.test(head.toString('latin1', 0, Math.min(head.length, 512)))
  const bytes = `begins with ${head.toString('hex', 0, 8).replace(/(..)(?=.)/g, '$1 ')}`
  const what = known
    ? `is ${known}, not an archive that can be read`
    : text
      ? 'is text, not an archive'
      : `is not an archive: it ${bytes}`
  return { what, hint: `can be read: ${READABLE}` }
}
