/** The records of pax extended headers (POSIX pax(1), "pax Extended Header"): `LENGTH KEYWORD=VALUE\n`, UTF-8. */
import { isUtf8 } from 'node:buffer'
import type { ExtraRecords } from '../format-encoder.ts'
import type { Reading } from '../member.ts'

/** What extended headers say of a member. */
export interface PaxRecords {
  path?: string
  linkpath?: string
  size?: number
  uid?: number
  gid?: number
  mtime?: number
  /** The keyword of a record that says the file is sparse. */
  sparse?: string
  extra?: Record<string, string>
}

/** Keywords whose values are nothing to a reader of contents. */
const IGNORED = new Set(['atime', 'ctime', 'uname', 'gname', 'comment', 'charset', 'hdrcharset'])

/**
 * @param into - records of a global header, or of an earlier one: later ones win, and an empty value takes one away
 * @throws {ArchiveError} `EBADMSG` for a record that is not well formed; `EILSEQ`; `EOVERFLOW`
 */
export function parsePax(bytes: Buffer, into: PaxRecords, reading: Reading, offset: number): PaxRecords {
  const records: PaxRecords = { ...into }
  // Once, not for each record: there may be a hundred thousand.
  if (into.extra) records.extra = copyOf(into.extra)
  for (let at = 0; at < bytes.length; ) {
    // Some writers fill the block up, and count that in the size.
    if (bytes[at] === 0) break
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 || space - at > 10 ? '' : bytes.toString('latin1', at, space)
    const end = at + Number(digits)
    const equals = bytes.indexOf(0x3d, space)
    if (!/^[0-9]+$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw reading.error('EBADMSG', 'damaged pax header: a record is not well formed', { offset: offset + at })
    }
    const keyword = bytes.toString('utf8', space + 1, equals)
    apply(records, keyword, bytes.subarray(equals + 1, end - 1), reading, offset)
    at = end
  }
  return records
}

function apply(records: PaxRecords, keyword: string, value: Buffer, reading: Reading, offset: number): void {
  switch (keyword) {
    case 'path':
    case 'linkpath':
      if (value.length === 0) delete records[keyword]
      else records[keyword] = reading.text(value, 0, value.length, offset)
      return
    case 'size':
    case 'uid':
    case 'gid':
    case 'mtime':
      if (value.length === 0) delete records[keyword]
      else records[keyword] = number(keyword, value.toString('latin1'), reading, offset)
      return
  }
  if (keyword.startsWith('GNU.sparse.') || keyword === 'SUN.holesdata') records.sparse = keyword
  // A binary value (SCHILY.xattr.*) is no string, and none of those says what a file holds.
  else if (!IGNORED.has(keyword) && isUtf8(value)) {
    records.extra ??= copyOf({})
    if (value.length === 0) delete records.extra[keyword]
    else records.extra[keyword] = value.toString()
  }
}

/** Without a prototype: a keyword may be any word. */
function copyOf(extra: ExtraRecords): Record<string, string> {
  return Object.assign(Object.create(null), extra)
}

function number(keyword: string, value: string, reading: Reading, offset: number): number {
  const whole = keyword !== 'mtime'
  if (!(whole ? /^-?[0-9]+$/ : /^-?[0-9]*\.?[0-9]*$/).test(value) || (keyword === 'size' && value.startsWith('-'))) {
    throw reading.error('EBADMSG', `damaged pax header: ${keyword} is not a number`, { offset })
  }
  const result = Number(value)
  if (whole ? !Number.isSafeInteger(result) : !Number.isFinite(result)) {
    throw reading.error('EOVERFLOW', `the ${keyword} of a pax header is beyond all bounds`, { offset })
  }
  return result
}

/** The extra records, if there are any left. */
export function extraOf(records: PaxRecords): ExtraRecords | undefined {
  const { extra } = records
  return extra === undefined || Object.keys(extra).length === 0 ? undefined : extra
}
