import { availableParallelism, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { ChunkWriter } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import { createFilter } from './filters/create-filter.ts'
import type { MemberAttributes } from './format-encoder.ts'
import { CpioEncoder } from './formats/cpio.ts'
import { DirectoryEncoder } from './formats/directory/encoder.ts'
import { DirectorySink } from './formats/directory/sink.ts'
import { Iso9660Writer } from './formats/iso9660/writer.ts'
import { TarEncoder } from './formats/tar.ts'
import { ZipWriter } from './formats/zip/writer.ts'
import { type ArchiveType, archiveTypeOf, compressionLevel } from './formats.ts'
import { DescriptorSink, openSink, type Sink } from './sink.ts'
import { TemporaryFile } from './spool.ts'
import { StreamWriter } from './stream-writer.ts'

/** Tape records: what libarchive and GNU tar fill a streamed tar up to. */
const STREAM_RECORD_BYTES = 10_240

export interface CreateArchiveOptions {
  /** What all members have in common. */
  attributes: MemberAttributes
  /** An extension that says the format, in place of that of the name. */
  format?: string | undefined
  /** How hard to compress; what is allowed depends on the format. */
  level?: number | undefined
  /** Threads that compress (default: as many as there are processors). The bytes do not depend on it. */
  threads?: number | undefined
  /** Calls off what is being compressed, with `EINTR`. The archive must be aborted all the same. */
  signal?: AbortSignal | undefined
}

/**
 * Begin an archive.
 *
 * @param path - its extension says the format and the filter; `-` is standard output, as a tar unless `format` says
 *   another; a directory ends in a slash
 * @throws {ArchiveError} `EOVERFLOW` when the format cannot say the owner or the time
 * @throws {FluxError} `EINVAL` for an unknown extension or a level it does not have; `ENOTSUP` for a format that is not
 *   written; else the errno of the file system
 */
export async function createArchive(path: string, options: CreateArchiveOptions): Promise<ArchiveWriter> {
  const type = archiveTypeOf(path, options.format)
  const level = compressionLevel(type, options.level)
  const threads = options.threads ?? availableParallelism()
  if (type.format === 'directory') return createDirectory(path, type, options.attributes)
  const toStdout = path === '-'
  const sink = toStdout ? new DescriptorSink('standard output', 1) : await openSink(path)
  try {
    return createWriter(path, type, sink, { ...options, level, threads })
  } catch (error) {
    await sink.abort()
    throw error
  }
}

async function createDirectory(path: string, type: ArchiveType, attributes: MemberAttributes): Promise<ArchiveWriter> {
  const sink = await DirectorySink.open(path)
  const out = new ChunkWriter()
  return new StreamWriter(type, sink, out, new DirectoryEncoder(out, attributes, sink.temporary), undefined)
}

function createWriter(
  path: string,
  type: ArchiveType,
  sink: Sink,
  { attributes, level, threads, signal }: CreateArchiveOptions & { level: number; threads: number },
): ArchiveWriter {
  const toStdout = path === '-'
  switch (type.format) {
    case 'tar': {
      const out = new ChunkWriter()
      const recordBytes = toStdout && type.filter === 'none' ? { recordBytes: STREAM_RECORD_BYTES } : {}
      const name = toStdout ? 'standard output' : path
      const filter = createFilter(type.filter, sink, { level, threads, name, signal })
      return new StreamWriter(type, sink, out, new TarEncoder(out, attributes, recordBytes), filter)
    }
    case 'cpio': {
      const out = new ChunkWriter()
      return new StreamWriter(type, sink, out, new CpioEncoder(out, attributes), undefined)
    }
    case 'iso9660':
      return new Iso9660Writer(type, sink, attributes, new TemporaryFile(toStdout ? tmpdir() : dirname(path)))
    case 'zip':
      return new ZipWriter(type, sink, attributes, { level, threads }, toStdout ? tmpdir() : dirname(path))
    default:
      throw new FluxError('ENOTSUP', `${path}: ${type.format} is not written`)
  }
}
