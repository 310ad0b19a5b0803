import { existsSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import { type ChecksumResult, compareChecksum } from '../../archive/index.ts'
import {
  complaintFlags,
  EXIT,
  exitStatusOf,
  FluxCommand,
  interruptible,
  openArchiveStore,
  openSource,
  print,
  sourceFlags,
  UsageError,
} from '../../cli/index.ts'
import { blobrefHash, type ContentStore, isBlobref } from '../../content/index.ts'
import { printable } from '../../errors/index.ts'
import { type Change, diff } from '../../inspect/index.ts'
import { resolveRoot, type Snapshot } from '../../kvs/index.ts'
import type { ArchiveStore } from '../../restore/index.ts'

/** Exit statuses of diff(1) and cmp(1). */
const [SAME, DIFFERENT, TROUBLE] = [0, 1, 2]

export default class ArchiveVerify extends FluxCommand {
  static override summary = 'Compare an archive with its checksum, its record and its source'

  static override description =
    `Reads all of an archive, and compares it with whatever is known about it: FILE.sha256, if it is there; the root that a restore makes, which the dump has recorded in the archive; and, with --store or --uri, the source itself. The source is read at the root that the archive was made of, as long as it still holds it, or at --root. Without a source, --root is compared with the root that the archive was made of.

With a source, every key and value is compared, and the first key that differs is named. If only selected keys were dumped, others may be missing. The archive is read without the root that is recorded in it having to fit, so that the first key that was damaged can be named.

The exit status is 0 if nothing differs, 1 if something does, and 2 if the archive or the source cannot be read. An archive without a record and a checksum, and with no source named, is only read: then nothing is proven, and the exit status is 0.`

  static override examples = [
    {
      description: 'Verify the archive of last night',
      command: '<%= config.bin %> <%= command.id %> kvs.tgz',
    },
    {
      description: 'Compare an archive with the store that it was made of',
      command:
        '<%= config.bin %> dump -q --store /var/lib/flux --checksum new.tgz && <%= config.bin %> <%= command.id %> --store /var/lib/flux new.tgz',
    },
  ]

  static override args = {
    file: Args.string({ name: 'FILE', description: 'archive or directory to read', required: true }),
  }

  static override flags = {
    uri: sourceFlags.uri,
    timeout: sourceFlags.timeout,
    store: sourceFlags.store,
    root: Flags.string({
      summary: 'compare with this root, given by its blobref',
      helpValue: 'BLOBREF',
      helpGroup: 'SOURCE',
    }),
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ArchiveVerify)
    const { file } = args
    const { store, uri, root } = flags
    if (file === '-') throw new UsageError('- cannot be verified', 'name a file')
    if (store !== undefined && uri !== undefined) throw new UsageError('--store does not go with --uri')
    if (root !== undefined && !isBlobref(root)) throw new UsageError(`--root ${root}: not a blobref`)
    return interruptible(async (signal) => {
      const checksum = existsSync(file) ? await checksumOf(file, signal) : undefined
      const choice = { ...flags, verify: true, onWarning: this.complain, progress: this.progress(), signal }
      const hasSource = store !== undefined || uri !== undefined
      await using source = hasSource ? await openSource(choice) : undefined
      const hash = source?.hash ?? (root === undefined ? undefined : blobrefHash(root))
      const reading = { ...choice, salvage: true, 'ignore-failed-read': true }
      await using archive = await openArchiveStore(file, reading, hash)
      const { origin } = archive.restored
      const snapshot = source && (await rootIn(source, root ?? origin?.rootref))
      const change = snapshot && (await firstChange(snapshot, archive, signal))
      await source?.assertUnchanged()
      const result: Verified = { file, checksum, archive, root, snapshot, change }
      process.exitCode = differences(result).length > 0 ? DIFFERENT : SAME
      if (!this.jsonEnabled()) await print(text(result))
      return json(result)
    })
  }

  protected override exitStatus(error: unknown): number {
    const status = exitStatusOf(error)
    return status === EXIT.FAILED ? TROUBLE : status
  }
}

interface Verified {
  readonly file: string
  readonly checksum: ChecksumResult | undefined
  readonly archive: ArchiveStore
  readonly root: string | undefined
  readonly snapshot: Snapshot | undefined
  readonly change: Change | undefined
}

function checksumOf(file: string, signal: AbortSignal): Promise<ChecksumResult | undefined> {
  return file.endsWith('/') ? Promise.resolve(undefined) : compareChecksum(file, signal)
}

/** The root of the source that the archive is compared with: the one that it was made of, if the source still holds it. */
async function rootIn(source: ContentStore, rootref: string | undefined): Promise<Snapshot> {
  if (!isBlobref(rootref) || blobrefHash(rootref) !== source.hash) return resolveRoot(source)
  return resolveRoot(source, { root: rootref })
}

/** The first key that differs. Keys that only the source has do not count when the archive is a selection. */
async function firstChange(
  snapshot: Snapshot,
  archive: ArchiveStore,
  signal: AbortSignal,
): Promise<Change | undefined> {
  const { rootref, origin } = archive.restored
  const restored = { store: archive, rootref }
  const mayLack = origin !== undefined && (origin.isSelection || origin.skipped > 0)
  for await (const batch of diff(snapshot, restored, { signal })) {
    const found = batch.find(({ change }) => change !== 'removed' || !mayLack)
    if (found) return found
  }
  return undefined
}

/** What differs, each as a sentence. */
function differences({ file, checksum, archive, root, snapshot, change }: Verified): string[] {
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

const CHANGES = {
  added: 'is in the archive, but not in the source',
  removed: 'is in the source, but not in the archive',
  changed: 'differs from the source',
} as const

function text(verified: Verified): string {
  const { checksum, archive, snapshot, change } = verified
  const { rootref, origin, isProven } = archive.restored
  const found = differences(verified)
  const facts: [string, string][] = [
    ['checksum', checksum === undefined ? '-' : checksum.found === checksum.recorded ? 'the same' : 'differs'],
    ['made of', origin?.rootref ?? '-'],
    ['restores to', `${rootref}${isProven ? ', as recorded' : origin?.restored ? ', not as recorded' : ''}`],
    [
      'source',
      snapshot === undefined ? '-' : `${snapshot.rootref}, ${change ? 'differs' : 'the same keys and values'}`,
    ],
    ...found.map((what): [string, string] => ['differs', printable(what)]),
  ]
  return facts.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`).join('')
}

function json(verified: Verified): object {
  const { file, checksum, archive, snapshot, change } = verified
  const { rootref, origin, isProven } = archive.restored
  return {
    archive: file,
    same: differences(verified).length === 0,
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
    differences: differences(verified),
  }
}
