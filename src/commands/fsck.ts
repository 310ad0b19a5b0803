import { Flags } from '@oclif/core'
import {
  EXIT,
  FluxCommand,
  interruptible,
  LineWriter,
  openRepairTarget,
  openSource,
  paceFlags,
  type SourceChoice,
  sourceFlags,
  UsageError,
} from '../cli/index.ts'
import {
  damageReport,
  fsckJson,
  olderCheckpoints,
  planReport,
  type ReportOptions,
  repairReport,
  totalReport,
  verdictReport,
} from '../cli/reports/index.ts'
import { type ContentStore, isBlobref } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import {
  type CheckedRoot,
  checkpointTime,
  commitRepair,
  type FsckResult,
  fsck,
  type PlannedRepair,
  planRepair,
} from '../inspect/index.ts'

/** Requests in flight, as many as `flux fsck` has. The instance should have no other work. */
const MAXREQS = 1000

export default class Fsck extends FluxCommand {
  static override summary = 'Check the integrity of the KVS backing store, and repair it'

  static override description =
    `Reads every directory that can be reached from the newest checkpoint, and compares every blob with its blobref. Each damaged key is listed on stderr. If there is damage, the exit status is 1, even if all of it is repaired. A summary is printed on stdout. If there is damage, it says which checkpoint is intact, and how to dump or repair the rest.

For a live instance the caches are bypassed, and ${MAXREQS} requests are kept in flight unless --maxreqs is given. Its KVS module may be loaded, except with --repair. With --no-verify, the check of a live instance only asks whether the blobs of values exist, as flux fsck does.

--repair writes a new checkpoint without the damage. It becomes the newest. A value with missing blobs is moved to lost+found under its old key, with the blobs that are left. A directory whose blob is missing is unlinked. Altered or unreadable blobs stay where they are, unless --drop-damaged is given. Nothing is removed from the store, and older checkpoints do not change.`

  static override examples = [
    {
      description: 'Check a store whose instance is down',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'Find a checkpoint that can still be dumped',
      command: '<%= config.bin %> <%= command.id %> --all --store examples/statedir',
    },
    {
      description: 'Repair a store, and move damaged jobs to lost+found as a whole',
      command: '<%= config.bin %> <%= command.id %> --repair --job-aware --store examples/statedir',
    },
  ]

  static override flags = {
    ...sourceFlags,
    maxreqs: paceFlags.maxreqs,
    rootref: Flags.string({
      char: 'r',
      aliases: ['root'],
      summary: 'start from any directory, given by its blobref',
      helpValue: 'BLOBREF',
      exclusive: ['checkpoint-index', 'all'],
      helpGroup: 'SNAPSHOT',
    }),
    'checkpoint-index': Flags.integer({
      summary: 'start from an older checkpoint; 0 is the newest',
      helpValue: 'N',
      min: 0,
      exclusive: ['all'],
      helpGroup: 'SNAPSHOT',
    }),
    all: Flags.boolean({ summary: 'check all checkpoints', exclusive: ['repair'], helpGroup: 'SNAPSHOT' }),
    repair: Flags.boolean({
      char: 'R',
      summary: 'write a new checkpoint without the damage',
      helpGroup: 'REPAIR',
    }),
    'job-aware': Flags.boolean({
      char: 'j',
      summary: 'when a value of a job is damaged, move the whole job to lost+found',
      helpGroup: 'REPAIR',
    }),
    'drop-damaged': Flags.boolean({
      summary: 'treat altered or unreadable blobs as missing',
      dependsOn: ['repair'],
      helpGroup: 'REPAIR',
    }),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'list keys on stderr as they are checked, and each damaged blob',
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({
      char: 'q',
      summary: 'print only damaged keys and totals, without the summary',
      helpGroup: 'OUTPUT',
    }),
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(Fsck)
    const { rootref, quiet, verbose, repair } = flags
    if (rootref !== undefined && !isBlobref(rootref)) {
      throw new UsageError(`--rootref ${rootref}: not a blobref`, 'it looks like sha1- and 40 lower-case hex digits')
    }
    const report: ReportOptions = { ...flags, jobAware: flags['job-aware'], dropDamaged: flags['drop-damaged'] }
    // The texts of the C tool. Scripts look for its name in front of them; on a terminal it is left out.
    const lines = new LineWriter(process.stderr, process.stderr.isTTY ? '' : 'flux-fsck: ')
    return interruptible(async (signal) => {
      const source = { ...flags, signal, onWarning: this.complain }
      const progress = this.progress({ quiet: quiet || verbose, isWhole: true })
      await using target = repair ? await openRepairTarget(source) : undefined
      await using store = await openSource({ ...source, ...backingStore(flags), isArchiveAnew: true, progress })
      try {
        const result = await fsck(store, {
          rootref,
          checkpointIndex: flags['checkpoint-index'],
          all: flags.all,
          findIntact: !quiet || this.jsonEnabled(),
          onRoot: ({ checkpoint }) => {
            lines.flush()
            if (checkpoint) this.log(`Checking integrity of checkpoint from ${checkpointTime(checkpoint)}`)
          },
          onVisit: verbose ? (key) => quiet || lines.write(key) : undefined,
          onFault: (damage) => lines.write(...damageReport(damage, report)),
          signal,
        })
        const planned = target && (await this.#plan(store, result, report))
        if (planned) lines.write(...planReport(planned, report))
        lines.write(...totalReport(result, report))
        const checkpoint =
          target && planned?.tree && (await commitRepair(planned, await target.writer(store), Date.now() / 1000))
        if (planned) lines.write(...repairReport(planned, checkpoint, report))
        lines.flush()
        const older = flags.all ? olderCheckpoints(store) : undefined
        if (older !== undefined) this.notice(older)
        if (!quiet) {
          const isRepairable = flags.archive === undefined && !flags.salvage
          for (const line of verdictReport(result, { ...report, isRepairable, planned, written: checkpoint }))
            this.log(line)
        }
        if (result.errors > 0) process.exitCode = EXIT.FAILED
        return fsckJson(result, planned && { planned, checkpoint })
      } finally {
        lines.flush()
      }
    })
  }

  async #plan(store: ContentStore, { checked }: FsckResult, options: ReportOptions): Promise<PlannedRepair> {
    const { rootref, damages, unlisted } = checked[0] as CheckedRoot
    if (unlisted) throw new FluxError('EOVERFLOW', `too many damaged keys to repair: ${unlisted} beyond those listed`)
    return planRepair(store, rootref, damages, options)
  }
}

/** For a live instance, options that bypass the caches and read the backing store. */
function backingStore({
  uri,
  store,
  archive,
  maxreqs,
}: SourceChoice & { maxreqs?: number | undefined }): Partial<SourceChoice> {
  if (store !== undefined || archive !== undefined) return { uri, maxreqs }
  return { maxreqs: maxreqs ?? MAXREQS, 'no-cache': true }
}
