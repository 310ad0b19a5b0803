/** The records of pax extended headers (POSIX pax(1), "pax Extended Header"): `LENGTH KEYWORD=VALUE\n`, UTF-8. */
import { isUtf8 } from 'node:buffer'
import type { ExtraRecords } from '../format-encoder.ts'
import type { Reading } from '../member.ts'

/** What extended headers give for a member. A record without a value is undefined: the header's own field counts. */
export interface PaxRecords {
  path?: string | undefined
  linkpath?: string | undefined
  size?: number | undefined
  uid?: number | undefined
  gid?: number | undefined
  mtime?: number | undefined
  /** The keyword of a record that marks the file as sparse. */
  sparse?: string
  extra?: Record<string, string>
}

/** Keywords that do not matter for contents. */
const IGNORED = new Set(['atime', 'ctime', 'uname', 'gname', 'comment', 'charset', 'hdrcharset'])

/**
 * @param into - records of a global or an earlier header. Later records win. An empty value removes a record, also
 *   that of a global header that the result is merged with.
 * @throws {ArchiveError} `EBADMSG` a record is not well formed; `EILSEQ` a path is not UTF-8; `EOVERFLOW` a number is
 *   out of range
 */
export function parsePax(bytes: Buffer, into: PaxRecords, reading: Reading, offset: number): PaxRecords {
  return parse(bytes, into, reading, offset)
}

/** Like {@link parsePax} for a global header. Records that the reader does not interpret are noted for the archive. */
export function parseGlobalPax(bytes: Buffer, into: PaxRecords, reading: Reading, offset: number): PaxRecords {
  const { extra, ...records } = parse(bytes, into, reading, offset, COMMENT)
  if (extra !== undefined) reading.note(extra)
  return records
}

function parse(bytes: Buffer, into: PaxRecords, reading: Reading, offset: number, also?: string): PaxRecords {
  const records: PaxRecords = { ...into }
  // Copy once, not for each record: there can be a hundred thousand.
  if (into.extra) records.extra = copyOf(into.extra)
  for (let at = 0; at < bytes.length; ) {
    // Some writers pad the block with zeros, and include them in the size.
    if (bytes[at] === 0) break
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 || space - at > 10 ? '' : bytes.toString('latin1', at, space)
    const end = at + Number(digits)
    const equals = bytes.indexOf(0x3d, space)
    if (!/^[0-9]+$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw reading.error('EBADMSG', 'damaged pax header: a record is not well formed', { offset: offset + at })
    }
    const keyword = bytes.toString('utf8', space + 1, equals)
    apply(records, keyword, bytes.subarray(equals + 1, end - 1), reading, offset, also)
    at = end
  }
  return records
}

/** The keyword of a record for people, which is kept only for the archive as a whole. */
const COMMENT = 'comment'

function apply(
  records: PaxRecords,
  keyword: string,
  value: Buffer,
  reading: Reading,
  offset: number,
  also?: string,
): void {
  switch (keyword) {
    case 'path':
    case 'linkpath':
      records[keyword] = value.length === 0 ? undefined : reading.text(value, 0, value.length, offset)
      return
    case 'size':
    case 'uid':
    case 'gid':
    case 'mtime':
      records[keyword] = value.length === 0 ? undefined : number(keyword, value.toString('latin1'), reading, offset)
      return
  }
  if (keyword.startsWith('GNU.sparse.') || keyword === 'SUN.holesdata') records.sparse = keyword
  // Skip binary values (SCHILY.xattr.*): they are not text, and do not describe the content.
  else if ((keyword === also || !IGNORED.has(keyword)) && isUtf8(value)) {
    records.extra ??= copyOf({})
    if (value.length === 0) delete records.extra[keyword]
    else records.extra[keyword] = value.toString()
  }
}

/** Copy without a prototype, since a keyword can be any word. */
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
    throw reading.error('EOVERFLOW', `the ${keyword} of a pax header is out of range`, { offset })
  }
  return result
}

/** The extra records; undefined when there are none. */
export function extraOf(records: PaxRecords): ExtraRecords | undefined {
  const { extra } = records
  return extra === undefined || Object.keys(extra).length === 0 ? undefined : extra
}
