/** Finds the whole members of a damaged tar: see mend.ts of the room. */
import type { Input } from '../../input.ts'
import { HEADER_BYTES, type Reading } from '../../member.ts'
import { type Frame, type Frames, wholeMembers } from '../../mend.ts'
import { type PaxRecords, parseGlobalPax, parsePax } from '../pax.ts'
import { checkHeader, parseHeader } from './header.ts'
import {
  BLOCK_BYTES,
  MAGIC,
  TYPE_GNU_LONG_LINK,
  TYPE_GNU_LONG_NAME,
  TYPE_PAX,
  TYPE_PAX_GLOBAL,
  TYPE_PAX_SUN,
  USTAR,
} from './layout.ts'
import { toMember } from './reader.ts'

/** Headers that come before the one of a member. */
const BEFORE: ReadonlySet<string> = new Set([TYPE_PAX, TYPE_PAX_SUN, TYPE_GNU_LONG_NAME, TYPE_GNU_LONG_LINK])

export function mend(input: Input, reading: Reading): AsyncIterable<Uint8Array> {
  return wholeMembers(input, reading, framesOf(reading))
}

/** True when a header with its magic is anywhere in the bytes. */
export function occursIn(bytes: Buffer): boolean {
  for (let at = search(bytes, 0); at >= 0; at = search(bytes, at + 1)) {
    if (at + BLOCK_BYTES <= bytes.length && checkHeader(bytes, at) === 'sound') return true
  }
  return false
}

function framesOf(reading: Reading): Frames {
  return {
    headBytes: BLOCK_BYTES,
    lookBytes: BLOCK_BYTES,
    begins: (buffer, at) => at + BLOCK_BYTES <= buffer.length && checkHeader(buffer, at) !== 'damaged',
    search,
    measure: (input) => measure(input, reading),
    align: BLOCK_BYTES,
    end: Buffer.alloc(2 * BLOCK_BYTES),
    endsInZeros: true,
  }
}

/** Where the magic of a header is. A tar of before 1988 has none, and cannot be found again after damage. */
function search(buffer: Buffer, from: number): number {
  const at = buffer.indexOf(USTAR, from + MAGIC[0], 'latin1')
  return at < 0 ? -1 : at - MAGIC[0]
}

async function measure(input: Input, reading: Reading): Promise<Frame | undefined> {
  let pax: PaxRecords = {}
  let name: string | undefined
  for (let headers = 0; ; ) {
    if (!(await input.fill(headers + BLOCK_BYTES))) return undefined
    const at = input.position + headers
    const state = checkHeader(input.buffer, at)
    // Zeros end an archive, or are damage: that shows when other members follow.
    if (state === 'zero' && headers === 0) {
      return { headers: await endBytes(input, reading), content: 0, padding: 0, path: undefined, isEnd: true }
    }
    if (state !== 'sound') return undefined
    try {
      const offset = input.offset + headers
      const known = { path: pax.path !== undefined || name !== undefined, linkname: true }
      const header = parseHeader(input.buffer, at, reading, offset, known)
      headers += BLOCK_BYTES
      if (header.typeflag === TYPE_PAX_GLOBAL && headers === BLOCK_BYTES) {
        return {
          headers,
          content: header.size,
          padding: -header.size & (BLOCK_BYTES - 1),
          path: undefined,
          isEnd: false,
        }
      }
      if (!BEFORE.has(header.typeflag)) {
        const content = contentOf(header.typeflag, pax.size ?? header.size)
        const path = pax.path ?? name ?? header.name
        // The reader would refuse it, and all that follows with it.
        toMember({ ...header }, { ...pax, path }, reading, offset)
        return { headers, content, padding: -content & (BLOCK_BYTES - 1), path, isEnd: false }
      }
      const bytes = header.size + (-header.size & (BLOCK_BYTES - 1))
      if (headers + bytes > 2 * HEADER_BYTES || !(await input.fill(headers + bytes))) return undefined
      const records = input.buffer.subarray(input.position + headers, input.position + headers + header.size)
      if (header.typeflag === TYPE_GNU_LONG_NAME) name = records.toString('utf8').replace(/\0.*$/s, '')
      else if (header.typeflag !== TYPE_GNU_LONG_LINK) pax = parsePax(Buffer.from(records), pax, reading, offset)
      headers += bytes
    } catch (error) {
      reading.loseFound(error)
      return undefined
    }
  }
}

/** Bytes of the end of an archive, with the global header that may follow its zeros: see reader.ts. */
async function endBytes(input: Input, reading: Reading): Promise<number> {
  if (!(await input.fill(3 * BLOCK_BYTES))) return BLOCK_BYTES
  const at = input.position + 2 * BLOCK_BYTES
  if (checkHeader(input.buffer, at) !== 'sound') return BLOCK_BYTES
  const offset = input.offset + 2 * BLOCK_BYTES
  const { typeflag, size } = parseHeader(input.buffer, at, reading, offset, { path: false, linkname: false })
  if (typeflag !== TYPE_PAX_GLOBAL || size > HEADER_BYTES || !(await input.fill(3 * BLOCK_BYTES + size))) {
    return BLOCK_BYTES
  }
  const from = input.position + 3 * BLOCK_BYTES
  parseGlobalPax(input.buffer.subarray(from, from + size), {}, reading, offset)
  return 3 * BLOCK_BYTES + size + (-size & (BLOCK_BYTES - 1))
}

/** Links, directories and devices have no content, whatever their size says. */
function contentOf(typeflag: string, size: number): number {
  return '123456'.includes(typeflag) ? 0 : size
}
