/** Finds the whole members of a damaged cpio: see mend.ts of the room. */
import type { Input } from '../../input.ts'
import { HEADER_BYTES, type Reading } from '../../member.ts'
import { type Frame, type Frames, wholeMembers } from '../../mend.ts'
import { decodeTextRecords } from '../text-records.ts'
import {
  CHECK,
  CRC_MAGIC,
  type Field,
  LAYOUTS,
  type Layout,
  MAGIC_BYTES,
  NEWC,
  ODC,
  ODC_MAGIC,
  RECORDS_BYTES,
  TRAILER,
} from './layout.ts'

export function mend(input: Input, reading: Reading): AsyncIterable<Uint8Array> {
  return wholeMembers(input, reading, framesOf(reading))
}

const framesOf = (reading: Reading): Frames => ({
  headBytes: NEWC.bytes + TRAILER.length,
  begins: (buffer, at) => headerAt(buffer, at) !== undefined,
  search: (buffer, at) => buffer.indexOf('0707', at, 'latin1'),
  measure: (input) => measure(input, reading),
  // odc has no padding.
  align: 1,
  end: trailer(),
})

/** True when a header begins in the bytes. */
export function occursIn(bytes: Buffer): boolean {
  for (let at = bytes.indexOf('0707'); at >= 0; at = bytes.indexOf('0707', at + 1)) {
    if (headerAt(bytes, at)) return true
  }
  return false
}

interface Header {
  readonly bytes: number
  readonly align: number
  readonly namesize: number
  readonly size: number
  readonly check: number | undefined
}

function headerAt(buffer: Buffer, at: number): Header | undefined {
  const magic = buffer.toString('latin1', at, at + MAGIC_BYTES)
  const layout = LAYOUTS[magic]
  if (layout === undefined || at + layout.bytes > buffer.length) return undefined
  const digits = layout.radix === 8 ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/
  const text = buffer.toString('latin1', at + MAGIC_BYTES, at + layout.bytes)
  // Of the trailer only the name and the sizes matter, as to the reader.
  if (!digits.test(text) && !isTrailer(buffer, at, layout, digits)) return undefined
  const number = ([from, width]: Field) =>
    Number.parseInt(text.slice(from - MAGIC_BYTES, from - MAGIC_BYTES + width), layout.radix)
  const namesize = number(layout.fields.namesize)
  if (namesize === 0 || namesize > HEADER_BYTES) return undefined
  const check = magic === CRC_MAGIC ? number(CHECK) : undefined
  return { bytes: layout.bytes, align: layout.align, namesize, size: number(layout.fields.size), check }
}

function isTrailer(buffer: Buffer, at: number, { bytes, fields, radix }: Layout, digits: RegExp): boolean {
  const name = at + bytes
  if (buffer.toString('latin1', name, name + TRAILER.length) !== TRAILER) return false
  const [namesize, size] = [fields.namesize, fields.size].map(([from, width]) =>
    buffer.toString('latin1', at + from, at + from + width),
  ) as [string, string]
  return digits.test(namesize) && digits.test(size) && Number.parseInt(size, radix) === 0
}

async function measure(input: Input, reading: Reading): Promise<Frame | undefined> {
  await input.fill(NEWC.bytes + TRAILER.length)
  const header = headerAt(input.buffer, input.position)
  if (header === undefined) return undefined
  const { bytes, align, namesize, size, check } = header
  if (!(await input.fill(bytes + namesize))) return undefined
  const from = input.position + bytes
  const hasNul = input.buffer[from + namesize - 1] === 0
  // Names are long where there is no header: they are not decoded in vain.
  if (!hasNul && namesize !== TRAILER.length) return undefined
  const nameEnd = hasNul ? namesize - 1 : namesize
  const path = input.buffer.toString('utf8', from, from + nameEnd).replace(/\0.*$/s, '')
  const headers = padded(bytes + namesize, align)
  const isEnd = path === TRAILER && size === 0
  if (!hasNul && !isEnd) return undefined
  if (isEnd) {
    await input.fill(headers + RECORDS_BYTES)
    reading.note(decodeTextRecords(input.buffer.subarray(input.position + headers)))
  }
  const isSound = check === undefined ? undefined : (content: Uint8Array) => sumOf(content) === check
  return { headers, content: size, padding: padded(size, align) - size, path, isEnd, ...(isSound && { isSound }) }
}

function sumOf(content: Uint8Array): number {
  let sum = 0
  for (const byte of content) sum = (sum + byte) >>> 0
  return sum
}

function padded(size: number, align: number): number {
  return Math.ceil(size / align) * align
}

/** The last member of an archive in odc, which a reader takes after members of any kind. */
function trailer(): Buffer {
  const name = `${TRAILER}\0`
  const header = Buffer.alloc(ODC.bytes, '0')
  header.write(ODC_MAGIC)
  const [at, width] = ODC.fields.namesize
  header.write(name.length.toString(8).padStart(width, '0'), at, 'latin1')
  return Buffer.concat([header, Buffer.from(name)])
}
