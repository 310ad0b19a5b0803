/**
 * What Rock Ridge says of a file: the fields after the name in a directory record of ISO 9660 (SUSP, IEEE P1281; RRIP, IEEE
 * P1282), which may go on elsewhere (`CE`).
 */
import type { ExtraRecords } from '../../format-encoder.ts'
import type { Reading } from '../../member.ts'
import type { Window } from '../window.ts'

/** Continuations that one record may have: more is a loop. */
const CONTINUATIONS = 256

export interface RockRidge {
  name: string | undefined
  mode: number | undefined
  uid: number
  gid: number
  mtimeSeconds: number | undefined
  linkname: string | undefined
  /** Extended attributes of users, by their names (AAIP 2.0, "AL"). */
  extra: ExtraRecords | undefined
  /** Where a directory too deep for ISO 9660 has been put. */
  relocatedTo: number | undefined
  /** This is where it has been put, and it is shown elsewhere. */
  relocated: boolean
  /** Compressed by zisofs. */
  compressed: boolean
  /** Bytes before the fields of all other records; given by the root directory alone. */
  skip: number | undefined
}

/** Names and targets come in parts, bytes first: a part may end within a character. */
interface Parts {
  name: Buffer[]
  target: Buffer[]
  /** The next component of the target goes on with the last one. */
  goesOn: boolean
  /** Names and values of attributes, in turns. */
  attributes: Buffer[]
  attributeGoesOn: boolean
}

/** @param area - the fields, from the first on */
export async function readRockRidge(
  area: Buffer,
  blockBytes: number,
  window: Window,
  reading: Reading,
  offset: number,
): Promise<RockRidge> {
  const found: RockRidge = {
    name: undefined,
    mode: undefined,
    uid: 0,
    gid: 0,
    mtimeSeconds: undefined,
    linkname: undefined,
    extra: undefined,
    relocatedTo: undefined,
    relocated: false,
    compressed: false,
    skip: undefined,
  }
  const parts: Parts = { name: [], target: [], goesOn: false, attributes: [], attributeGoesOn: false }
  let more: Buffer | undefined = area
  for (let n = 0; more !== undefined; n++) {
    if (n > CONTINUATIONS) throw reading.error('EBADMSG', 'damaged: a directory record without an end', { offset })
    const next: { at: number; length: number } | undefined = fields(more, found, parts, blockBytes)
    more = undefined
    if (next !== undefined) {
      more = await window.at(next.at, next.length)
      if (more.length < next.length) throw reading.truncated('a directory record', { offset })
    }
  }
  const text = (bytes: Buffer[]) => {
    const joined = Buffer.concat(bytes)
    return reading.text(joined, 0, joined.length, offset)
  }
  if (parts.name.length > 0) found.name = text(parts.name)
  if (parts.target.length > 0) found.linkname = text(parts.target)
  for (let i = 0; i + 1 < parts.attributes.length; i += 2) {
    const [name, value] = parts.attributes.slice(i, i + 2) as [Buffer, Buffer]
    // 3 stands for `user.`; those of the system are none of ours.
    if (name[0] === 3) found.extra = { ...found.extra, [text([name.subarray(1)])]: text([value]) }
  }
  return found
}

/** @returns where the fields go on */
function fields(area: Buffer, found: RockRidge, parts: Parts, blockBytes: number) {
  let next: { at: number; length: number } | undefined
  for (let at = 0; at + 4 <= area.length; ) {
    const length = area[at + 2] as number
    if (length < 4 || at + length > area.length) break
    const field = area.subarray(at, at + length)
    at += length
    switch (field.toString('latin1', 0, 2)) {
      case 'SP':
        if (length >= 7) found.skip = field[6]
        break
      case 'CE':
        if (length < 28) break
        next = { at: field.readUInt32LE(4) * blockBytes + field.readUInt32LE(12), length: field.readUInt32LE(20) }
        if (next.length > blockBytes) next.length = blockBytes
        break
      case 'ST':
        return next
      case 'NM':
        // Flags for the names of the directory and its parent are of no use here.
        if (length >= 5 && ((field[4] as number) & 6) === 0) parts.name.push(field.subarray(5))
        break
      case 'PX':
        if (length < 36) break
        found.mode = field.readUInt32LE(4)
        found.uid = field.readUInt32LE(20)
        found.gid = field.readUInt32LE(28)
        break
      case 'SL':
        target(field, parts)
        break
      case 'AL':
        attribute(field, parts)
        break
      case 'TF':
        found.mtimeSeconds = modified(field) ?? found.mtimeSeconds
        break
      case 'CL':
        if (length >= 12) found.relocatedTo = field.readUInt32LE(4)
        break
      case 'RE':
        found.relocated = true
        break
      case 'ZF':
        found.compressed = true
    }
  }
  return next
}

const SLASH = Buffer.from('/')
const SPECIAL: Readonly<Record<number, string>> = { 2: '.', 4: '..', 8: '' }

/** The components of a link target; `''` is the root, before the first slash. */
function target(field: Buffer, parts: Parts): void {
  for (let at = 5; at + 2 <= field.length; ) {
    const flags = field[at] as number
    const content = field.subarray(at + 2, at + 2 + (field[at + 1] as number))
    at += 2 + (field[at + 1] as number)
    const special = SPECIAL[flags & 14]
    if (parts.target.length > 0 && !parts.goesOn) parts.target.push(SLASH)
    parts.target.push(special === undefined ? content : Buffer.from(special))
    parts.goesOn = (flags & 1) !== 0
  }
}

/** Names and values of attributes, cut up as link targets are. */
function attribute(field: Buffer, parts: Parts): void {
  for (let at = 5; at + 2 <= field.length; ) {
    const content = field.subarray(at + 2, at + 2 + (field[at + 1] as number))
    if (parts.attributeGoesOn) parts.attributes.push(Buffer.concat([parts.attributes.pop() as Buffer, content]))
    else parts.attributes.push(content)
    parts.attributeGoesOn = ((field[at] as number) & 1) !== 0
    at += 2 + (field[at + 1] as number)
  }
}

/** The second of the times that may be there. */
function modified(field: Buffer): number | undefined {
  const flags = field[4] ?? 0
  if ((flags & 2) === 0) return undefined
  const bytes = flags & 0x80 ? 17 : 7
  const at = 5 + (flags & 1) * bytes
  if (at + bytes > field.length) return undefined
  return bytes === 7 ? recordTime(field, at) : volumeTime(field.toString('latin1', at, at + 16))
}

/** ISO 9660, 9.1.5: years since 1900, ..., quarters of an hour from Greenwich. */
export function recordTime(bytes: Buffer, at: number): number {
  const [year, month, day, hour, minute, second] = bytes.subarray(at, at + 6) as unknown as number[]
  if (month === 0) return 0
  const utc = Date.UTC(1900 + (year ?? 0), (month ?? 1) - 1, day, hour, minute, second) / 1000
  return utc - bytes.readInt8(at + 6) * 900
}

/** ISO 9660, 8.4.26.1: digits, hundredths of seconds among them. */
function volumeTime(digits: string): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(digits)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, hundredths = 0] = found.slice(1).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 + hundredths / 100
}
