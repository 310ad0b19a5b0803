/**
 * Records of an archive as a whole, as text, for formats without pax headers: the value of `comment` is the first line,
 * and each other record a line `KEYWORD=VALUE`. So a person reads them where a tool shows the comment of an archive.
 */
import { ArchiveError } from '../archive-error.ts'
import type { ExtraRecords } from '../format-encoder.ts'

const COMMENT = 'comment'
const LINE = /^([A-Za-z][\w.-]*)=(.*)$/

/**
 * @param most - most bytes. Records that do not fit are left out, the last ones first.
 * @throws {ArchiveError} `EINVAL` a line cannot hold a record
 */
export function encodeTextRecords(records: ExtraRecords, format: string, most: number): Buffer {
  let text = ''
  for (const [keyword, value] of Object.entries(records)) {
    const line = keyword === COMMENT && text === '' ? value : `${keyword}=${value}`
    const isSound = keyword === COMMENT ? !value.includes('\n') : LINE.test(line) && line.isWellFormed()
    if (!isSound) throw new ArchiveError('EINVAL', { format }, `${format}: cannot hold the record ${keyword}`)
    if (Buffer.byteLength(`${text}${line}\n`) <= most) text += `${line}\n`
  }
  return Buffer.from(text)
}

/** The records in a text of any origin. What is not a record is left out. */
export function decodeTextRecords(bytes: Buffer): ExtraRecords {
  const records: Record<string, string> = Object.create(null)
  const end = bytes.indexOf(0)
  const lines = bytes.toString('utf8', 0, end < 0 ? bytes.length : end).split('\n')
  for (const [n, line] of lines.entries()) {
    const record = LINE.exec(line.trimEnd())
    if (record) records[record[1] as string] = record[2] as string
    else if (n === 0 && line.trim() !== '') records[COMMENT] = line.trimEnd()
  }
  return records
}
