import { availableParallelism, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { wholeNumber } from '../errors/index.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import type { MemberAttributes } from './format-encoder.ts'
import { KINDS, type Kinds, kindOf, levelOf, typeOf } from './kinds.ts'
import { openSink, openStandardOutput } from './sink.ts'

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
 * @throws {FluxError} `EINVAL` for an unknown extension, a level it does not have, or an attribute that is no whole number;
 *   `ENOTSUP` for a format that is not written; else the errno of the file system
 */
export function createArchive(path: string, options: CreateArchiveOptions): Promise<ArchiveWriter> {
  return createArchiveOf(KINDS, path, options)
}

/** As {@link createArchive}, with other formats and filters to choose from. */
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
  const { fileMode, signal } = options
  if (fileMode !== undefined) wholeNumber('fileMode', fileMode, 0o7777)
  const common = { type, attributes: options.attributes, level, threads, signal }
  if (format.isDirectory) {
    const { openWriter } = await format.write()
    return await openWriter({ ...common, path, fileMode })
  }
  const isStdout = path === '-'
  const sink = isStdout ? openStandardOutput(signal) : await openSink(path, signal, fileMode)
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

/** A format that takes `NaN` for a number writes it. */
function checkAttributes({ mode, uid, gid, mtimeSeconds }: MemberAttributes): void {
  wholeNumber('mode', mode, 0o7777)
  wholeNumber('uid', uid)
  wholeNumber('gid', gid)
  wholeNumber('mtimeSeconds', mtimeSeconds, undefined, Number.MIN_SAFE_INTEGER)
}
