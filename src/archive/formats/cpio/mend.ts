/** Finds the whole members of a damaged cpio: see mend.ts of the room. */
import { S_IFMT } from '../../file-mode.ts'
import type { Input } from '../../input.ts'
import { HEADER_BYTES, type Reading, typeOfMode } from '../../member.ts'
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
  lookBytes: NEWC.bytes + HEADER_BYTES,
  begins: (buffer, at) => headerAt(buffer, at) !== undefined,
  search,
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
  readonly mode: number
  readonly check: number | undefined
}

const MAGIC = Buffer.from('0707')

/**
 * The next header whose name ends as a name does, or may. Very many places may only look like a header, so what rules most of
 * them out comes first.
 */
function search(buffer: Buffer, from: number, isLast: boolean): number {
  for (let at = magicFrom(buffer, from); at >= 0; at = magicFrom(buffer, at + 1)) {
    const layout = layoutAt(buffer, at)
    if (layout === undefined) continue
    const [field, width] = layout.fields.namesize
    const namesize = numberAt(buffer, at + field, width, layout.radix)
    const nameEnd = at + layout.bytes + namesize
    if (nameEnd > buffer.length ? isLast : buffer[nameEnd - 1] !== 0 && namesize !== TRAILER.length) continue
    if (headerAt(buffer, at)) return at
  }
  return -1
}

/** Places that are looked at before the rest of the buffer is searched by a call out of JavaScript. */
const NEAR = 16

function magicFrom(buffer: Buffer, from: number): number {
  for (let at = from; at < from + NEAR; at++) {
    if (buffer[at] === ZERO && buffer[at + 1] === ZERO + 7 && buffer[at + 2] === ZERO && buffer[at + 3] === ZERO + 7)
      return at
  }
  return buffer.indexOf(MAGIC, from + NEAR)
}

/** What the last two characters of a magic say. */
function layoutAt(buffer: Buffer, at: number): Layout | undefined {
  if (buffer[at + 4] !== ZERO) return undefined
  const last = buffer[at + 5]
  return last === ZERO + 7 ? ODC : last === ZERO + 1 || last === ZERO + 2 ? NEWC : undefined
}

const ZERO = 0x30

function headerAt(buffer: Buffer, at: number): Header | undefined {
  const magic = buffer.toString('latin1', at, at + MAGIC_BYTES)
  const layout = LAYOUTS[magic]
  if (layout === undefined || at + layout.bytes > buffer.length) return undefined
  const { bytes, align, radix, fields } = layout
  // Of the trailer only the name and the sizes matter, as to the reader.
  if (numberAt(buffer, at + MAGIC_BYTES, bytes - MAGIC_BYTES, radix) < 0 && !isTrailer(buffer, at, layout))
    return undefined
  const number = ([from, width]: Field) => numberAt(buffer, at + from, width, radix)
  const namesize = number(fields.namesize)
  if (namesize <= 0 || namesize > HEADER_BYTES) return undefined
  const check = magic === CRC_MAGIC ? number(CHECK) : undefined
  return { bytes, align, namesize, size: number(fields.size), mode: number(fields.mode), check }
}

/** A number in text; -1 when not all of it are digits. It is not exact when it is longer than a field. */
function numberAt(buffer: Buffer, at: number, width: number, radix: number): number {
  let value = 0
  for (let i = at; i < at + width; i++) {
    const byte = buffer[i] as number
    // 0 to 9, and a to f in upper or lower case.
    const letter = byte | 0x20
    const digit =
      byte >= ZERO && byte <= ZERO + 9 ? byte - ZERO : letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : radix
    if (digit >= radix) return -1
    value = value * radix + digit
  }
  return value
}

function isTrailer(buffer: Buffer, at: number, { bytes, fields, radix }: Layout): boolean {
  const name = at + bytes
  if (buffer.toString('latin1', name, name + TRAILER.length) !== TRAILER) return false
  const [namesize, size] = [fields.namesize, fields.size].map(([from, width]) =>
    numberAt(buffer, at + from, width, radix),
  ) as [number, number]
  return namesize >= 0 && size === 0
}

async function measure(input: Input, reading: Reading): Promise<Frame | undefined> {
  await input.fill(NEWC.bytes + TRAILER.length)
  const header = headerAt(input.buffer, input.position)
  if (header === undefined) return undefined
  const { bytes, align, namesize, size, mode, check } = header
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
  if (!isEnd && !isAccepted(input, from, nameEnd, mode, reading)) return undefined
  if (isEnd) {
    await input.fill(headers + RECORDS_BYTES)
    reading.note(decodeTextRecords(input.buffer.subarray(input.position + headers)))
  }
  const isSound = check === undefined ? undefined : (content: Iterable<Uint8Array>) => sumOf(content) === check
  return { headers, content: size, padding: padded(size, align) - size, path, isEnd, ...(isSound && { isSound }) }
}

/** False for a member that the reader would refuse, and all that follows with it. It may be none. */
function isAccepted(input: Input, from: number, nameBytes: number, mode: number, reading: Reading): boolean {
  const { offset } = input
  if (typeOfMode(mode) === undefined && (mode & S_IFMT) !== 0) return false
  try {
    // Our encoder puts records after the name.
    const nul = input.buffer.indexOf(0, from)
    const raw = reading.text(input.buffer, from, Math.min(nul < 0 ? from + nameBytes : nul, from + nameBytes), offset)
    return reading.path(raw, offset) !== '' || typeOfMode(mode) === 'directory'
  } catch (error) {
    reading.loseFound(error)
    return false
  }
}

function sumOf(content: Iterable<Uint8Array>): number {
  let sum = 0
  for (const piece of content) for (let i = 0; i < piece.length; i++) sum = (sum + (piece[i] as number)) >>> 0
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
