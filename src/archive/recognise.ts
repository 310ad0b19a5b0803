/** Recognises an archive by its first bytes. Its name does not matter. */
import { hasMagic, type Magic } from './descriptor.ts'
import type { FilterDescriptor } from './filters/index.ts'
import type { FileFormat } from './formats/index.ts'
import { KINDS, type Kinds, readableFormats } from './kinds.ts'
import { UNSUPPORTED } from './unsupported.ts'

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

/** @returns half a sentence that says what the file is, and a hint */
export function describeUnsupported(head: Buffer, kinds: Kinds = KINDS): { what: string; hint: string } {
  if (isZeros(head)) {
    const hint = 'an ISO 9660 image or a disk file that was cut off looks like this; make the archive again'
    return { what: `begins with ${head.length} bytes of zeros, and is not an archive`, hint }
  }
  const known = UNSUPPORTED.find(({ magic }) => hasMagic(head, magic))
  const toRead = known?.isCompressed ? 'uncompress it first' : known?.toRead
  if (known !== undefined && toRead !== undefined) {
    return { what: `is ${known.what}, which is not supported`, hint: toRead }
  }
  const text = /^[\t\n\r\x20-\x7e]+$/.test(head.toString('latin1', 0, Math.min(head.length, 512)))
  const bytes = `begins with ${head.toString('hex', 0, 8).replace(/(..)(?=.)/g, '$1 ')}`
  const what = known
    ? `is ${known.what}, not an archive that can be read`
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
