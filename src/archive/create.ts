import { availableParallelism, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { wholeNumber } from '../errors/index.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import type { ExtraRecords, MemberAttributes } from './format-encoder.ts'
import { KINDS, type Kinds, kindOf, levelOf, typeOf } from './kinds.ts'
import { noFile, openSink, openStandardOutput } from './sink.ts'

export interface CreateArchiveOptions {
  /** Attributes that all members get. */
  attributes: MemberAttributes
  /** An extension that selects the format and filter, instead of that of the path. */
  format?: string | undefined
  /** Compression level. Its range depends on the format and filter. */
  level?: number | undefined
  /** Threads that compress (default: one for each processor). The bytes do not depend on it. */
  threads?: number | undefined
  /**
   * Permission bits of the archive; for a directory, those of its files (default: a new archive is readable and
   * writable only by its owner, and a replaced one keeps its permissions).
   */
  fileMode?: number | undefined
  /**
   * Records of the archive as a whole, from keyword to value; `comment` is a text for people. They are written at the
   * beginning, or where other readers of the format show or ignore them. A tar without members has none.
   */
  records?: ExtraRecords | undefined
  /**
   * Write the checksum of the archive to `PATH.sha256`, as sha256sum(1) does. Whenever a crash comes, there is a pair that
   * fits, or an archive without a checksum. Without this, the checksum of an archive that is replaced is removed.
   */
  checksum?: boolean | undefined
  /**
   * Called with the path of the archive when it is complete and on disk, but has not got its name yet. When it rejects, no
   * archive is left.
   */
  beforeNaming?: ((path: string) => Promise<void>) | undefined
  /** Interrupts compression and writes with `EINTR`. The caller must still abort the archive. */
  signal?: AbortSignal | undefined
}

/**
 * Begin an archive.
 *
 * @param path - its extension selects the format and the filter; `-` is standard output, as tar unless `format` is set;
 *   a path that ends in a slash is a directory
 * @throws {ArchiveError} `EOVERFLOW` the format cannot express the owner or the time
 * @throws {FluxError} `EINVAL` an unknown extension, a level out of range, or an attribute that is not a whole number;
 *   `EINVAL` also a checksum of something that is no file;
 *   `ENOTSUP` a format that cannot be written; else the errno of the file system
 */
export function createArchive(path: string, options: CreateArchiveOptions): Promise<ArchiveWriter> {
  return createArchiveOf(KINDS, path, options)
}

/** Like {@link createArchive}, with a given set of formats and filters. */
export async function createArchiveOf(
  kinds: Kinds,
  path: string,
  options: CreateArchiveOptions,
): Promise<ArchiveWriter> {
  const kind = kindOf(path, options.format, kinds)
  const { format, filter } = kind
  const type = typeOf(kind)
  const level = levelOf(kind, options.level)
  const threads = wholeNumber('threads', options.threads ?? availableParallelism(), undefined, 1)
  checkAttributes(options.attributes)
  const { fileMode, records, checksum, beforeNaming, signal } = options
  if (fileMode !== undefined) wholeNumber('fileMode', fileMode, 0o7777)
  const common = { type, attributes: options.attributes, records, level, threads, signal }
  if (format.isDirectory) {
    if (checksum) throw noFile(path)
    const { openWriter } = await format.write()
    return await openWriter({ ...common, path, fileMode, beforeNaming })
  }
  const isStdout = path === '-'
  if (isStdout && (checksum || beforeNaming)) throw noFile('standard output')
  const sink = isStdout
    ? openStandardOutput(signal)
    : await openSink(path, signal, fileMode, { checksum, beforeNaming })
  try {
    const name = isStdout ? 'standard output' : path
    const { openFilter } = (await filter?.encode()) ?? {}
    const target = {
      ...common,
      sink,
      filter: await openFilter?.(sink, { level, threads, name, signal }),
      isStdout,
      spoolDirectory: isStdout ? tmpdir() : dirname(path),
    }
    const { openWriter } = await format.write()
    return await openWriter(target)
  } catch (error) {
    await sink.abort()
    throw error
  }
}

/** Checked here because an encoder would write `NaN` into the archive. */
function checkAttributes({ mode, uid, gid, mtimeSeconds }: MemberAttributes): void {
  wholeNumber('mode', mode, 0o7777)
  wholeNumber('uid', uid)
  wholeNumber('gid', gid)
  wholeNumber('mtimeSeconds', mtimeSeconds, undefined, Number.MIN_SAFE_INTEGER)
}
