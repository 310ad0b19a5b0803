/**
 * Reads ISO 9660 (ECMA-119): names and links from Rock Ridge if there is any, else names from Joliet, else the plain
 * names. A directory is held in memory only while its members are read.
 */
import { type Member, type Reading, typeOfMode, WHOLE_BYTES } from '../../member.ts'
import type { Source } from '../../source.ts'
import { Batch, type Batches } from '../batch.ts'
import type { FileOrigin } from '../format.ts'
import { decodeTextRecords } from '../text-records.ts'
import { Window } from '../window.ts'
import {
  APPLICATION_USE_BYTES,
  DESCRIPTOR,
  DESCRIPTOR_IDENTIFIER_AT,
  FLAG_ASSOCIATED,
  FLAG_DIRECTORY,
  FLAG_MULTI_EXTENT,
  JOLIET_LEVEL_3,
  JOLIET_LEVELS,
  RECORD,
  SECTOR,
  STANDARD_IDENTIFIER,
  SYSTEM_SECTORS,
  TYPE_PRIMARY,
  TYPE_SUPPLEMENTARY,
  TYPE_TERMINATOR,
} from './layout.ts'
import { type RockRidge, readRockRidge, recordTime } from './read-rock-ridge.ts'

/** Most descriptors that are read: usually there are three or four. */
const MAX_DESCRIPTORS = 64

/**
 * Most bytes that a file may lack at the end of its volume: the padding of a disc burnt track-at-once, which mkisofs
 * includes in the size of the volume and some tools cut off. Each extent is checked on its own too.
 */
const PADDING_BYTES = 150 * SECTOR

/** The largest directory that is read: a million names. */
const DIRECTORY_BYTES = 128 << 20

type Names = 'rock-ridge' | 'joliet' | 'plain'

interface Extent {
  block: number
  bytes: number
}

interface Directory extends Extent {
  path: string
}

interface Found {
  record: Buffer
  offset: number
  extents: Extent[]
  rockRidge: RockRidge | undefined
}

function isJoliet(descriptor: Buffer): boolean {
  const at = DESCRIPTOR.escapeSequences
  return JOLIET_LEVELS.includes(descriptor.toString('latin1', at, at + JOLIET_LEVEL_3.length))
}

/** The state of reading one image. */
class Image {
  /** The window for directories. */
  readonly window: Window
  /**
   * The window for contents. With two windows each moves only forward, since contents and directories are far apart.
   */
  readonly contents: Window
  readonly reading: Reading
  names: Names = 'plain'
  blockBytes = SECTOR
  root: Extent = { block: 0, bytes: 0 }
  skip = 0

  constructor(source: Source, reading: Reading) {
    this.window = new Window(source)
    this.contents = new Window(source)
    this.reading = reading
  }

  /** Find the root directory, and which extension gives the names. */
  async open(): Promise<void> {
    const { reading } = this
    let plain: Buffer | undefined
    let joliet: Buffer | undefined
    for (let n = 0; ; n++) {
      const offset = (SYSTEM_SECTORS + n) * SECTOR
      const descriptor = await this.window.at(offset, SECTOR)
      if (descriptor.length < SECTOR) throw reading.truncated('its descriptors', { offset })
      const identifierEnd = DESCRIPTOR_IDENTIFIER_AT + STANDARD_IDENTIFIER.length
      const isOne = descriptor.toString('latin1', DESCRIPTOR_IDENTIFIER_AT, identifierEnd) === STANDARD_IDENTIFIER
      if (!isOne || n > MAX_DESCRIPTORS) {
        throw reading.error('EBADMSG', 'damaged: no volume descriptor where one should be', { offset })
      }
      const type = descriptor[0]
      if (type === TYPE_TERMINATOR) break
      if (type === TYPE_PRIMARY) plain ??= Buffer.from(descriptor)
      else if (type === TYPE_SUPPLEMENTARY && isJoliet(descriptor)) joliet ??= Buffer.from(descriptor)
    }
    if (plain === undefined) throw reading.error('EBADMSG', 'damaged: it has no primary volume')
    const { applicationUse } = DESCRIPTOR
    reading.note(decodeTextRecords(plain.subarray(applicationUse, applicationUse + APPLICATION_USE_BYTES)))
    this.#enter(plain)
    this.#assertWhole(plain)
    const first = await this.#block(this.root.block)
    const self = first.subarray(0, first[0])
    if (self.length > RECORD.identifier) {
      const offset = this.root.block * this.blockBytes
      const { skip } = await readRockRidge(
        self.subarray(RECORD.identifier + 1),
        this.blockBytes,
        this.window,
        reading,
        offset,
      )
      this.skip = skip ?? 0
      if (skip !== undefined) this.names = 'rock-ridge'
    }
    if (this.names !== 'rock-ridge' && joliet !== undefined) {
      this.names = 'joliet'
      this.#enter(joliet)
    }
  }

  /** The records of a directory. Several records of one file (its extents) are joined to one. */
  async *records(directory: Directory): AsyncGenerator<Found> {
    const { window, reading, blockBytes } = this
    const at = { path: directory.path, offset: directory.block * blockBytes }
    if (directory.bytes > DIRECTORY_BYTES) {
      throw reading.error(
        'EOVERFLOW',
        `a directory of ${directory.bytes} bytes: at most ${DIRECTORY_BYTES} are read`,
        at,
      )
    }
    const bytes = await window.at(at.offset, directory.bytes)
    if (bytes.length < directory.bytes) throw reading.truncated('a directory', at)
    let extents: Extent[] = []
    for (let position = 0; position < bytes.length; ) {
      const length = bytes[position] as number
      // A record never crosses a block border. The rest of the block is zeros.
      if (length === 0) {
        position = (Math.floor(position / blockBytes) + 1) * blockBytes
        continue
      }
      const record = bytes.subarray(position, position + length)
      const offset = at.offset + position
      position += length
      if (
        record.length < length ||
        length < RECORD.identifier + 1 ||
        RECORD.identifier + (record[RECORD.identifierLength] as number) > length
      ) {
        throw reading.error('EBADMSG', 'damaged: a directory record that does not fit', { path: at.path, offset })
      }
      // Skip the records of the directory itself and of its parent.
      if (record[RECORD.identifierLength] === 1 && (record[RECORD.identifier] as number) <= 1) continue
      if ((record[RECORD.flags] as number) & FLAG_ASSOCIATED) continue
      extents.push({
        block: record.readUInt32LE(RECORD.extent) + (record[RECORD.attributeSectors] as number),
        bytes: record.readUInt32LE(RECORD.dataLength),
      })
      if ((record[RECORD.flags] as number) & FLAG_MULTI_EXTENT) continue
      if (record[RECORD.interleaved] !== 0)
        throw reading.error('ENOTSUP', 'an interleaved file, which is not supported', { offset })
      yield { record, offset, extents, rockRidge: await this.#rockRidge(record, offset) }
      extents = []
    }
  }

  /** The extent of a moved directory. Its size is in its own first record. */
  async relocated(block: number): Promise<Extent> {
    const first = await this.#block(block)
    return { block, bytes: first.readUInt32LE(RECORD.dataLength) }
  }

  name({ record, rockRidge, offset }: Found): string {
    if (rockRidge?.name !== undefined) return rockRidge.name
    const raw = record.subarray(RECORD.identifier, RECORD.identifier + (record[RECORD.identifierLength] as number))
    if (this.names !== 'joliet') return this.reading.text(raw, 0, raw.length, offset).replace(/\.?;[0-9]+$/, '')
    const name = Buffer.from(raw.subarray(0, raw.length & ~1))
      .swap16()
      .toString('utf16le')
      .replace(/;[0-9]+$/, '')
    if (!name.isWellFormed()) throw this.reading.error('EILSEQ', 'the name is not UTF-16', { path: name, offset })
    return name
  }

  async #rockRidge(record: Buffer, offset: number): Promise<RockRidge | undefined> {
    if (this.names !== 'rock-ridge') return undefined
    const nameBytes = record[RECORD.identifierLength] as number
    // A name of even length is followed by a padding byte.
    const area = record.subarray(RECORD.identifier + nameBytes + (nameBytes % 2 === 0 ? 1 : 0) + this.skip)
    return readRockRidge(area, this.blockBytes, this.window, this.reading, offset)
  }

  #enter(descriptor: Buffer): void {
    this.blockBytes = descriptor.readUInt16LE(DESCRIPTOR.blockBytes)
    if (![512, 1024, 2048].includes(this.blockBytes)) {
      throw this.reading.error('EBADMSG', `damaged: blocks of ${this.blockBytes} bytes`)
    }
    this.root = {
      block: descriptor.readUInt32LE(DESCRIPTOR.rootRecord + RECORD.extent),
      bytes: descriptor.readUInt32LE(DESCRIPTOR.rootRecord + RECORD.dataLength),
    }
  }

  /** Refuse a truncated file before any member is returned. */
  #assertWhole(descriptor: Buffer): void {
    const { size } = this.window
    const bytes = descriptor.readUInt32LE(DESCRIPTOR.volumeSectors) * this.blockBytes
    if (size >= bytes - PADDING_BYTES) return
    const what = `truncated: the volume has ${bytes} bytes, the file only ${size}`
    this.reading.lose(this.reading.error('EBADMSG', what, { offset: size, hint: 'copy the image again' }))
  }

  async #block(block: number): Promise<Buffer> {
    const offset = block * this.blockBytes
    const bytes = await this.window.at(offset, this.blockBytes)
    if (bytes.length < this.blockBytes || (bytes[0] as number) <= RECORD.identifier) {
      throw this.reading.error('EBADMSG', 'damaged: no directory where one should be', { offset })
    }
    return bytes
  }
}

export async function* readMembers({ source, reading }: FileOrigin): Batches {
  const image = new Image(source, reading)
  await image.open()
  const batch = new Batch()
  const stack: Directory[] = [{ ...image.root, path: '' }]
  const visited = new Set<number>([image.root.block])
  for (let directory: Directory | undefined; (directory = stack.pop()); ) {
    const below: Directory[] = []
    for await (const found of recordsOf(image, directory)) {
      const { rockRidge } = found
      if (rockRidge?.relocated) continue
      let member: Member
      try {
        member = toMember(image, directory, found)
        if (member.type === 'directory') {
          const moved = rockRidge?.relocatedTo
          const extent = moved === undefined ? (found.extents[0] as Extent) : await image.relocated(moved)
          if (visited.has(extent.block)) {
            const at = { path: member.path, offset: found.offset }
            throw reading.error('EBADMSG', 'damaged: a directory within itself, or in two places', at)
          }
          visited.add(extent.block)
          below.push({ ...extent, path: member.path })
        } else if (member.type === 'file') {
          await addContent(image, member, found)
        }
      } catch (error) {
        reading.lose(error)
        continue
      }
      batch.add(member)
      if (batch.full || member.stream) yield batch.take()
    }
    for (const next of below.reverse()) stack.push(next)
  }
  if (batch.members.length > 0) yield batch.take()
}

/** The records of a directory, up to its damage. */
async function* recordsOf(image: Image, directory: Directory): AsyncGenerator<Found> {
  try {
    yield* image.records(directory)
  } catch (error) {
    image.reading.lose(error)
  }
}

function toMember(image: Image, directory: Directory, found: Found): Member {
  const { record, offset, rockRidge, extents } = found
  const { reading } = image
  const name = image.name(found)
  const raw = directory.path === '' ? name : `${directory.path}/${name}`
  if (name === '' || name.includes('/')) {
    throw reading.error('EINVAL', 'the name of a file is empty or holds a slash', { path: raw, offset })
  }
  const path = reading.path(raw, offset)
  const isDirectory = ((record[RECORD.flags] as number) & FLAG_DIRECTORY) !== 0 || rockRidge?.relocatedTo !== undefined
  const type = isDirectory ? 'directory' : (typeOfMode(rockRidge?.mode ?? 0) ?? 'file')
  const linkname = type === 'symlink' ? (rockRidge?.linkname ?? '') : ''
  if (linkname.includes('\0')) throw reading.error('EINVAL', 'the link target holds a NUL', { path, offset })
  return {
    path,
    type,
    size: type === 'file' ? extents.reduce((sum, { bytes }) => sum + bytes, 0) : 0,
    mode: (rockRidge?.mode ?? (isDirectory ? 0o555 : 0o444)) & 0o7777,
    uid: rockRidge?.uid ?? 0,
    gid: rockRidge?.gid ?? 0,
    mtimeSeconds: rockRidge?.mtimeSeconds ?? recordTime(record, RECORD.date),
    linkname,
    extra: rockRidge?.extra,
    offset,
    data: undefined,
    stream: undefined,
  }
}

async function addContent(image: Image, member: Member, { extents, rockRidge, offset }: Found): Promise<void> {
  const { contents, blockBytes, reading } = image
  const at = { path: member.path, offset }
  if (rockRidge?.compressed) throw reading.error('ENOTSUP', 'is compressed by zisofs, which is not supported', at)
  for (const { block, bytes } of extents) {
    if (bytes > 0 && block * blockBytes + bytes > contents.size)
      throw reading.truncated(`${bytes} bytes of content`, at)
  }
  if (member.size > WHOLE_BYTES) {
    member.stream = () => stream(image, extents)
    return
  }
  const parts: Buffer[] = []
  for (const { block, bytes } of extents) if (bytes > 0) parts.push(await contents.at(block * blockBytes, bytes))
  member.data = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

async function* stream({ contents, blockBytes }: Image, extents: readonly Extent[]): AsyncGenerator<Uint8Array> {
  for (const { block, bytes } of extents) yield* contents.stretch(block * blockBytes, bytes)
}
