/** The report of a dump. */
import type { ContentStore } from '../content/index.ts'
import type { DumpProgress, DumpResult } from '../dump/index.ts'
import { isoTime } from '../errors/index.ts'
import type { DumpSummary } from './events.ts'

/** What was left out or changed, as the end of a line; empty when there is nothing of that. */
export function leftOver({ skipped, skippedDirs, encoded }: DumpProgress): string {
  const parts = []
  if (skipped > skippedDirs) parts.push(`, ${skipped - skippedDirs} skipped`)
  if (skippedDirs === 1) parts.push(', 1 unreadable directory (keys below it unknown)')
  if (skippedDirs > 1) parts.push(`, ${skippedDirs} unreadable directories (keys below them unknown)`)
  if (encoded > 0) parts.push(`, ${encoded} under an encoded path`)
  return parts.join('')
}

/** The result as it is given in JSON and to hooks. @param seconds - how long the dump has taken */
export function dumpSummary(result: DumpResult, { instance, counts }: ContentStore, seconds: number): DumpSummary {
  const { format, filter, snapshot } = result
  const { rootref, hash, timestamp = null, sequence = null, namespace = null } = snapshot
  return {
    archive: result.outfile,
    format,
    filter,
    rootref,
    recordedRootref: format === 'directory' ? null : (result.restoredRootref ?? null),
    hash,
    timestamp,
    time: isoTime(timestamp),
    sequence,
    namespace,
    keyCount: result.keys,
    symlinkCount: result.symlinks,
    blobCount: result.blobs,
    directBlobCount: instance && counts ? counts.direct : null,
    brokerBlobCount: instance && counts ? counts.loaded - counts.direct : null,
    valueBytes: result.bytes,
    unpackedBytes: result.archiveBytes,
    fileBytes: result.fileBytes ?? null,
    skippedCount: result.skipped,
    skippedDirectoryCount: result.skippedDirs,
    encodedCount: result.encoded,
    seconds: Number(seconds.toFixed(3)),
  }
}
