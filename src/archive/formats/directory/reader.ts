/** Reads a directory like an archive: its files and links, in the byte order of their names. Links are not followed. */
import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { FluxError } from '../../../errors/index.ts'
import { type Member, type Reading, typeOfMode, WHOLE_BYTES } from '../../member.ts'
import { Batch, type Batches } from '../batch.ts'
import type { DirectoryOrigin } from '../format.ts'

/** Files read at the same time. */
const PARALLEL = 32

export async function* readMembers({ path: root, source, reading }: DirectoryOrigin): Batches {
  const batch = new Batch()
  // Names still to read, the next one last. A stack, so that deep trees need no recursion.
  const stack = await names(root, '', reading)
  for (let count: number; stack.length > 0; ) {
    // Take names up to the first directory, whose contents come next.
    for (count = 1; count < PARALLEL && count < stack.length && stack.at(-count)?.isDirectory === false; ) count++
    const found = stack.splice(-count).reverse()
    for (const member of await Promise.all(found.map(({ path }) => read(root, path, reading)))) {
      if (member === undefined) continue
      source.bytesRead += member.size
      batch.add(member)
      if (batch.full || member.stream) yield batch.take()
      if (member.type === 'directory') for (const name of await names(root, member.path, reading)) stack.push(name)
    }
  }
  if (batch.members.length > 0) yield batch.take()
}

interface Name {
  path: string
  isDirectory: boolean
}

/** The names in a directory, as paths from the root, in reverse order. */
async function names(root: string, path: string, reading: Reading): Promise<Name[]> {
  try {
    const found = await readdir(path === '' ? root : `${root}/${path}`, { encoding: 'buffer', withFileTypes: true })
    const prefix = path === '' ? '' : `${path}/`
    return found
      .sort((a, b) => Buffer.compare(b.name, a.name))
      .map((entry) => ({
        path: prefix + reading.text(entry.name, 0, entry.name.length, 0),
        isDirectory: entry.isDirectory(),
      }))
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${reading.archive}${path === '' ? '' : `/${path}`}`)
  }
}

/** @returns undefined for a member that is left out */
async function read(root: string, path: string, reading: Reading): Promise<Member | undefined> {
  const file = `${root}/${path}`
  try {
    const stats = await lstat(file)
    const type = typeOfMode(stats.mode) ?? 'file'
    const member: Member = {
      path,
      type,
      size: type === 'file' ? stats.size : 0,
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      gid: stats.gid,
      mtimeSeconds: stats.mtimeMs / 1000,
      linkname: '',
      extra: undefined,
      offset: 0,
      data: undefined,
      stream: undefined,
    }
    if (type === 'symlink') {
      const target = await readlink(file, { encoding: 'buffer' })
      member.linkname = reading.text(target, 0, target.length, 0)
    } else if (type === 'file' && stats.size > WHOLE_BYTES) {
      member.stream = () => content(file, stats, reading, path)
    } else if (type === 'file') {
      const chunks: Uint8Array[] = []
      for await (const chunk of content(file, stats, reading, path)) chunks.push(chunk)
      member.data = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
    }
    return member
  } catch (error) {
    const failed = FluxError.fromSystem(error, `cannot read ${reading.archive}/${path}`)
    if (!reading.isSalvaging) throw failed
    reading.lose(reading.error('EBADMSG', `cannot be read: ${failed.message}`, { path, cause: failed }))
    return undefined
  }
}

/** @throws {ArchiveError} `EIO` the size of the file has changed */
async function* content(file: string, stats: Stats, reading: Reading, path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    let left = stats.size
    // Ask for one byte more than expected, to see that the file has not grown.
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(left + 1, WHOLE_BYTES + 1)))
      left -= bytesRead
      if (left < 0 || (bytesRead === 0 && left > 0)) {
        throw reading.error('EIO', `the file changed while it was read: it had ${stats.size} bytes`, { path })
      }
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}
