/**
 * Reads cpio in its two portable forms: POSIX odc (numbers in octal) and SVR4 newc (in hexadecimal, padded to 4 bytes,
 * with or without a checksum). In a newc archive, a file with several names has its content only at the last name.
 */
import type { ArchiveError } from '../../archive-error.ts'
import { S_IFMT } from '../../file-mode.ts'
import type { Input } from '../../input.ts'
import { HEADER_BYTES, type Member, type Reading, typeOfMode, WHOLE_BYTES } from '../../member.ts'
import { Batch, type Batches, Body } from '../batch.ts'
import type { FileOrigin } from '../format.ts'
import { extraOf, parsePax } from '../pax.ts'
import { decodeTextRecords } from '../text-records.ts'
import { CHECK, CRC_MAGIC, type Field, LAYOUTS, MAGIC_BYTES, NEWC, ODC, RECORDS_BYTES, TRAILER } from './layout.ts'

/** Memory for names that wait for the content of their file, and for files that wait for their other names. */
const WAITING_BYTES = 256 << 20
/** What a name takes besides its characters. */
const NAME_BYTES = 256

/** A member with the fields that only cpio has. */
interface Header {
  member: Member
  size: number
  /** Identifies the file, when it has several names. */
  file: string | undefined
  /** How many names the file has. */
  names: number
  check: number | undefined
  pad: number
}

export async function* readMembers({ input, reading }: FileOrigin): Batches {
  const batch = new Batch()
  // Both maps forget a file after its last name, as writers of cpio do.
  /** Names seen before the content of their file. */
  const waiting = new Map<string, Member[]>()
  /** For a file whose content has been read, its name, and how many further names are still to come. */
  const seen = new Map<string, { path: string; left: number }>()
  let heldBytes = 0
  for (let header: Header | undefined; (header = await readHeader(input, reading)); ) {
    const { member, size, file, names, check, pad } = header
    if (heldBytes > WAITING_BYTES) throw tooManyWaiting(reading, member)
    if (file !== undefined && size === 0) {
      const first = seen.get(file)
      const others = waiting.get(file)
      if (first !== undefined) {
        batch.add(linkTo(first.path, member))
        if (--first.left === 0) {
          seen.delete(file)
          heldBytes -= bytesOf(first)
        }
      } else if (others === undefined) {
        waiting.set(file, [member])
        heldBytes += bytesOf(member)
      } else if (others.push(member) < names) {
        heldBytes += bytesOf(member)
      } else {
        // All names have been read without content: the file is empty.
        waiting.delete(file)
        heldBytes -= sumOf(others) - bytesOf(member)
        addEmpty(batch, others)
      }
      if (batch.full) yield batch.take()
      continue
    }
    const sum = { value: 0 }
    const onChunk = check === undefined ? undefined : (chunk: Uint8Array) => add(sum, chunk)
    if (member.type === 'file' && size > WHOLE_BYTES) {
      const body = new Body(input, reading, member.path, size, onChunk)
      member.stream = () => body.stream()
      batch.add(member)
      yield batch.take()
      await body.finish()
      await input.skip(pad)
    } else {
      await readContent(input, header, reading)
      if (member.data !== undefined) onChunk?.(member.data)
      batch.add(member)
    }
    if (check !== undefined && sum.value !== check) {
      throw reading.error('EBADMSG', 'damaged: its checksum does not match', {
        path: member.path,
        offset: member.offset,
      })
    }
    if (file !== undefined) {
      const others = waiting.get(file) ?? []
      for (const other of others) batch.add(linkTo(member.path, other))
      waiting.delete(file)
      heldBytes -= sumOf(others)
      const left = names - 1 - others.length
      if (left > 0) {
        const before = seen.get(file)
        heldBytes += bytesOf(member) - (before ? bytesOf(before) : 0)
        seen.set(file, { path: member.path, left })
      }
    }
    if (batch.full) yield batch.take()
  }
  // Empty files, some of whose names are not in the archive.
  for (const names of waiting.values()) {
    addEmpty(batch, names)
    if (batch.full) yield batch.take()
  }
  if (batch.members.length > 0) yield batch.take()
  // Other writers pad with zeros.
  reading.note(decodeTextRecords(await input.take(RECORDS_BYTES)))
  await input.drain()
}

function bytesOf({ path }: { path: string }): number {
  return NAME_BYTES + path.length
}

function sumOf(members: readonly Member[]): number {
  return members.reduce((sum, member) => sum + bytesOf(member), 0)
}

function tooManyWaiting(reading: Reading, { path, offset }: Member): ArchiveError {
  const what = `hard links that wait for other names of their files take more than ${WAITING_BYTES >> 20} MiB`
  const hint = 'unpack it with cpio, and restore the directory'
  return reading.error('EOVERFLOW', what, { path, offset, hint })
}

function addEmpty(batch: Batch, [first, ...others]: readonly Member[]): void {
  batch.add(first as Member)
  for (const other of others) batch.add(linkTo((first as Member).path, other))
}

function linkTo(first: string, member: Member): Member {
  return { ...member, type: 'hardlink', linkname: first, data: undefined }
}

function add(sum: { value: number }, chunk: Uint8Array): void {
  let { value } = sum
  for (let i = 0; i < chunk.length; i++) value = (value + (chunk[i] as number)) >>> 0
  sum.value = value
}

/** @returns undefined at the trailer */
async function readHeader(input: Input, reading: Reading): Promise<Header | undefined> {
  const offset = input.offset
  if (!input.ready(MAGIC_BYTES) && !(await input.fill(MAGIC_BYTES))) {
    throw reading.error('EBADMSG', 'truncated: the trailer that ends an archive is missing', { offset })
  }
  const magic = input.buffer.toString('latin1', input.position, input.position + MAGIC_BYTES)
  const layout = LAYOUTS[magic]
  if (layout === undefined) throw reading.error('EBADMSG', 'damaged: no header where one should be', { offset })
  const { bytes, align, fields } = layout
  if (!input.ready(bytes) && !(await input.fill(bytes))) throw reading.truncated('a header', { offset })
  const text = input.buffer.toString('latin1', input.position, input.position + bytes)
  input.position += bytes
  const number = ([at, width]: Field) => {
    const digits = text.slice(at, at + width)
    if (!(layout.radix === 8 ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/).test(digits)) {
      throw reading.error('EBADMSG', 'damaged header: a field is not a number', { offset })
    }
    return Number.parseInt(digits, layout.radix)
  }
  const namesize = number(fields.namesize)
  if (namesize > HEADER_BYTES) {
    throw reading.error('EOVERFLOW', `a name of ${namesize} bytes: at most ${HEADER_BYTES} are read`, { offset })
  }
  const size = number(fields.size)
  const named = padded(bytes + namesize, align) - bytes
  const name = await input.take(named)
  if (name.length < namesize || namesize === 0) throw reading.truncated('a name', { offset })
  const nameEnd = name[namesize - 1] === 0 ? namesize - 1 : namesize
  const records = layout === ODC ? recordsIn(name, nameEnd, reading, offset) : undefined
  const raw = reading.text(name, 0, records?.from ?? nameEnd, offset)
  if (raw === TRAILER && size === 0) return undefined
  const path = reading.path(raw, offset)
  const mode = number(fields.mode)
  // libarchive writes some regular files without a type.
  const type = typeOfMode(mode) ?? ((mode & S_IFMT) === 0 ? 'file' : undefined)
  if (type === undefined) throw reading.error('ENOTSUP', `is of a type that is not known`, { path, offset })
  if (path === '' && type !== 'directory')
    throw reading.error('EINVAL', 'a member without a name', { path: raw, offset })
  const names = number(fields.nlink)
  const several = layout === NEWC && type === 'file' && names > 1
  const file = several ? [...layout.device, fields.ino].map(number).join(':') : undefined
  const member: Member = {
    path,
    type,
    size: type === 'file' ? size : 0,
    mode: mode & 0o7777,
    uid: number(fields.uid),
    gid: number(fields.gid),
    mtimeSeconds: number(fields.mtime),
    linkname: '',
    extra: records?.extra,
    offset,
    contentOffset: type === 'file' ? input.offset : undefined,
    data: type === 'file' && size === 0 ? new Uint8Array() : undefined,
    stream: undefined,
  }
  const check = magic === CRC_MAGIC && type === 'file' ? number(CHECK) : undefined
  return { member, size, file, names, check, pad: padded(size, align) - size }
}

/**
 * Read the records that our encoder puts after the NUL that ends a name, as in a pax header. @returns undefined when
 * there are none. A name with other text after a NUL fails later, because of the NUL.
 */
function recordsIn(name: Buffer, end: number, reading: Reading, offset: number) {
  const from = name.indexOf(0)
  if (from < 0 || from >= end || !/^[0-9]+ FLUX\./.test(name.toString('latin1', from + 1, from + 32))) return undefined
  return { from, extra: extraOf(parsePax(name.subarray(from + 1, end), {}, reading, offset)) }
}

const padded = (size: number, align: number): number => Math.ceil(size / align) * align

async function readContent(input: Input, header: Header, reading: Reading): Promise<void> {
  const { member, size, pad } = header
  const { path, offset, type } = member
  if (size === 0) return
  const bytes = size + pad
  if (type === 'symlink' && size > HEADER_BYTES) {
    throw reading.error('EOVERFLOW', `a link target of ${size} bytes: at most ${HEADER_BYTES} are read`, {
      path,
      offset,
    })
  }
  if (type !== 'file' && type !== 'symlink') {
    if ((await input.skip(bytes)) < bytes) throw reading.truncated('a member', { path, offset })
    return
  }
  const content = await input.take(bytes)
  if (content.length < size) throw reading.truncated(`${size} bytes of content`, { path, offset: input.offset })
  if (type === 'file') {
    member.data = content.subarray(0, size)
    return
  }
  member.linkname = reading.text(content, 0, size, offset)
  if (member.linkname.includes('\0')) throw reading.error('EINVAL', 'the link target holds a NUL', { path, offset })
}
