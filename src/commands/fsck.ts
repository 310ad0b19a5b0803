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

/** Requests in flight, as `flux fsck` has it: nobody else should be at work. */
const MAXREQS = 1000

export default class Fsck extends FluxCommand {
  static override summary = 'Check the integrity of the KVS backing store, and repair it'

  static override description =
    `Reads every directory that can be reached from the newest checkpoint, and compares every blob with its blobref. Each damaged key is listed on stderr, and the exit status is 1 if there is any, also when all of it is repaired. What was looked at is summed up on stdout; and when there is damage, what can be done: which checkpoint is intact, and how to dump or repair what is left.

A live instance is asked past its caches, with ${MAXREQS} requests in flight unless --maxreqs says otherwise, and may have its KVS loaded, except for --repair. With --no-verify it is only asked whether the blobs of values are there, as flux fsck does.

--repair writes a new checkpoint, the newest, without the damage. A value that has lost blobs is moved to lost+found, under its old key, with those that are left; a directory that is lost is unlinked. What is altered or not readable, but there, stays in its place unless --drop-damaged is given. Nothing is removed from the store, and older checkpoints stay as they are.`

  static override examples = [
    {
      description: 'Check a store whose instance is down',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'Is there a checkpoint that can still be dumped?',
      command: '<%= config.bin %> <%= command.id %> --all --store examples/statedir',
    },
    {
      description: 'Repair it, with the jobs that are hit moved to lost+found as a whole',
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
      summary: 'move all that a job has to lost+found when one of its values is damaged',
      helpGroup: 'REPAIR',
    }),
    'drop-damaged': Flags.boolean({
      summary: 'take blobs that are altered or not readable for missing ones',
      dependsOn: ['repair'],
      helpGroup: 'REPAIR',
    }),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'list keys on stderr as they are checked, and each blob that is at fault',
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({
      char: 'q',
      summary: 'print damaged keys and totals alone, without a verdict',
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
    // The C tool's words, with its name before them unless a person reads them: scripts look for that.
    const lines = new LineWriter(process.stderr, process.stderr.isTTY ? '' : 'flux-fsck: ')
    return interruptible(async (signal) => {
      const source = { ...flags, signal, onWarning: this.complain }
      const progress = this.progress({ quiet: quiet || verbose, isWhole: true })
      await using target = repair ? await openRepairTarget(source) : undefined
      await using store = await openSource({ ...source, ...backingStore(flags), progress })
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
        if (!quiet) {
          const isRepairable = flags.archive === undefined
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

/** A live instance is asked for what its backing store has. */
function backingStore({
  uri,
  store,
  archive,
  maxreqs,
}: SourceChoice & { maxreqs?: number | undefined }): Partial<SourceChoice> {
  if (store !== undefined || archive !== undefined) return { uri, maxreqs }
  return { maxreqs: maxreqs ?? MAXREQS, 'no-cache': true }
}
