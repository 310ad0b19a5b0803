/**
 * ISO 9660 (ECMA-119) with Rock Ridge and Joliet: an image that can be mounted. Its directories come first and hold the
 * positions and sizes of all data. So the data of files go to a spool, each file from a new sector as in the image, and
 * are copied after the directories at the end. Everything else about a member stays in memory.
 */
import { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError, assertSize, sizeMismatch } from '../../archive-error.ts'
import type { ArchiveWriter } from '../../archive-writer.ts'
import type { ExtraRecords, MemberAttributes } from '../../format-encoder.ts'
import type { ArchiveType } from '../../kinds.ts'
import { PathCheck } from '../../member-path.ts'
import type { Sink } from '../../sink.ts'
import { type Spool, TemporaryFile } from '../../spool.ts'
import type { FileTarget } from '../format.ts'
import { encodeTextRecords } from '../text-records.ts'
import { longDate } from './fields.ts'
import { Image } from './image.ts'
import { APPLICATION_USE_BYTES, SECTOR } from './layout.ts'
import { MemberTree } from './tree.ts'

/** Owner and group have 32 bits in Rock Ridge. */
const MAX_ID = 2 ** 32 - 1

/** @throws {ArchiveError} as {@link Iso9660Writer} */
export function openWriter(to: FileTarget): ArchiveWriter {
  return new Iso9660Writer(to)
}

class Iso9660Writer implements ArchiveWriter {
  readonly type: ArchiveType
  readonly #sink: Sink
  readonly #attributes: MemberAttributes
  readonly #records: ExtraRecords | undefined
  /** Holds the data of all files until the end. */
  readonly #spool: Spool
  readonly #paths = new PathCheck('iso9660')
  readonly #tree = new MemberTree()
  readonly #data = new ChunkWriter()
  #imageBytes: number | undefined
  #done = false

  /** @throws {ArchiveError} `EOVERFLOW` the format cannot express the owner or the time */
  constructor({ type, sink, attributes, records, spoolDirectory }: FileTarget) {
    const { uid, gid, mtimeSeconds } = attributes
    for (const id of [uid, gid]) {
      if (id > MAX_ID)
        throw new ArchiveError(
          'EOVERFLOW',
          { format: 'iso9660' },
          `iso9660: cannot record the id ${id}: the largest is ${MAX_ID}`,
        )
    }
    longDate(mtimeSeconds)
    this.type = type
    this.#sink = sink
    this.#attributes = attributes
    this.#records = records
    this.#spool = new TemporaryFile(spoolDirectory)
  }

  get holdsRecords(): boolean {
    return true
  }

  /** Bytes of the data so far; after {@link finish} bytes of the whole image. */
  get bytes(): number {
    return this.#imageBytes ?? this.#data.bytes
  }

  /**
   * Add a regular file whose content is in memory.
   *
   * @param path - components joined by slashes
   * @param size - total bytes of `parts`
   * @param extra - written as extended attributes `user.KEYWORD`
   * @throws {ArchiveError} `EIO` the parts do not add up to `size`; else as {@link MemberTree.file}
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#paths.check(path)
    assertSize('iso9660', path, size, parts)
    this.#tree.file(path, size, extra)
    for (const part of parts) this.#data.write(part)
    this.#pad()
  }

  /** Add a regular file whose content is streamed. @throws {ArchiveError} as {@link file} */
  async streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void> {
    this.#paths.check(path)
    this.#tree.file(path, size, extra)
    let written = 0
    for await (const parts of stream) {
      for (const part of parts) {
        written += part.length
        if (written > size) throw sizeMismatch('iso9660', path, size, written)
        this.#data.write(part)
        await this.flush()
      }
    }
    if (written !== size) throw sizeMismatch('iso9660', path, size, written)
    this.#pad()
  }

  /** Add a symbolic link. @throws {ArchiveError} as {@link MemberTree.symlink} */
  symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#paths.check(path)
    this.#tree.symlink(path, target, extra)
  }

  /** Pass the collected bytes on. Add more members only when it has settled. Cheap when there is little to pass on. */
  async flush(): Promise<void> {
    if (this.#data.ready === 0) return
    const chunks = this.#data.take()
    await this.#spool.append(chunks)
    for (const chunk of chunks) this.#data.recycle(chunk)
  }

  /**
   * Write the image and make it appear under its name.
   *
   * @throws {FluxError} the image cannot be written; the message names the file
   * @throws {ArchiveError} `EEXIST`, see {@link Image.of}
   */
  async finish(records?: ExtraRecords): Promise<void> {
    // The last records first: they must be among those that fit.
    const applicationUse = encodeTextRecords(
      { ...records, ...this.#records, ...records },
      'iso9660',
      APPLICATION_USE_BYTES,
    )
    const image = await Image.of(this.#tree, this.#attributes)
    for (const chunk of image.head(applicationUse)) await this.#sink.write([chunk])
    for await (const chunk of this.#spool.read()) await this.#sink.write([chunk])
    await this.#sink.write(this.#data.take(true))
    await this.#spool.close()
    await this.#sink.commit()
    this.#imageBytes = image.sectors * SECTOR
    this.#done = true
  }

  /**
   * Give up: nothing is left behind, and an existing file of that name stays unchanged. Does nothing after `finish`.
   */
  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#spool.close()
    await this.#sink.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  #pad(): void {
    const over = this.#data.bytes % SECTOR
    if (over > 0) this.#data.zeros(SECTOR - over)
  }
}
