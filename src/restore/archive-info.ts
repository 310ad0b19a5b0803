import { stat } from 'node:fs/promises'
import type { Member, MemberType } from '../archive/index.ts'
import { HashingWriter, type HashName } from '../content/index.ts'
import type { ArchiveOrigin } from '../kvs/index.ts'
import { recordedHash } from './recorded-hash.ts'
import { type ArchiveReading, Restore } from './restore.ts'

/** Options of {@link archiveInfo}. */
export interface ArchiveInfoOptions {
  /** Hash algorithm of the root's blobref (default: the one that a file records, or else sha1). */
  hash?: HashName | undefined
  /** Read what is left of a damaged archive: see {@link RestoreOptions.salvage}. */
  salvage?: boolean | undefined
  /** Called with a one-line warning for each problem, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called before the archive is read, with an object that gives the progress. */
  onStart?: ((reading: ArchiveReading) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The type and contents of an archive. */
export interface ArchiveInfo {
  readonly archive: string
  readonly format: string
  readonly filter: string
  /** Size of the file in bytes; undefined for a directory or a pipe. */
  readonly fileBytes: number | undefined
  /** Number of members of each type. */
  readonly members: Readonly<Partial<Record<MemberType, number>>>
  /** Values and symlinks that a restore would create. */
  readonly keys: number
  readonly symlinks: number
  /** Bytes of values. */
  readonly bytes: number
  /** Blobs that a restore would store, directories included. */
  readonly blobs: number
  /** Oldest and newest time of the members, in seconds since 1970; undefined when none has a time. */
  readonly oldest: number | undefined
  readonly newest: number | undefined
  readonly hash: HashName
  /** Blobref of the root that a restore would create. */
  readonly rootref: string
  /** What the archive says about itself; undefined when a dump of ours did not write it. */
  readonly origin: ArchiveOrigin | undefined
  /** True when `rootref` is also the root that was recorded when the archive was written. */
  readonly isProven: boolean
  /** Number of warnings. With none, the archive gives each of its keys exactly, and once. */
  readonly warnings: number
  /** Damaged parts that were left out: see {@link RestoreProgress.lost}. */
  readonly lost: number
}

/**
 * Read an archive to its end as a restore would, but store nothing. It reports every problem that a restore would.
 *
 * @param path - a file, a pipe or a directory; `-` is standard input
 * @throws {ArchiveError} it is damaged, or not an archive
 * @throws {FluxError} it cannot be restored
 */
export async function archiveInfo(path: string, options: ArchiveInfoOptions = {}): Promise<ArchiveInfo> {
  const { hash = await recordedHash(path), salvage, onWarning, onStart, signal } = options
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
    salvage,
    onRead,
    onWarning(message, kind) {
      warnings++
      onWarning?.(message, kind)
    },
    signal,
  })
  onStart?.(restore)
  const { format, filter, keys, symlinks, bytes, blobs, lost, rootref, origin, isProven } = await restore.run()
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
    origin,
    isProven,
    warnings,
    lost,
  }
}
