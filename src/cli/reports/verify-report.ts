/** The report of what an archive was compared with. */
import type { ChecksumResult } from '../../archive/index.ts'
import { messageLine } from '../../errors/index.ts'
import type { Change } from '../../inspect/index.ts'
import type { Snapshot } from '../../kvs/index.ts'
import type { ArchiveStore } from '../../restore/index.ts'

/** An archive, and what it was compared with. */
export interface Verified {
  readonly file: string
  /** Of the checksum file, if there is one. */
  readonly checksum: ChecksumResult | undefined
  readonly archive: ArchiveStore
  /** The root that was asked for. */
  readonly root: string | undefined
  /** The root of the source, if one was named. */
  readonly snapshot: Snapshot | undefined
  /** The first key that differs from the source. */
  readonly change: Change | undefined
}

const CHANGES = {
  added: 'is in the archive, but not in the source',
  removed: 'is in the source, but not in the archive',
  changed: 'differs from the source',
} as const

/** What differs, each as a sentence. */
export function verifyDifferences({ file, checksum, archive, root, snapshot, change }: Verified): string[] {
  const { origin, lost, rootref } = archive.restored
  const found: string[] = []
  if (checksum && checksum.found !== checksum.recorded) found.push(`${checksum.path} is the checksum of another file`)
  if (lost > 0) found.push(`${file} is damaged: the warnings name what is known`)
  if (root !== undefined && snapshot === undefined && root !== origin?.rootref && root !== rootref) {
    found.push(`it was made of ${origin?.rootref ?? 'a root that is not recorded'}, and not of ${root}`)
  }
  if (change) found.push(`${change.key}: ${CHANGES[change.change]}`)
  return found
}

/** A line for each fact, and for each difference. */
export function verifyText(verified: Verified): string {
  const { checksum, archive, snapshot, change } = verified
  const { rootref, origin, isProven } = archive.restored
  const facts: [string, string][] = [
    ['checksum', checksum === undefined ? '-' : checksum.found === checksum.recorded ? 'the same' : 'differs'],
    ['made of', origin?.rootref ?? '-'],
    ['restores to', `${rootref}${isProven ? ', as recorded' : origin?.restored ? ', not as recorded' : ''}`],
    [
      'source',
      snapshot === undefined ? '-' : `${snapshot.rootref}, ${change ? 'differs' : 'the same keys and values'}`,
    ],
    ...verifyDifferences(verified).map((what): [string, string] => ['differs', messageLine(what)]),
  ]
  return facts.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`).join('')
}

/** The same for `--json`. */
export function verifyJson(verified: Verified): object {
  const { file, checksum, archive, snapshot, change } = verified
  const { rootref, origin, isProven } = archive.restored
  const differences = verifyDifferences(verified)
  return {
    archive: file,
    same: differences.length === 0,
    checksumFile: checksum?.path ?? null,
    checksumSame: checksum === undefined ? null : checksum.found === checksum.recorded,
    sha256: checksum?.found ?? null,
    rootref,
    recordedRootref: origin?.restored ?? null,
    proven: isProven,
    madeOfRootref: origin?.rootref ?? null,
    sourceRootref: snapshot?.rootref ?? null,
    firstKey: change?.key ?? null,
    firstChange: change?.change ?? null,
    differences,
  }
}
