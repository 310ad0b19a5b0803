/** Recognises an archive by its first bytes. Its name does not matter. */
import { hasMagic, type Magic } from './descriptor.ts'
import type { FilterDescriptor } from './filters/index.ts'
import type { FileFormat } from './formats/index.ts'
import { KINDS, type Kinds, readableFormats } from './kinds.ts'

/** How many first bytes contain every magic. */
export function magicBytes({ formats, filters }: Kinds): number {
  const magics = [
    ...formats.flatMap((format) => (format.isDirectory ? [] : format.magic)),
    ...filters.flatMap(({ magic }) => magic),
  ]
  return Math.max(...magics.flat().map(([at, bytes]) => at + bytes.length))
}

/** @returns undefined when no known filter wrote the bytes */
export function recogniseFilter(head: Buffer, { filters }: Kinds = KINDS): FilterDescriptor | undefined {
  return filters.find(({ magic }) => magic.some((one) => hasMagic(head, one)))
}

/**
 * Of several matches, the magic nearest to the beginning decides: further on, the same bytes can be data, as in a tar
 * whose first name begins with another format's magic.
 *
 * @returns undefined when it is not a known format
 */
export function recogniseFormat(head: Buffer, { formats }: Kinds = KINDS): FileFormat | undefined {
  let found: FileFormat | undefined
  let foundAt = Number.POSITIVE_INFINITY
  for (const format of formats) {
    if (format.isDirectory) continue
    for (const magic of format.magic) {
      const at = startOf(magic)
      if (at >= foundAt || !hasMagic(head, magic)) continue
      found = format
      foundAt = at
    }
  }
  return found ?? formats.find((format): format is FileFormat => !format.isDirectory && format.isLike?.(head) === true)
}

function startOf(magic: Magic): number {
  return Math.min(...magic.map(([at]) => at))
}

const isZeros = (head: Buffer): boolean => head.every((byte) => byte === 0)

const UNSUPPORTED_MAGICS: readonly [magic: string, what: string][] = [
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

/** @returns half a sentence that says what the file is, and a hint */
export function describeUnsupported(head: Buffer, kinds: Kinds = KINDS): { what: string; hint: string } {
  if (isZeros(head)) {
    const hint = 'an ISO 9660 image or a disk file that was cut off looks like this; make the archive again'
    return { what: `begins with ${head.length} bytes of zeros, and is not an archive`, hint }
  }
  const known = UNSUPPORTED_MAGICS.find(([magic]) => hasMagic(head, [[0, magic]]))?.[1]
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
  return { what, hint: `can be read: ${readable(kinds)}` }
}

function readable(kinds: Kinds): string {
  const filterNames = kinds.filters.map(({ name }) => name)
  const last = filterNames.pop()
  return `${readableFormats(kinds).join(', ')}, or a directory; compressed by ${filterNames.join(', ')} or ${last}, or not`
}
