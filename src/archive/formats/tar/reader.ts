/**
 * Reads tar: a header of 512 bytes for each member, its content padded to whole blocks, and a block of zeros at the
 * end. Members of type `x`, `L` and `K` are headers for the next member, those of type `g` for all that follow.
 */
import { printable } from '../../../errors/index.ts'
import type { Input } from '../../input.ts'
import { HEADER_BYTES, type Member, type MemberType, type Reading, WHOLE_BYTES } from '../../member.ts'
import { Batch, type Batches, Body } from '../batch.ts'
import type { FileOrigin } from '../format.ts'
import { extraOf, type PaxRecords, parseGlobalPax, parsePax } from '../pax.ts'
import { checkHeader, parseHeader, type TarHeader } from './header.ts'
import {
  BLOCK_BYTES,
  TYPE_FILE,
  TYPE_GNU_DUMPDIR,
  TYPE_GNU_LONG_LINK,
  TYPE_GNU_LONG_NAME,
  TYPE_PAX,
  TYPE_PAX_GLOBAL,
  TYPE_PAX_SUN,
  TYPE_SYMLINK,
} from './layout.ts'

const TYPES: Readonly<Record<string, MemberType>> = {
  [TYPE_FILE]: 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  [TYPE_SYMLINK]: 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  [TYPE_GNU_DUMPDIR]: 'directory',
  '6': 'fifo',
}

/** Types of members that are headers for the next member (a global one: for all that follow). */
const EXTENDED: ReadonlySet<string> = new Set([
  TYPE_PAX,
  TYPE_PAX_SUN,
  TYPE_PAX_GLOBAL,
  TYPE_GNU_LONG_NAME,
  TYPE_GNU_LONG_LINK,
])

/** Types of members whose content cannot be read. */
const REFUSED: Readonly<Record<string, string>> = {
  S: 'is a sparse file, which is not supported',
  M: 'continues a file of another volume, which is not supported',
  N: 'holds names in an old GNU way, which is not supported',
}

/** Types that are skipped, since they hold no file: a volume's label, access control lists, extended attributes. */
const SKIPPED = 'VAE'

/** What extended headers say of the names of a member that has none. */
const UNKNOWN = { path: false, linkname: false }

const padded = (size: number): number => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES

export async function* readMembers({ input, reading }: FileOrigin): Batches {
  const batch = new Batch()
  let global: PaxRecords | undefined
  let local: PaxRecords | undefined
  let headersAt = -1
  let headerBytes = 0
  let hasMembers = false
  for (;;) {
    if (!input.ready(BLOCK_BYTES) && !(await input.fill(BLOCK_BYTES))) throw atEnd(input, reading)
    const offset = input.offset
    const state = checkHeader(input.buffer, input.position)
    if (state === 'zero') break
    if (state === 'damaged') throw reading.error('EBADMSG', 'damaged header: its checksum does not match', { offset })
    const known =
      local === undefined ? UNKNOWN : { path: local.path !== undefined, linkname: local.linkpath !== undefined }
    const header = parseHeader(input.buffer, input.position, reading, offset, known)
    input.position += BLOCK_BYTES

    const { typeflag } = header
    if (EXTENDED.has(typeflag)) {
      if (headersAt < 0 && typeflag !== TYPE_PAX_GLOBAL) headersAt = offset
      headerBytes += header.size
      const bytes = await extended(input, header.size, headerBytes, reading, offset)
      if (typeflag === TYPE_PAX_GLOBAL && hasMembers) reading.joined()
      if (typeflag === TYPE_PAX_GLOBAL) global = parseGlobalPax(bytes, global ?? {}, reading, offset + BLOCK_BYTES)
      else if (typeflag === TYPE_GNU_LONG_NAME) local = { ...local, path: untilNul(bytes, reading, offset) }
      else if (typeflag === TYPE_GNU_LONG_LINK) local = { ...local, linkpath: untilNul(bytes, reading, offset) }
      else local = parsePax(bytes, local ?? {}, reading, offset + BLOCK_BYTES)
      continue
    }
    const member = toMember(header, merge(global, local), reading, headersAt < 0 ? offset : headersAt)
    hasMembers = true
    const pax = local !== undefined
    local = undefined
    headersAt = -1
    headerBytes = 0

    let size = member === undefined ? header.size : member.size
    if (member?.type === 'hardlink') size = await sizeOfHardlink(input, header, pax)
    if (typeflag === TYPE_GNU_DUMPDIR) size = header.size
    if (member?.type === 'file') member.contentOffset = input.offset
    if (member?.type === 'file' && size > WHOLE_BYTES) {
      const body = new Body(input, reading, member.path, size)
      member.stream = () => body.stream()
      batch.add(member)
      yield batch.take()
      await body.finish()
      await skip(input, padded(size) - size, member, reading)
      continue
    }
    const bytes = padded(size)
    if (member?.type === 'file') {
      if (!input.ready(bytes) && !(await input.fill(bytes)) && input.available < size) {
        throw reading.truncated(`${size} bytes of content`, { path: member.path, offset: input.offset })
      }
      member.data = input.buffer.subarray(input.position, input.position + size)
      input.position += Math.min(bytes, input.available)
    } else if (bytes > 0) {
      await skip(input, bytes, member, reading)
    }
    if (member === undefined) continue
    batch.add(member)
    if (batch.full) yield batch.take()
  }
  if (local !== undefined)
    throw reading.error('EBADMSG', 'a pax or long name header without a member', { offset: input.offset })
  if (batch.members.length > 0) yield batch.take()
  await lastRecords(input, reading)
  await drain(input, reading)
}

/** The global header that our encoder puts after the two blocks of zeros that end an archive. */
async function lastRecords(input: Input, reading: Reading): Promise<void> {
  if (!(await input.fill(3 * BLOCK_BYTES))) return
  const at = input.position + 2 * BLOCK_BYTES
  if (checkHeader(input.buffer, at) !== 'sound') return
  const offset = input.offset + 2 * BLOCK_BYTES
  const { typeflag, size } = parseHeader(input.buffer, at, reading, offset, UNKNOWN)
  if (typeflag !== TYPE_PAX_GLOBAL || size > HEADER_BYTES) return
  await input.skip(3 * BLOCK_BYTES)
  const bytes = await input.take(padded(size))
  if (bytes.length >= size) parseGlobalPax(bytes.subarray(0, size), {}, reading, offset + BLOCK_BYTES)
}

/**
 * Read to the end of the input. What follows the end of the archive is ignored, unless it is a member: then the zeros may be
 * a lost page over a header, and a restore of half of the keys must not look complete.
 */
async function drain(input: Input, reading: Reading): Promise<void> {
  while (await input.fill(BLOCK_BYTES)) {
    const { buffer, position } = input
    let at = position
    for (; at + BLOCK_BYTES <= buffer.length; at += BLOCK_BYTES) {
      if (checkHeader(buffer, at) !== 'sound') continue
      const offset = input.offset + at - position
      throw reading.error('EBADMSG', 'damaged, or several archives in one: a member follows zeros that end it', {
        offset,
      })
    }
    input.position = at
  }
  await input.drain()
}

/**
 * The error for an input that ends where a header should be. Other readers accept that between two members. But every
 * writer ends with zeros, and a restore of half of the keys must not look complete.
 */
function atEnd(input: Input, reading: Reading): Error {
  const { offset } = input
  if (input.available > 0) return reading.truncated('a header', { offset })
  return reading.error('EBADMSG', 'truncated: the blocks that end an archive are missing', { offset })
}

async function skip(input: Input, bytes: number, member: Member | undefined, reading: Reading): Promise<void> {
  const skipped = await input.skip(bytes)
  if (skipped === bytes) return
  throw reading.truncated(`the content of a member`, { ...(member ? { path: member.path } : {}), offset: input.offset })
}

/** @param together - bytes of all headers of one member, this one included, since there can be any number */
async function extended(
  input: Input,
  size: number,
  together: number,
  reading: Reading,
  offset: number,
): Promise<Buffer> {
  if (together > HEADER_BYTES) {
    throw reading.error('EOVERFLOW', `a header of ${together} bytes: at most ${HEADER_BYTES} are read`, { offset })
  }
  const bytes = await input.take(padded(size))
  if (bytes.length < size) throw reading.truncated(`a header of ${size} bytes`, { offset })
  return bytes.subarray(0, size)
}

/** Decode a GNU long name, which ends in a NUL that its size includes. */
function untilNul(bytes: Buffer, reading: Reading, offset: number): string {
  const nul = bytes.indexOf(0)
  return reading.text(bytes, 0, nul < 0 ? bytes.length : nul, offset)
}

/** The records of both; those of the local header win, also one without a value. */
function merge(global: PaxRecords | undefined, local: PaxRecords | undefined): PaxRecords | undefined {
  if (global === undefined) return local
  if (local === undefined) return global
  return { ...global, ...local }
}

/** @returns undefined for a member that is skipped */
export function toMember(
  header: TarHeader,
  pax: PaxRecords | undefined,
  reading: Reading,
  offset: number,
): Member | undefined {
  const { typeflag } = header
  const raw = pax?.path ?? header.name
  header.size = pax?.size ?? header.size
  if (SKIPPED.includes(typeflag)) return undefined
  const refused = REFUSED[typeflag] ?? (pax?.sparse === undefined ? undefined : REFUSED.S)
  if (refused !== undefined) throw reading.error('ENOTSUP', refused, { path: raw, offset })
  let type = TYPES[typeflag]
  if (type === undefined) {
    throw reading.error('ENOTSUP', `is of type '${printable(typeflag)}', which is not known`, { path: raw, offset })
  }
  let { size } = header
  // Old tars have no type for directories, and mark them by a slash.
  if (type === 'file' && size === 0 && raw.endsWith('/')) type = 'directory'
  if (type !== 'file') size = 0
  const path = reading.path(raw, offset)
  if (path === '' && type !== 'directory')
    throw reading.error('EINVAL', 'a member without a name', { path: raw, offset })
  let linkname = type === 'symlink' || type === 'hardlink' ? (pax?.linkpath ?? header.linkname) : ''
  if (linkname.includes('\0')) throw reading.error('EINVAL', 'the link target holds a NUL', { path, offset })
  if (type === 'hardlink') linkname = reading.path(linkname, offset)
  return {
    path,
    type,
    size,
    mode: header.mode,
    uid: pax?.uid ?? header.uid,
    gid: pax?.gid ?? header.gid,
    mtimeSeconds: pax?.mtime ?? header.mtime,
    linkname,
    extra: pax?.extra === undefined ? undefined : extraOf(pax),
    offset,
    contentOffset: undefined,
    data: undefined,
    stream: undefined,
  }
}

/**
 * The content size of a hard link. In a pax archive it may repeat the content. In an older tar it may give the size of
 * the file without content: then the next header follows at once.
 */
async function sizeOfHardlink(input: Input, header: TarHeader, pax: boolean): Promise<number> {
  if (header.size === 0 || pax) return header.size
  if (!(await input.fill(BLOCK_BYTES))) return 0
  return checkHeader(input.buffer, input.position) === 'damaged' ? header.size : 0
}
