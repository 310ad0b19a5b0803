/**
 * POSIX tar (IEEE 1003.1, "pax"): ustar headers, each preceded by an extended header `x` if ustar cannot express the
 * member, with only the records that it needs. This is libarchive's "restricted pax", which `flux dump` writes, and the
 * fields are filled in as libarchive does it.
 */
import type { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError, sizeMismatch } from '../../archive-error.ts'
import type { ExtraRecords, FormatEncoder, MemberAttributes } from '../../format-encoder.ts'
import { HEADER_BYTES } from '../../member.ts'
import { encodePax } from '../pax-records.ts'
import {
  BLOCK_BYTES,
  CHKSUM,
  DEVMAJOR,
  DEVMINOR,
  GID,
  LINKNAME,
  MAGIC,
  MAX_ID,
  MAX_SIZE,
  MODE,
  MTIME,
  NAME,
  PREFIX,
  SIZE,
  TYPE_FILE,
  TYPE_PAX,
  TYPE_PAX_GLOBAL,
  TYPE_SYMLINK,
  TYPEFLAG,
  UID,
  USTAR,
  VERSION,
} from './layout.ts'
import { cut, isAsciiText, paxHeaderName, splitsAt } from './names.ts'
import { putAscii, putBase256, putBytes, putDigits, putOctal } from './put-fields.ts'

/** Member types, as bytes. */
const FILE = TYPE_FILE.charCodeAt(0)
const SYMLINK = TYPE_SYMLINK.charCodeAt(0)
const PAX = TYPE_PAX.charCodeAt(0)
const GLOBAL = TYPE_PAX_GLOBAL.charCodeAt(0)

/** The name of a global header, as git writes it. A reader without pax support extracts the header under this name. */
const GLOBAL_NAME = 'pax_global_header'

/** The ustar linkname field of a target that does not fit, as in libarchive. */
const LONG_LINK = '././@LongSymLink'

export interface TarOptions {
  /**
   * Pad the archive to a multiple of this many bytes (default 512, which adds nothing). libarchive pads a stream to a
   * tape record of 10,240 bytes.
   */
  recordBytes?: number
  /** Records of the archive as a whole, for a global header before the first member. */
  records?: ExtraRecords | undefined
}

export class TarEncoder implements FormatEncoder {
  readonly #out: ChunkWriter
  readonly #recordBytes: number
  /** Records that are written before the first member. */
  #first: ExtraRecords | undefined
  #hasMembers = false
  /** pax records that every member needs: ids or a time that do not fit an octal field. */
  readonly #common: readonly (readonly [keyword: string, value: string])[]
  /** A header with the fields that all members share. The other fields are set in place for each member. */
  readonly #header: Buffer
  /**
   * The byte sum of the shared header, with name, size, typeflag, linkname and prefix as zero and the checksum as
   * spaces.
   */
  readonly #sum: number
  /** How many bytes of the header's name field are in use. */
  #nameBytes = 0
  #trailingBytes = 0
  #fileName = ''
  #declared = 0
  #written = 0

  constructor(out: ChunkWriter, attributes: MemberAttributes, options: TarOptions = {}) {
    this.#out = out
    this.#recordBytes = options.recordBytes ?? BLOCK_BYTES
    this.#first = options.records
    const { mode, uid, gid, mtimeSeconds } = attributes
    const common: [string, string][] = []
    if (gid > MAX_ID) common.push(['gid', String(gid)])
    if (uid > MAX_ID) common.push(['uid', String(uid)])
    if (mtimeSeconds < 0 || mtimeSeconds > MAX_SIZE) common.push(['mtime', String(mtimeSeconds)])
    this.#common = common
    const header = Buffer.alloc(BLOCK_BYTES)
    putOctal(header, MODE, mode)
    putOctal(header, UID, Math.min(uid, MAX_ID))
    putOctal(header, GID, Math.min(gid, MAX_ID))
    putOctal(header, SIZE, 0)
    putOctal(header, MTIME, Math.min(Math.max(mtimeSeconds, 0), MAX_SIZE))
    header.fill(0x20, CHKSUM[0], CHKSUM[0] + CHKSUM[1])
    header.write(`${USTAR}\0`, MAGIC[0], 'latin1')
    header.write('00', VERSION[0], 'latin1')
    putOctal(header, DEVMAJOR, 0)
    putOctal(header, DEVMINOR, 0)
    this.#header = header
    let sum = 0
    for (let i = 0; i < BLOCK_BYTES; i++) if (i < SIZE[0] || i >= SIZE[0] + SIZE[1]) sum += header[i] as number
    this.#sum = sum
  }

  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#member(FILE, path, size, '', extra)
    let written = 0
    for (const part of parts) {
      this.#out.write(part)
      written += part.length
    }
    if (written !== size) throw sizeMismatch('tar', path, size, written)
    this.#pad(size)
  }

  beginFile(path: string, size: number, extra?: ExtraRecords): void {
    this.#member(FILE, path, size, '', extra)
    this.#fileName = path
    this.#declared = size
    this.#written = 0
  }

  data(part: Uint8Array): void {
    this.#written += part.length
    if (this.#written > this.#declared) throw sizeMismatch('tar', this.#fileName, this.#declared, this.#written)
    this.#out.write(part)
  }

  endFile(): void {
    if (this.#written !== this.#declared) throw sizeMismatch('tar', this.#fileName, this.#declared, this.#written)
    this.#pad(this.#declared)
  }

  symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#member(SYMLINK, path, 0, target, extra)
  }

  get holdsRecords(): boolean {
    return true
  }

  get trailingBytes(): number {
    return this.#trailingBytes
  }

  /**
   * Python's tarfile refuses a global header that no member follows. So the last records come after the zeros that end
   * an archive, where other readers have stopped.
   */
  finish(records?: ExtraRecords): void {
    this.#out.zeros(2 * BLOCK_BYTES)
    const end = this.#out.bytes
    if (records !== undefined && this.#hasMembers) {
      this.#globalHeader(records)
      this.#out.zeros(2 * BLOCK_BYTES)
    }
    const over = this.#out.bytes % this.#recordBytes
    if (over > 0) this.#out.zeros(this.#recordBytes - over)
    this.#trailingBytes = this.#out.bytes - end
  }

  #member(type: number, path: string, size: number, linkname: string, extra: ExtraRecords | undefined): void {
    if (!this.#hasMembers) {
      this.#hasMembers = true
      if (this.#first !== undefined) this.#globalHeader(this.#first)
      this.#first = undefined
    }
    const pathFits = isAsciiText(path) && splitsAt(path) >= 0
    const linkFits = linkname.length <= LINKNAME[1] && isAsciiText(linkname)
    if (!pathFits || !linkFits || size > MAX_SIZE || this.#common.length > 0 || extra !== undefined) {
      const records: (readonly [string, string])[] = []
      if (!pathFits) records.push(['path', path])
      if (!linkFits) records.push(['linkpath', linkname])
      records.push(...this.#common)
      if (size > MAX_SIZE) records.push(['size', String(size)])
      for (const keyword in extra) records.push([keyword, extra[keyword] as string])
      this.#extendedHeader(path, records)
    }
    this.#put(type, path, pathFits, size, Buffer.byteLength(linkname) <= LINKNAME[1] ? linkname : LONG_LINK)
  }

  /** Write the `x` member. @throws {ArchiveError} `ENAMETOOLONG` it is longer than readers such as libarchive accept */
  #extendedHeader(path: string, records: readonly (readonly [string, string])[]): void {
    const data = encodePax(records)
    if (data.length > HEADER_BYTES) {
      const what = `its names take more than the ${HEADER_BYTES} bytes that readers accept`
      throw new ArchiveError('ENAMETOOLONG', { format: 'tar', pathname: path }, what, {
        hint: 'leave it out with --exclude',
      })
    }
    this.#put(PAX, paxHeaderName(path), true, data.length, '')
    this.#out.write(data)
    this.#pad(data.length)
  }

  /** Write a `g` member. @throws {ArchiveError} `ENAMETOOLONG` it is longer than readers accept */
  #globalHeader(records: ExtraRecords): void {
    const data = encodePax(Object.entries(records))
    if (data.length > HEADER_BYTES) {
      const what = `the records of the archive take more than the ${HEADER_BYTES} bytes that readers accept`
      throw new ArchiveError('ENAMETOOLONG', { format: 'tar' }, what)
    }
    this.#put(GLOBAL, GLOBAL_NAME, true, data.length, '')
    this.#out.write(data)
    this.#pad(data.length)
  }

  #put(type: number, path: string, fits: boolean, size: number, linkname: string): void {
    const header = this.#header
    const split = fits ? splitsAt(path) : 0
    let sum = this.#sum + type
    header[TYPEFLAG] = type
    let nameBytes: number
    if (fits) {
      // The common case, an ASCII path, whose char codes are its bytes.
      const from = split > 0 ? split + 1 : 0
      nameBytes = path.length - from
      sum += putAscii(header, NAME[0], path, from, path.length)
      if (split > 0) sum += putAscii(header, PREFIX[0], path, 0, split)
    } else {
      const bytes = cut(Buffer.from(path), NAME[1])
      nameBytes = bytes.length
      sum += putBytes(header, NAME, bytes)
    }
    // What is left of the last name.
    for (let i = nameBytes; i < this.#nameBytes; i++) header[NAME[0] + i] = 0
    this.#nameBytes = nameBytes
    if (linkname !== '') sum += putBytes(header, LINKNAME, Buffer.from(linkname))
    sum += size <= MAX_SIZE ? putDigits(header, SIZE[0], SIZE[1] - 1, size) : putBase256(header, SIZE, size)
    if (size <= MAX_SIZE) sum += header[SIZE[0] + SIZE[1] - 1] = 0x20
    // Six digits, NUL, space: only this field has its terminators in this order.
    putDigits(header, CHKSUM[0], 6, sum)
    header[CHKSUM[0] + 6] = 0
    this.#out.write(header)
    if (linkname !== '') header.fill(0, LINKNAME[0], LINKNAME[0] + LINKNAME[1])
    if (split > 0) header.fill(0, PREFIX[0], PREFIX[0] + PREFIX[1])
  }

  #pad(size: number): void {
    const over = size % BLOCK_BYTES
    if (over > 0) this.#out.zeros(BLOCK_BYTES - over)
  }
}
