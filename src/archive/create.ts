import { availableParallelism, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { ChunkWriter } from '../bytes/index.ts'
import { FluxError, wholeNumber } from '../errors/index.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import type { MemberAttributes } from './format-encoder.ts'
import { type ArchiveType, archiveTypeOf, compressionLevel } from './formats.ts'
import { openSink, openStandardOutput, type Sink } from './sink.ts'
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
  /**
   * Permission bits of the archive itself; of a directory, those of its files (default: its owner alone may read and write
   * what is made new, and what is replaced keeps its own).
   */
  fileMode?: number | undefined
  /** Calls off what is being compressed and written, with `EINTR`. The archive must be aborted all the same. */
  signal?: AbortSignal | undefined
}

/**
 * Begin an archive.
 *
 * @param path - its extension says the format and the filter; `-` is standard output, as a tar unless `format` says
 *   another; a directory ends in a slash
 * @throws {ArchiveError} `EOVERFLOW` when the format cannot say the owner or the time
 * @throws {FluxError} `EINVAL` for an unknown extension, a level it does not have, or an attribute that is no whole number; `ENOTSUP` for a format that is not
 *   written; else the errno of the file system
 */
export async function createArchive(path: string, options: CreateArchiveOptions): Promise<ArchiveWriter> {
  const type = archiveTypeOf(path, options.format)
  const level = compressionLevel(type, options.level)
  const threads = wholeNumber('threads', options.threads ?? availableParallelism(), undefined, 1)
  checkAttributes(options.attributes)
  if (options.fileMode !== undefined) wholeNumber('fileMode', options.fileMode, 0o7777)
  if (type.format === 'directory') return createDirectory(path, type, options)
  const toStdout = path === '-'
  const sink = toStdout ? openStandardOutput(options.signal) : await openSink(path, options.signal, options.fileMode)
  try {
    return await createWriter(path, type, sink, { ...options, level, threads })
  } catch (error) {
    await sink.abort()
    throw error
  }
}

/** A format that takes `NaN` for a number writes it. */
function checkAttributes({ mode, uid, gid, mtimeSeconds }: MemberAttributes): void {
  wholeNumber('mode', mode, 0o7777)
  wholeNumber('uid', uid)
  wholeNumber('gid', gid)
  wholeNumber('mtimeSeconds', mtimeSeconds, undefined, Number.MIN_SAFE_INTEGER)
}

async function createDirectory(
  path: string,
  type: ArchiveType,
  { attributes, signal, fileMode }: CreateArchiveOptions,
): Promise<ArchiveWriter> {
  const { DirectoryEncoder } = await import('./formats/directory/encoder.ts')
  const { DirectorySink } = await import('./formats/directory/sink.ts')
  const sink = await DirectorySink.open(path, signal, fileMode)
  const out = new ChunkWriter()
  return new StreamWriter(type, sink, out, new DirectoryEncoder(out, attributes, sink.temporary), undefined)
}

/** What one kind of archive takes is loaded when it is asked for: all of it is half of what a dump would load. */
async function createWriter(
  path: string,
  type: ArchiveType,
  sink: Sink,
  { attributes, level, threads, signal }: CreateArchiveOptions & { level: number; threads: number },
): Promise<ArchiveWriter> {
  const toStdout = path === '-'
  switch (type.format) {
    case 'tar': {
      const { createFilter } = await import('./filters/create-filter.ts')
      const { TarEncoder } = await import('./formats/tar/encoder.ts')
      const out = new ChunkWriter()
      const recordBytes = toStdout && type.filter === 'none' ? { recordBytes: STREAM_RECORD_BYTES } : {}
      const name = toStdout ? 'standard output' : path
      const filter = await createFilter(type.filter, sink, { level, threads, name, signal })
      return new StreamWriter(type, sink, out, new TarEncoder(out, attributes, recordBytes), filter)
    }
    case 'cpio': {
      const { CpioEncoder } = await import('./formats/cpio/encoder.ts')
      const out = new ChunkWriter()
      return new StreamWriter(type, sink, out, new CpioEncoder(out, attributes), undefined)
    }
    case 'iso9660': {
      const { Iso9660Writer } = await import('./formats/iso9660/writer.ts')
      return new Iso9660Writer(type, sink, attributes, new TemporaryFile(toStdout ? tmpdir() : dirname(path)))
    }
    case 'zip': {
      const { ZipWriter } = await import('./formats/zip/writer.ts')
      return new ZipWriter(type, sink, attributes, { level, threads }, toStdout ? tmpdir() : dirname(path))
    }
    default:
      throw new FluxError('ENOTSUP', `${path}: ${type.format} is not written`)
  }
}
