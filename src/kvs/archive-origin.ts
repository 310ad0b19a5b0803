/**
 * The records of an archive as a whole: the root it was made of, and the root that a restore of it makes. A dump writes
 * them, and whoever reads the archive compares.
 */
import { isBlobref } from '../content/index.ts'
import { printable, timeText } from '../errors/index.ts'
import { PRIMARY_NAMESPACE, type Snapshot } from './snapshot.ts'

const COMMENT = 'comment'
const ROOTREF = 'FLUX.rootref'
const HASH = 'FLUX.hash'
const TIME = 'FLUX.time'
const NAMESPACE = 'FLUX.namespace'
const SELECTION = 'FLUX.selection'
const SKIPPED = 'FLUX.skipped'
const RESTORED = 'FLUX.restored'

/** What an archive says about itself. Nothing of it has been checked. */
export interface ArchiveOrigin {
  /** Blobref of the root it was made of. */
  readonly rootref: string
  /** ISO 8601, UTC. */
  readonly time: string | undefined
  /** The namespace, if it is another one than the primary. */
  readonly namespace: string | undefined
  /** True when it holds only selected keys of the root. */
  readonly isSelection: boolean
  /** Keys and directories that were left out, because they could not be read. */
  readonly skipped: number
  /** Blobref of the root that a restore of the whole archive makes, if it is recorded. */
  readonly restored: string | undefined
}

/**
 * The records for the beginning of an archive. The same root gives the same records, however it was found.
 *
 * @param mtimeSeconds - time of the members
 */
export function originRecords(
  { rootref, hash, namespace }: Snapshot,
  { mtimeSeconds, isWhole }: { mtimeSeconds: number; isWhole: boolean },
): Record<string, string> {
  const records: Record<string, string> = {
    [COMMENT]: rootref,
    [ROOTREF]: rootref,
    [HASH]: hash,
    [TIME]: timeText(mtimeSeconds, { utc: true }),
  }
  // A checkpoint does not say that it is one of the primary namespace.
  if (namespace !== undefined && namespace !== PRIMARY_NAMESPACE) records[NAMESPACE] = printable(namespace)
  if (!isWhole) records[SELECTION] = 'yes'
  return records
}

/** The records for the end of an archive. @param restored - the root that a restore makes, if it is known */
export function proofRecords(restored: string | undefined, skipped: number): Record<string, string> {
  return {
    ...(restored !== undefined && { [RESTORED]: restored }),
    ...(skipped > 0 && { [SKIPPED]: String(skipped) }),
  }
}

/** What the records of an archive say; undefined when a dump of ours did not write it. */
export function originOf(records: Readonly<Record<string, string>>): ArchiveOrigin | undefined {
  const { [ROOTREF]: rootref = '', [RESTORED]: restored = '' } = records
  if (!isBlobref(rootref) && !isBlobref(restored)) return undefined
  const skipped = Number(records[SKIPPED] ?? 0)
  return {
    rootref,
    time: records[TIME],
    namespace: records[NAMESPACE],
    isSelection: records[SELECTION] !== undefined,
    skipped: Number.isSafeInteger(skipped) ? skipped : 0,
    restored: isBlobref(restored) ? restored : undefined,
  }
}
