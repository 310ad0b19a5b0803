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
import { type Verified, verifyDifferences, verifyJson, verifyText } from '../../cli/reports/index.ts'
import { blobrefHash, type ContentStore, isBlobref } from '../../content/index.ts'
import { firstChange } from '../../inspect/index.ts'
import { resolveRoot, type Snapshot } from '../../kvs/index.ts'

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
      const { origin, rootref } = archive.restored
      const snapshot = source && (await rootIn(source, root ?? origin?.rootref))
      // Keys that only the source has do not count when the archive is a selection.
      const mayLack = origin !== undefined && (origin.isSelection || origin.skipped > 0)
      const change = snapshot && (await firstChange(snapshot, { store: archive, rootref }, { mayLack, signal }))
      await source?.assertUnchanged()
      const result: Verified = { file, checksum, archive, root, snapshot, change }
      process.exitCode = verifyDifferences(result).length > 0 ? DIFFERENT : SAME
      if (!this.jsonEnabled()) await print(verifyText(result))
      return verifyJson(result)
    })
  }

  protected override exitStatus(error: unknown): number {
    const status = exitStatusOf(error)
    return status === EXIT.FAILED ? TROUBLE : status
  }
}

function checksumOf(file: string, signal: AbortSignal): Promise<ChecksumResult | undefined> {
  return file.endsWith('/') ? Promise.resolve(undefined) : compareChecksum(file, signal)
}

/** The root of the source that the archive is compared with: the one that it was made of, if the source still holds it. */
async function rootIn(source: ContentStore, rootref: string | undefined): Promise<Snapshot> {
  if (!isBlobref(rootref) || blobrefHash(rootref) !== source.hash) return resolveRoot(source)
  return resolveRoot(source, { root: rootref })
}
