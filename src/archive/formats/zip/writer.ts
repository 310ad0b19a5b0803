/**
 * Zip (PKWARE APPNOTE.TXT 6.3.10), deflated by several threads and written strictly forward, so that it can go to a
 * pipe. Threads pack small members some hundred at a time. A large member is deflated in blocks by several threads, and
 * held until its sizes are known. So checksum and sizes come before each content, where readers of a stream need them.
 */
import { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError, assertSize, sizeMismatch } from '../../archive-error.ts'
import type { ArchiveWriter } from '../../archive-writer.ts'
import { DeflateBlocks, type DeflateOptions } from '../../deflate-blocks.ts'
import type { ExtraRecords } from '../../format-encoder.ts'
import type { ArchiveType } from '../../kinds.ts'
import { PathCheck } from '../../member-path.ts'
import type { Sink } from '../../sink.ts'
import { SpillingSpool } from '../../spool.ts'
import type { FileTarget } from '../format.ts'
import { OTHER_FORMAT, OTHER_FORMAT_OR_EXCLUDE } from '../other-format.ts'
import { encodePax } from '../pax-records.ts'
import { encodeTextRecords } from '../text-records.ts'
import { ZipDirectory } from './directory.ts'
import { fitsHeaders, HEADER_ROOM, MAX_FIELD_BYTES, ZipHeaders, type ZipMember } from './headers.ts'
import { MAX_COMMENT_BYTES } from './layout.ts'
import { noteOf, type PackedRun } from './pack-run.ts'
import { Packers } from './packers.ts'
import { LARGE_BYTES, type Run } from './run.ts'

/** A member that is too large for a run. */
interface Large {
  path: string
  size: number
  /** The content if it is in memory; `stream` yields it in any case. */
  parts: readonly Uint8Array[] | undefined
  stream: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>
  records: Uint8Array
}

const NO_RECORDS = new Uint8Array()

/** How many bytes of notes are held in memory: those of some 70,000 members. The others are in a temporary file. */
const HELD_NOTES_BYTES = 1 << 20

/** @throws {ArchiveError} as {@link ZipWriter} */
export function openWriter(to: FileTarget): ArchiveWriter {
  return new ZipWriter(to)
}

class ZipWriter implements ArchiveWriter {
  readonly type: ArchiveType
  readonly #sink: Sink
  readonly #options: DeflateOptions
  /**
   * Directory of the temporary files that hold the notes for the directory, and a very large member until all of it is
   * compressed.
   */
  readonly #spoolDirectory: string
  readonly #headers: ZipHeaders
  readonly #directory: ZipDirectory
  readonly #archiveRecords: ExtraRecords | undefined
  readonly #packers: Packers
  readonly #paths = new PathCheck('zip')
  /** Runs and large members that are not written yet, in order. */
  readonly #queue: (Promise<PackedRun> | Large)[] = []
  #run: Run | undefined
  #offset = 0
  #done = false

  /** @throws {ArchiveError} `EOVERFLOW` the format cannot express the owner or the time */
  constructor({ type, sink, attributes, records, level, threads, spoolDirectory }: FileTarget) {
    if (!fitsHeaders(attributes)) {
      const { uid, gid, mtimeSeconds } = attributes
      const what = `zip: cannot store owner ${uid}, group ${gid} or time ${mtimeSeconds}`
      throw new ArchiveError('EOVERFLOW', { format: 'zip' }, what, { hint: OTHER_FORMAT })
    }
    this.type = type
    this.#sink = sink
    this.#archiveRecords = records
    this.#options = { level, threads }
    this.#spoolDirectory = spoolDirectory
    this.#headers = new ZipHeaders(attributes)
    this.#directory = new ZipDirectory(this.#headers, new SpillingSpool(spoolDirectory, HELD_NOTES_BYTES))
    this.#packers = new Packers({ attributes, level }, threads)
  }

  get holdsRecords(): boolean {
    return true
  }

  /** Bytes of the archive written so far. */
  get bytes(): number {
    return this.#offset
  }

  /**
   * @throws {ArchiveError} `EIO` the parts do not add up to `size`; `ENAMETOOLONG` the name or the records are longer
   *   than 65,375 bytes
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#paths.check(path)
    assertSize('zip', path, size, parts)
    const records = this.#records(path, extra)
    if (size < LARGE_BYTES) this.#add(path, false, size, parts, records)
    else this.#addLarge({ path, size, parts, stream: [parts], records })
  }

  /** @throws {ArchiveError} as {@link file} */
  async streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void> {
    this.#paths.check(path)
    this.#addLarge({ path, size, parts: undefined, stream, records: this.#records(path, extra) })
    // Write it now: the caller may drop the stream once this has settled.
    await this.#writeUntil(0)
  }

  /** @throws {ArchiveError} `ENAMETOOLONG` as {@link file}, or the target has 512 KiB or more */
  symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#paths.check(path)
    const content = Buffer.from(target)
    if (content.length >= LARGE_BYTES) throw tooLong(path, 'the target of the link')
    this.#add(path, true, content.length, [content], this.#records(path, extra))
  }

  async flush(): Promise<void> {
    // One more run than threads, so that no thread is idle while a packed run is written.
    if (this.#queue.length > 0) await this.#writeUntil(this.#options.threads + 1)
  }

  /** The records are the comment of the archive. */
  async finish(records?: ExtraRecords): Promise<void> {
    const comment = encodeTextRecords({ ...this.#archiveRecords, ...records }, 'zip', MAX_COMMENT_BYTES)
    this.#endRun()
    await this.#writeUntil(0)
    await this.#packers.close()
    for await (const chunk of this.#directory.chunks(this.#offset, comment)) await this.#write(chunk)
    await this.#directory.close()
    await this.#sink.commit()
    this.#done = true
  }

  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#packers.close()
    await this.#directory.close()
    await this.#sink.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  #records(path: string, extra: ExtraRecords | undefined): Uint8Array {
    if (path.length > MAX_FIELD_BYTES / 3 && Buffer.byteLength(path) > MAX_FIELD_BYTES) throw tooLong(path, 'its path')
    if (extra === undefined) return NO_RECORDS
    const records = encodePax(Object.entries(extra))
    if (records.length > MAX_FIELD_BYTES) throw tooLong(path, 'the record of its exact key')
    return records
  }

  #add(path: string, isSymlink: boolean, size: number, parts: readonly Uint8Array[], records: Uint8Array): void {
    if (this.#run !== undefined && !this.#run.fits(path, size, records)) this.#endRun()
    this.#run ??= this.#packers.newRun()
    this.#run.add(path, isSymlink, size, parts, records)
  }

  #addLarge(member: Large): void {
    this.#endRun()
    this.#queue.push(member)
  }

  #endRun(): void {
    if (this.#run !== undefined) this.#queue.push(this.#packers.pack(this.#run))
    this.#run = undefined
  }

  /** Write until at most `left` entries of the queue are left. */
  async #writeUntil(left: number): Promise<void> {
    while (this.#queue.length > left) {
      const next = this.#queue.shift() as Promise<PackedRun> | Large
      if (!(next instanceof Promise)) {
        await this.#writeLarge(next)
        continue
      }
      const packed = await next
      await this.#directory.add(packed.notes, this.#offset)
      await this.#write(packed.bytes)
      this.#packers.recycle(packed)
    }
  }

  async #writeLarge({ path, size, parts, stream, records }: Large): Promise<void> {
    const held = new SpillingSpool(this.#spoolDirectory)
    try {
      const member = { name: Buffer.from(path), isSymlink: false, isDeflated: true, size, records, ...empty }
      const blocks = new DeflateBlocks(this.#options, async (block) => {
        member.packed += block.length
        await held.append([block])
      })
      await deflateAll(path, size, stream, blocks)
      member.crc = blocks.crc
      if (parts !== undefined && member.packed >= size) await this.#writeMember(stored(member), parts)
      else await this.#writeMember(member, held.read())
    } finally {
      await held.close()
    }
  }

  async #writeMember(member: ZipMember, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    await this.#directory.add(noteOf(member), this.#offset)
    const header = Buffer.allocUnsafe(HEADER_ROOM + member.name.length + member.records.length)
    await this.#write(header.subarray(0, this.#headers.local(header, 0, member)))
    for await (const chunk of content) await this.#write(chunk)
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#sink.write([bytes])
    this.#offset += bytes.length
  }
}

const empty = { crc: 0, packed: 0 }

function stored(member: ZipMember): ZipMember {
  return { ...member, isDeflated: false, packed: member.size }
}

/** Parts can have any size, so they are joined into chunks first. */
async function deflateAll(path: string, size: number, stream: Large['stream'], blocks: DeflateBlocks): Promise<void> {
  const out = new ChunkWriter()
  for await (const parts of stream) {
    for (const part of parts) {
      out.write(part)
      if (out.bytes > size) throw sizeMismatch('zip', path, size, out.bytes)
      for (const chunk of out.take()) await blocks.write(chunk)
    }
  }
  if (out.bytes !== size) throw sizeMismatch('zip', path, size, out.bytes)
  for (const chunk of out.take(true)) await blocks.write(chunk)
  await blocks.finish()
}

function tooLong(pathname: string, what: string): ArchiveError {
  return new ArchiveError('ENAMETOOLONG', { format: 'zip', pathname }, `${what} is longer than a zip can hold`, {
    hint: OTHER_FORMAT_OR_EXCLUDE,
  })
}
