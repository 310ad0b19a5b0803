/**
 * Reads the Rock Ridge fields of a file, which follow the name in a directory record of ISO 9660 and may continue
 * elsewhere (`CE`) (SUSP, IEEE P1281; RRIP, IEEE P1282).
 */
import type { ExtraRecords } from '../../format-encoder.ts'
import type { Reading } from '../../member.ts'
import type { Window } from '../window.ts'
import {
  AL_USER,
  CE,
  CE_BYTES,
  CL,
  COMPONENT_HEADER_BYTES,
  CONTINUE,
  ENTRY_HEADER_BYTES,
  FIRST_SHORT_YEAR,
  LONG_DATE_BYTES,
  NM_CURRENT,
  NM_PARENT,
  PIECE_AT,
  PIECE_FLAGS_AT,
  PX,
  SHORT_DATE_BYTES,
  SL_CURRENT,
  SL_PARENT,
  SL_ROOT,
  SP,
  TF_CREATION,
  TF_LONG_FORM,
  TF_MODIFY,
} from './layout.ts'

/** Most continuations of one record. More are a loop. They bound a name and the target of a link too, to half a MiB. */
const CONTINUATIONS = 256

export interface RockRidge {
  name: string | undefined
  mode: number | undefined
  uid: number
  gid: number
  mtimeSeconds: number | undefined
  linkname: string | undefined
  /** Extended attributes of the namespace `user.`, by name (AAIP 2.0, "AL"). */
  extra: ExtraRecords | undefined
  /** The position of a directory that was moved because it is too deep for ISO 9660. */
  relocatedTo: number | undefined
  /** True for a directory that was moved here, and is shown at its original place. */
  relocated: boolean
  /** True for a file compressed by zisofs. */
  compressed: boolean
  /** Bytes to skip before the fields of all other records. Only the root directory gives it. */
  skip: number | undefined
}

/** Names and targets come in parts, kept as bytes, since a part may end within a character. */
interface Parts {
  name: Buffer[]
  target: Buffer[]
  /** True when the next component of the target continues the last one. */
  goesOn: boolean
  /** Names and values of attributes, alternating. */
  attributes: Buffer[]
  attributeGoesOn: boolean
}

/** @param area - the bytes of the fields */
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
    // 3 stands for `user.`. Attributes of other namespaces are ignored.
    if (name[0] === AL_USER) found.extra = { ...found.extra, [text([name.subarray(1)])]: text([value]) }
  }
  return found
}

/** @returns where the fields continue; undefined at their end */
function fields(area: Buffer, found: RockRidge, parts: Parts, blockBytes: number) {
  let next: { at: number; length: number } | undefined
  for (let at = 0; at + ENTRY_HEADER_BYTES <= area.length; ) {
    const length = area[at + 2] as number
    if (length < ENTRY_HEADER_BYTES || at + length > area.length) break
    const field = area.subarray(at, at + length)
    at += length
    switch (field.toString('latin1', 0, 2)) {
      case 'SP':
        if (length > SP.skip) found.skip = field[SP.skip]
        break
      case 'CE':
        if (length < CE_BYTES) break
        next = {
          at: field.readUInt32LE(CE.sector) * blockBytes + field.readUInt32LE(CE.offset),
          length: field.readUInt32LE(CE.length),
        }
        if (next.length > blockBytes) next.length = blockBytes
        break
      case 'ST':
        return next
      case 'NM':
        // Names that only say "this directory" or "its parent" are ignored.
        if (length >= PIECE_AT && ((field[PIECE_FLAGS_AT] as number) & (NM_CURRENT | NM_PARENT)) === 0) {
          parts.name.push(field.subarray(PIECE_AT))
        }
        break
      case 'PX':
        if (length < PX.serial) break
        found.mode = field.readUInt32LE(PX.mode)
        found.uid = field.readUInt32LE(PX.uid)
        found.gid = field.readUInt32LE(PX.gid)
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
        if (length >= 12) found.relocatedTo = field.readUInt32LE(CL.sector)
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
const SPECIAL: Readonly<Record<number, string>> = { [SL_CURRENT]: '.', [SL_PARENT]: '..', [SL_ROOT]: '' }

/** Read the components of a link target. `''` stands for the root, before the first slash. */
function target(field: Buffer, parts: Parts): void {
  for (let at = PIECE_AT; at + COMPONENT_HEADER_BYTES <= field.length; ) {
    const flags = field[at] as number
    const content = field.subarray(at + COMPONENT_HEADER_BYTES, at + COMPONENT_HEADER_BYTES + (field[at + 1] as number))
    at += COMPONENT_HEADER_BYTES + (field[at + 1] as number)
    const special = SPECIAL[flags & (SL_CURRENT | SL_PARENT | SL_ROOT)]
    if (parts.target.length > 0 && !parts.goesOn) parts.target.push(SLASH)
    parts.target.push(special === undefined ? content : Buffer.from(special))
    parts.goesOn = (flags & CONTINUE) !== 0
  }
}

/** Read names and values of attributes, which are split into components like link targets. */
function attribute(field: Buffer, parts: Parts): void {
  for (let at = PIECE_AT; at + COMPONENT_HEADER_BYTES <= field.length; ) {
    const content = field.subarray(at + COMPONENT_HEADER_BYTES, at + COMPONENT_HEADER_BYTES + (field[at + 1] as number))
    if (parts.attributeGoesOn) parts.attributes.push(Buffer.concat([parts.attributes.pop() as Buffer, content]))
    else parts.attributes.push(content)
    parts.attributeGoesOn = ((field[at] as number) & CONTINUE) !== 0
    at += COMPONENT_HEADER_BYTES + (field[at + 1] as number)
  }
}

/** The time of modification, the second of the times that the entry can have. */
function modified(field: Buffer): number | undefined {
  const flags = field[PIECE_FLAGS_AT] ?? 0
  if ((flags & TF_MODIFY) === 0) return undefined
  const bytes = flags & TF_LONG_FORM ? LONG_DATE_BYTES : SHORT_DATE_BYTES
  const at = PIECE_AT + (flags & TF_CREATION) * bytes
  if (at + bytes > field.length) return undefined
  return bytes === SHORT_DATE_BYTES ? recordTime(field, at) : volumeTime(field, at)
}

/**
 * The time of a directory record in seconds since 1970 (ECMA-119 9.1.5). Its last byte is the offset from UTC in units
 * of 15 minutes.
 */
export function recordTime(bytes: Buffer, at: number): number {
  const [year, month, day, hour, minute, second] = bytes.subarray(at, at + 6) as unknown as number[]
  if (month === 0) return 0
  const utc = Date.UTC(FIRST_SHORT_YEAR + (year ?? 0), (month ?? 1) - 1, day, hour, minute, second) / 1000
  return utc - bytes.readInt8(at + 6) * 900
}

/**
 * A long date in seconds since 1970 (ECMA-119 8.4.26.1): digits down to hundredths of a second, and a byte with the offset
 * from UTC in units of 15 minutes.
 */
function volumeTime(bytes: Buffer, at: number): number | undefined {
  const digits = bytes.toString('latin1', at, at + LONG_DATE_BYTES - 1)
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(digits)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, hundredths = 0] = found.slice(1).map(Number)
  const utc = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 + hundredths / 100
  return utc - bytes.readInt8(at + LONG_DATE_BYTES - 1) * 900
}
