import { stat } from 'node:fs/promises'
import type { Member, MemberType } from '../archive/index.ts'
import { HashingWriter, type HashName } from '../content/index.ts'
import { type ArchiveReading, Restore } from './restore.ts'

/** How {@link archiveInfo} reads. */
export interface ArchiveInfoOptions {
  /** The algorithm of the root (default sha1). */
  hash?: HashName | undefined
  /** Hears of everything that is not as it should be, one line each. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called before the archive is read, with what says how far that is. */
  onStart?: ((reading: ArchiveReading) => void) | undefined
  signal?: AbortSignal | undefined
}

/** What an archive is, and what it holds. */
export interface ArchiveInfo {
  readonly archive: string
  readonly format: string
  readonly filter: string
  /** Bytes of the file; undefined for a directory or a pipe. */
  readonly fileBytes: number | undefined
  /** Members of each type. */
  readonly members: Readonly<Partial<Record<MemberType, number>>>
  /** Values and links that a restore would make. */
  readonly keys: number
  readonly symlinks: number
  /** Bytes of values. */
  readonly bytes: number
  /** Blobs that a restore would store, those of directories too. */
  readonly blobs: number
  /** Times of the members that have one, in seconds since 1970. */
  readonly oldest: number | undefined
  readonly newest: number | undefined
  readonly hash: HashName
  /** The root that a restore would give. */
  readonly rootref: string
  /** Things that are not as they should be. Without any, the archive says its keys exactly, and each once. */
  readonly warnings: number
}

/**
 * Read an archive to its end, as a restore would, and write nothing. Whatever a restore would find wrong is found.
 *
 * @param path - a file, a pipe or a directory; `-` is standard input
 * @throws {ArchiveError} it is damaged, or not an archive; {FluxError} it cannot be restored
 */
export async function archiveInfo(path: string, options: ArchiveInfoOptions = {}): Promise<ArchiveInfo> {
  const { hash = 'sha1', onWarning, onStart, signal } = options
  const members: Partial<Record<MemberType, number>> = {}
  let oldest = Number.POSITIVE_INFINITY
  let newest = 0
  let warnings = 0
  const onRead = (batch: readonly Member[]) => {
    for (const { type, mtimeSeconds } of batch) {
      members[type] = (members[type] ?? 0) + 1
      if (mtimeSeconds === 0) continue
      oldest = Math.min(oldest, mtimeSeconds)
      newest = Math.max(newest, mtimeSeconds)
    }
  }
  const restore = new Restore({
    infile: path,
    writer: new HashingWriter(hash),
    commit: async () => {},
    nowSeconds: 0,
    allowEmpty: true,
    onRead,
    onWarning(message, kind) {
      warnings++
      onWarning?.(message, kind)
    },
    signal,
  })
  onStart?.(restore)
  const { format, filter, keys, symlinks, bytes, blobs, rootref } = await restore.run()
  const stats = path === '-' ? undefined : await stat(path)
  return {
    archive: path,
    format,
    filter,
    fileBytes: stats?.isFile() ? stats.size : undefined,
    members,
    keys,
    symlinks,
    bytes,
    blobs,
    oldest: newest === 0 ? undefined : oldest,
    newest: newest === 0 ? undefined : newest,
    hash,
    rootref,
    warnings,
  }
}
