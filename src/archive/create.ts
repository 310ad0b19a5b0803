import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { ChunkWriter } from '../bytes/index.ts'
import type { Filter } from './filters/filter.ts'
import { GzipFilter } from './filters/gzip.ts'
import type { ExtraRecords, FormatEncoder, MemberAttributes } from './format-encoder.ts'
import { TemporaryFile } from './formats/iso9660/spool.ts'
import { Iso9660Writer } from './formats/iso9660/writer.ts'
import { TarEncoder } from './formats/tar.ts'
import { type ArchiveType, archiveTypeOf } from './formats.ts'
import { DescriptorSink, openSink, type Sink } from './sink.ts'

/** Tape records: what libarchive and GNU tar fill a streamed tar up to. */
const STREAM_RECORD_BYTES = 10_240

export interface CreateArchiveOptions {
  /** What all members have in common. */
  attributes: MemberAttributes
}

/**
 * An archive being written. Add members, call {@link ArchiveWriter.flush} after each handful of them, then
 * {@link ArchiveWriter.finish}; or, when anything fails, {@link ArchiveWriter.abort}.
 */
export type ArchiveWriter = Pick<StreamWriter, keyof StreamWriter>

/** Writes formats whose bytes can be handed on as they come. */
class StreamWriter implements AsyncDisposable {
  readonly type: ArchiveType
  readonly #out: ChunkWriter
  readonly #encoder: FormatEncoder
  readonly #filter: Filter | undefined
  readonly #sink: Sink
  #done = false

  constructor(type: ArchiveType, sink: Sink, out: ChunkWriter, encoder: FormatEncoder) {
    this.type = type
    this.#sink = sink
    this.#out = out
    this.#encoder = encoder
    this.#filter = type.filter === 'gzip' ? new GzipFilter(sink) : undefined
  }

  /** Bytes of the format so far, before they are compressed. */
  get bytes(): number {
    return this.#out.bytes
  }

  /** Add a regular file whose bytes are at hand. @throws {ArchiveError} */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#encoder.file(path, size, parts, extra)
  }

  /** Add a regular file whose bytes come piece by piece. @throws {ArchiveError} */
  async streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void> {
    this.#encoder.beginFile(path, size, extra)
    for await (const parts of stream) {
      for (const part of parts) {
        this.#encoder.data(part)
        await this.flush()
      }
    }
    this.#encoder.endFile()
  }

  /** Add a symbolic link. @throws {ArchiveError} */
  symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#encoder.symlink(path, target, extra)
  }

  /** Hand on what has come together; settles when more may be added. Cheap when there is little. */
  async flush(): Promise<void> {
    if (this.#out.ready > 0) await this.#forward(false)
  }

  /** End the archive and make it appear under its name. @throws {FluxError} naming the file */
  async finish(): Promise<void> {
    this.#encoder.finish()
    await this.#forward(true)
    await this.#filter?.finish()
    await this.#sink.commit()
    this.#done = true
  }

  /** Give up: nothing is left behind, and an older file of the name stays as it is. Does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#sink.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  async #forward(all: boolean): Promise<void> {
    const chunks = this.#out.take(all)
    if (this.#filter) {
      await this.#filter.write(chunks)
      return
    }
    await this.#sink.write(chunks)
    for (const chunk of chunks) this.#out.recycle(chunk)
  }
}

/**
 * Begin an archive.
 *
 * @param path - its extension says the format and the filter; `-` is standard output, as an uncompressed tar
 * @throws {FluxError} `EINVAL` for an unknown extension; else the errno of the file system
 */
export async function createArchive(path: string, options: CreateArchiveOptions): Promise<ArchiveWriter> {
  const type = archiveTypeOf(path)
  const toStdout = path === '-'
  const sink = toStdout ? new DescriptorSink('standard output', 1) : await openSink(path)
  if (type.format === 'iso9660') {
    try {
      return new Iso9660Writer(type, sink, options.attributes, new TemporaryFile(toStdout ? tmpdir() : dirname(path)))
    } catch (error) {
      await sink.abort()
      throw error
    }
  }
  const out = new ChunkWriter()
  const recordBytes = toStdout ? { recordBytes: STREAM_RECORD_BYTES } : {}
  return new StreamWriter(type, sink, out, new TarEncoder(out, options.attributes, recordBytes))
}
