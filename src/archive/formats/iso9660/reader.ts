/**
 * Reads ISO 9660 (ECMA-119): names and links from Rock Ridge if there is any, else names from Joliet, else the plain
 * names.
 */
import { type Member, typeOfMode, WHOLE_BYTES } from '../../member.ts'
import { Batch, type Batches } from '../batch.ts'
import type { FileOrigin } from '../format.ts'
import { FLAG_DIRECTORY, RECORD } from './layout.ts'
import { type Directory, type Extent, type Found, ImageReader } from './read-image.ts'
import { recordTime } from './read-rock-ridge.ts'

export async function* readMembers({ source, reading }: FileOrigin): Batches {
  const image = new ImageReader(source, reading)
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
async function* recordsOf(image: ImageReader, directory: Directory): AsyncGenerator<Found> {
  try {
    yield* image.records(directory)
  } catch (error) {
    image.reading.lose(error)
  }
}

function toMember(image: ImageReader, directory: Directory, found: Found): Member {
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

async function addContent(image: ImageReader, member: Member, { extents, rockRidge, offset }: Found): Promise<void> {
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

async function* stream({ contents, blockBytes }: ImageReader, extents: readonly Extent[]): AsyncGenerator<Uint8Array> {
  for (const { block, bytes } of extents) yield* contents.stretch(block * blockBytes, bytes)
}
