/**
 * cpio in its POSIX form, odc (IEEE 1003.1-1990, "Extended cpio Format"): a header of octal numbers, the name, the
 * content, without padding. `flux dump` writes this form too, but cannot write symlinks. A symlink is a member whose
 * content is the target.
 */
import type { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError, assertSize, sizeMismatch } from '../../archive-error.ts'
import { S_IFLNK, S_IFREG } from '../../file-mode.ts'
import type { ExtraRecords, FormatEncoder, MemberAttributes } from '../../format-encoder.ts'
import { HEADER_BYTES as MAX_TARGET_BYTES } from '../../member.ts'
import { OTHER_FORMAT, OTHER_FORMAT_OR_EXCLUDE } from '../other-format.ts'
import { encodePax } from '../pax-records.ts'
import { encodeTextRecords } from '../text-records.ts'
import { type Field, ODC, ODC_MAGIC, RECORDS_BYTES, TRAILER } from './layout.ts'

const { bytes: HEADER_BYTES, fields, device } = ODC
const {
  ino: INO,
  mode: MODE,
  uid: UID,
  gid: GID,
  nlink: NLINK,
  mtime: MTIME,
  namesize: NAMESIZE,
  size: FILESIZE,
} = fields
const [DEV] = device

/** The greatest numbers of 6 and of 11 octal digits. */
const MAX_6 = 0o777777
const MAX_11 = 0o77777777777

export class CpioEncoder implements FormatEncoder {
  readonly #out: ChunkWriter
  readonly #mode: number
  readonly #records: ExtraRecords | undefined
  /** A header with the fields that all members share. The other fields are set in place for each member. */
  readonly #header = Buffer.alloc(HEADER_BYTES, '0')
  #members = 0
  #trailingBytes = 0
  #fileName = ''
  #declared = 0
  #written = 0

  /**
   * @param records - of the archive as a whole
   * @throws {ArchiveError} `EOVERFLOW` the format cannot express the owner or the time
   */
  constructor(out: ChunkWriter, attributes: MemberAttributes, records?: ExtraRecords) {
    const { mode, uid, gid, mtimeSeconds } = attributes
    if (uid > MAX_6 || gid > MAX_6) throw tooLarge(`owner ${uid}, group ${gid}: ids go up to ${MAX_6}`)
    if (mtimeSeconds < 0 || mtimeSeconds > MAX_11) throw tooLarge(`time ${mtimeSeconds}: times go from 0 to ${MAX_11}`)
    this.#out = out
    this.#mode = mode
    this.#records = records
    this.#header.write(ODC_MAGIC)
    putOctal(this.#header, UID, uid)
    putOctal(this.#header, GID, gid)
    putOctal(this.#header, NLINK, 1)
    putOctal(this.#header, MTIME, mtimeSeconds)
  }

  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    assertSize('cpio', path, size, parts)
    this.#member(S_IFREG, path, size, extra)
    for (const part of parts) this.#out.write(part)
  }

  beginFile(path: string, size: number, extra?: ExtraRecords): void {
    this.#member(S_IFREG, path, size, extra)
    this.#fileName = path
    this.#declared = size
    this.#written = 0
  }

  data(part: Uint8Array): void {
    this.#written += part.length
    if (this.#written > this.#declared) throw sizeMismatch('cpio', this.#fileName, this.#declared, this.#written)
    this.#out.write(part)
  }

  endFile(): void {
    if (this.#written !== this.#declared) throw sizeMismatch('cpio', this.#fileName, this.#declared, this.#written)
  }

  symlink(path: string, target: string, extra?: ExtraRecords): void {
    const content = Buffer.from(target)
    if (content.length > MAX_TARGET_BYTES) {
      const what = `the target of the link is longer than the ${MAX_TARGET_BYTES} bytes that readers accept`
      throw new ArchiveError('ENAMETOOLONG', { format: 'cpio', pathname: path }, what, {
        hint: OTHER_FORMAT_OR_EXCLUDE,
      })
    }
    this.#member(S_IFLNK, path, content.length, extra)
    this.#out.write(content)
  }

  get holdsRecords(): boolean {
    return true
  }

  get trailingBytes(): number {
    return this.#trailingBytes
  }

  /** All records follow the trailer, where other readers have stopped. */
  finish(records?: ExtraRecords): void {
    const trailer = Buffer.alloc(HEADER_BYTES, '0')
    trailer.write(ODC_MAGIC)
    putOctal(trailer, NLINK, 1)
    putOctal(trailer, NAMESIZE, TRAILER.length + 1)
    this.#out.write(trailer)
    this.#out.write(Buffer.from(`${TRAILER}\0`))
    const end = this.#out.bytes
    this.#out.write(encodeTextRecords({ ...this.#records, ...records }, 'cpio', RECORDS_BYTES))
    this.#trailingBytes = this.#out.bytes - end
  }

  #member(type: number, path: string, size: number, extra: ExtraRecords | undefined): void {
    const records = extra === undefined ? '' : encodePax(Object.entries(extra))
    // Other readers ignore bytes after the NUL that ends a name. Our reader finds the records there.
    const name = Buffer.from(`${path === TRAILER ? './' : ''}${path}\0${records === '' ? '' : `${records}\0`}`)
    const at = { format: 'cpio', pathname: path }
    if (size > MAX_11) {
      const what = `its ${size} bytes are more than the 8 GiB that a cpio can hold`
      throw new ArchiveError('EFBIG', at, what, { hint: OTHER_FORMAT_OR_EXCLUDE })
    }
    if (name.length > MAX_6) {
      const what = `a name of more than ${MAX_6} bytes, which a cpio cannot hold`
      throw new ArchiveError('ENAMETOOLONG', at, what, { hint: OTHER_FORMAT_OR_EXCLUDE })
    }
    const header = this.#header
    // Device and file number together identify a file. Each member gets a pair of its own, even with more than 2^18
    // members.
    this.#members++
    putOctal(header, DEV, Math.floor(this.#members / (MAX_6 + 1)))
    putOctal(header, INO, this.#members & MAX_6)
    putOctal(header, MODE, type | this.#mode)
    putOctal(header, NAMESIZE, name.length)
    putOctal(header, FILESIZE, size)
    this.#out.write(header)
    this.#out.write(name)
  }
}

function putOctal(header: Buffer, [offset, width]: Field, value: number): void {
  let rest = value
  for (let at = offset + width - 1; at >= offset; at--) {
    header[at] = 0x30 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}

function tooLarge(what: string): ArchiveError {
  return new ArchiveError('EOVERFLOW', { format: 'cpio' }, `cpio: cannot store ${what}`, {
    hint: OTHER_FORMAT,
  })
}
