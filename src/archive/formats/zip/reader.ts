/**
 * Reads a zip through its directory. Contents can be stored or deflated; symlinks are recognised by their Unix mode.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import { Input } from '../../input.ts'
import { HEADER_BYTES, type Member, type MemberType, type Reading, typeOfMode, WHOLE_BYTES } from '../../member.ts'
import type { Source } from '../../source.ts'
import { inflateRaw } from '../../zlib.ts'
import { Batch, type Batches } from '../batch.ts'
import type { FileOrigin } from '../format.ts'
import { Window } from '../window.ts'
import { ZipExtents } from './extents.ts'
import { DEFLATED, STORED } from './layout.ts'
import { type At, contentOffset, loadHeader } from './local-header.ts'
import { findDirectory, readEntry, type ZipEntry } from './read-directory.ts'

/** Most packed bytes of content that is read whole: deflate adds no more to incompressible content. */
const WHOLE_PACKED_BYTES = WHOLE_BYTES + (WHOLE_BYTES >> 8) + 64

export async function* readMembers({ source, reading }: FileOrigin): Batches {
  if (reading.isSalvaging) {
    const { salvagedEntries } = await import('./salvage.ts')
    yield* salvagedMembers(
      new ZipContents(source, reading),
      salvagedEntries(source, reading),
      reading,
      source.size ?? 0,
    )
    return
  }
  const contents = new ZipContents(source, reading)
  const directory = await findDirectory(contents.window, reading)
  const extents = await ZipExtents.scan(source, directory, reading)
  // Read in chunks through a window of its own: a directory of a million entries has some hundred megabytes.
  const input = new Input(new Window(source).stretch(directory.offset, directory.size))
  const batch = new Batch()
  for (let n = 0; n < directory.entries; n++) {
    const entry = await readEntry(input, directory.offset, reading)
    const member = contents.read(entry, extents) ?? (await contents.load(entry, extents))
    batch.add(member)
    if (batch.full || member.stream) yield batch.take()
  }
  if (batch.members.length > 0) yield batch.take()
}

/**
 * The members that are whole. Headers may be damaged, so contents may seem to overlap. But all of them together have no
 * more bytes than twice the file: else it is a bomb, of many members that share their contents.
 *
 * @param fileBytes - size of the file
 */
async function* salvagedMembers(
  contents: ZipContents,
  entries: AsyncIterable<ZipEntry>,
  reading: Reading,
  fileBytes: number,
): Batches {
  const batch = new Batch()
  let left = 2 * fileBytes
  for await (const entry of entries) {
    try {
      if (entry.packed > left) {
        const at = { path: entry.name, offset: entry.headerOffset }
        throw reading.error('EBADMSG', 'damaged: its content overlaps that of other members', at)
      }
      left -= entry.packed
      const member = contents.read(entry) ?? (await contents.load(entry))
      // A large content must be known to be whole before it is used.
      if (member.stream) for await (const _ of member.stream());
      batch.add(member)
      if (batch.full || member.stream) yield batch.take()
    } catch (error) {
      if (entry.isFound) reading.loseFound(error)
      else reading.lose(error)
    }
  }
  if (batch.members.length > 0) yield batch.take()
}

/** Reads the contents of entries. There is no promise for what is in its window. */
class ZipContents {
  readonly window: Window
  readonly #reading: Reading

  constructor(source: Source, reading: Reading) {
    this.window = new Window(source)
    this.#reading = reading
  }

  /**
   * The member of an entry.
   *
   * @returns undefined when its bytes are not in the window: then call {@link load}
   */
  read(entry: ZipEntry, extents?: ZipExtents): Member | undefined {
    const reading = this.#reading
    const member = toMember(entry, reading)
    const { path, type } = member
    const at = { path, offset: entry.headerOffset }
    if (entry.encrypted) throw reading.error('ENOTSUP', 'is encrypted, which is not supported', at)
    const data = contentOffset(this.window, entry, at, reading)
    if (data === undefined) return undefined
    // Called once for each entry: when all its bytes are there, and before they are unpacked.
    const assertFree = () => extents?.assertFree(entry.headerOffset, data + entry.packed, at)
    if (type === 'directory') {
      assertFree()
      return member
    }
    if (entry.method !== STORED && entry.method !== DEFLATED) {
      throw reading.error('ENOTSUP', `is compressed by method ${entry.method}, which is not supported`, at)
    }
    if (entry.method === STORED && entry.size !== entry.packed) {
      throw reading.error('EBADMSG', `damaged: ${entry.size} bytes are stored in ${entry.packed}`, at)
    }
    if (type === 'symlink' && entry.size > HEADER_BYTES) {
      throw reading.error('EOVERFLOW', `a link target of ${entry.size} bytes: at most ${HEADER_BYTES} are read`, at)
    }
    if (type === 'file' && entry.method === STORED) member.contentOffset = data
    if (isWhole(entry)) {
      const packed = this.window.ready(data, entry.packed)
      if (packed === undefined) return undefined
      assertFree()
      setContent(member, unpack(entry, packed, at, reading), reading)
    } else {
      assertFree()
      member.stream = () => stream(this.window, entry, data, at, reading)
    }
    return member
  }

  /** As {@link read}, after loading what it needs into the window. */
  async load(entry: ZipEntry, extents?: ZipExtents): Promise<Member> {
    const at = { path: entry.name, offset: entry.headerOffset }
    await loadHeader(this.window, entry, at, this.#reading)
    let member = this.read(entry, extents)
    if (member === undefined) {
      const data = contentOffset(this.window, entry, at, this.#reading) as number
      await this.window.at(entry.headerOffset, data - entry.headerOffset + entry.packed)
      member = this.read(entry, extents)
      if (member === undefined) extents?.assertFree(entry.headerOffset, data + entry.packed, at)
    }
    if (member === undefined) throw this.#reading.truncated(`${entry.packed} bytes of content`, at)
    return member
  }
}

/** True for a content that is read at once. */
function isWhole({ size, packed }: ZipEntry): boolean {
  return size <= WHOLE_BYTES && packed <= WHOLE_PACKED_BYTES
}

function toMember(entry: ZipEntry, reading: Reading): Member {
  const { name, offset, size } = entry
  const mode = entry.unix ? entry.attributes >>> 16 : 0
  const type: MemberType = name.endsWith('/') ? 'directory' : (typeOfMode(mode) ?? 'file')
  const path = reading.path(name, offset)
  if (path === '' && type !== 'directory')
    throw reading.error('EINVAL', 'a member without a name', { path: name, offset })
  return {
    path,
    type,
    size: type === 'file' ? size : 0,
    mode: entry.unix ? mode & 0o7777 : type === 'directory' ? 0o755 : 0o644,
    uid: entry.uid,
    gid: entry.gid,
    mtimeSeconds: entry.mtimeSeconds,
    linkname: '',
    extra: entry.extra,
    offset: entry.headerOffset,
    contentOffset: undefined,
    data: undefined,
    stream: undefined,
  }
}

function setContent(member: Member, content: Buffer, reading: Reading): void {
  if (member.type === 'file') member.data = content
  if (member.type !== 'symlink') return
  member.linkname = reading.text(content, 0, content.length, member.offset)
  if (!member.linkname.includes('\0')) return
  throw reading.error('EINVAL', 'the link target holds a NUL', { path: member.path, offset: member.offset })
}

/** Unpack in this thread: a member is small, and sending it to another thread costs more than the work. */
function unpack(entry: ZipEntry, packed: Buffer, at: At, reading: Reading): Buffer {
  let content = packed
  if (entry.method === DEFLATED) {
    try {
      content = inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1), chunkSize: chunkFor(entry.size) })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(entry, at, reading)
      throw reading.error('EBADMSG', `damaged compressed data: ${(error as Error).message}`, { ...at, cause: error })
    }
  }
  verify(entry, content.length, crc32(content), at, reading)
  return content
}

/** Buffer size with room for one byte more than the content, so that zlib reaches the end in one call. */
function chunkFor(size: number): number {
  return Math.max(64, size + 1)
}

async function* stream(
  window: Window,
  entry: ZipEntry,
  data: number,
  at: At,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const packed = window.stretch(data, entry.packed)
  let length = 0
  let crc = 0
  for await (const chunk of entry.method === DEFLATED ? inflateRaw(packed, reading) : packed) {
    length += chunk.length
    if (length > entry.size) throw tooLong(entry, at, reading)
    crc = crc32(chunk, crc)
    yield chunk
  }
  verify(entry, length, crc, at, reading)
}

function tooLong(entry: ZipEntry, at: At, reading: Reading): Error {
  return reading.error('EBADMSG', `damaged: more content than the ${entry.size} bytes that were declared`, at)
}

function verify(entry: ZipEntry, length: number, crc: number, at: At, reading: Reading): void {
  if (length > entry.size) throw tooLong(entry, at, reading)
  if (length < entry.size) throw reading.error('EBADMSG', `damaged: ${entry.size} bytes declared, ${length} found`, at)
  if (crc !== entry.crc) throw reading.error('EBADMSG', 'damaged: its checksum does not match', at)
}
