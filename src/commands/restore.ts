import { Args, Flags } from '@oclif/core'
import { READABLE_FILTERS, READABLE_FORMATS } from '../archive/index.ts'
import {
  archiveFlags,
  EXIT,
  FluxCommand,
  globFlags,
  interruptible,
  isLive,
  keepNotified,
  openTarget,
  parseSize,
  type RestoreSummary,
  showTasks,
  type Target,
  targetFlags,
  type Verbosity,
} from '../cli/index.ts'
import { isoTime } from '../errors/index.ts'
import { type RestoreResult, Restore as RestoreRun, restoreTasks } from '../restore/index.ts'

export default class Restore extends FluxCommand {
  static override summary = 'Restore KVS snapshot from a portable archive'

  static override description =
    `Reads an archive and stores its contents as a KVS snapshot. In a live instance the snapshot becomes a key (--key) or the checkpoint that the KVS starts from next time (--checkpoint). With --store it goes to a content store on disk, from which an instance can be started.

INFILE is a directory, or an archive whose format (${READABLE_FORMATS.join(', ')}) and compression (${READABLE_FILTERS.join(', ')}) are recognised by its content; - is standard input.

Regular files become values, symbolic links become KVS links, and their paths become keys. Directories in the archive are ignored. A link target may begin with NAMESPACE::. A hard link becomes another key with the same value. If anything goes wrong, nothing is committed: the key, the checkpoint or the store stays as it was. An archive without any key is refused, unless --allow-empty is given.`

  static override examples = [
    {
      description: 'Create a content store from which an instance can be started',
      command: '<%= config.bin %> <%= command.id %> --store content.sqlite kvs.tgz',
    },
    {
      description: 'Restore the archive of last night below a key of a running instance',
      command: '<%= config.bin %> <%= command.id %> --key lastnight kvs.tgz',
    },
    {
      description: 'Show the root that one directory of an archive would give, and change nothing',
      command: `<%= config.bin %> <%= command.id %> --dry-run --include 'job/**' kvs.tgz`,
    },
  ]

  static override args = {
    infile: Args.string({
      name: 'INFILE',
      description: 'archive or directory to read; - is standard input',
      required: true,
    }),
  }

  static override flags = {
    ...targetFlags,
    ...archiveFlags,
    ...globFlags('restore'),
    strip: Flags.string({
      summary: 'remove this leading path from the names',
      helpValue: 'PREFIX',
      helpGroup: 'SELECTION',
    }),
    'size-limit': Flags.string({
      summary: 'skip values larger than this: a number with k, M or G',
      helpValue: 'SIZE',
      helpGroup: 'SELECTION',
    }),
    'allow-empty': Flags.boolean({
      summary: 'restore an empty KVS when the archive, or the selection, leaves no key',
      description: 'Otherwise this is an error, because an archive that was truncated to nothing looks the same.',
      helpGroup: 'SELECTION',
    }),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'list keys on stderr as they are restored, instead of a periodic count',
      exclusive: ['quiet'],
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({ char: 'q', summary: 'do not show the periodic count', helpGroup: 'OUTPUT' }),
  }

  async run(): Promise<object> {
    const started = performance.now()
    const { args, flags } = await this.parse(Restore)
    const sizeLimit = flags['size-limit'] === undefined ? 0 : parseSize(flags['size-limit'], 'size-limit')
    const verbosity: Verbosity = flags.quiet || this.jsonEnabled() ? 'quiet' : flags.verbose ? 'verbose' : 'normal'
    const result = await interruptible(async (signal) => {
      await using target = await openTarget({ ...flags, onWarning: this.complain }, signal)
      const restore = new RestoreRun({
        ...args,
        ...flags,
        writer: target.writer,
        scratchDir: target.scratchDir,
        commit: (root) => target.commit(root),
        allowEmpty: flags['allow-empty'],
        sizeLimit,
        onMembers: verbosity === 'verbose' ? (lines) => printMembers(lines) : undefined,
        onWarning: this.complain,
        signal,
      })
      const { tasks, printMembers } = restoreTasks(restore, {
        live: isLive(verbosity),
        target: target.name,
        now: () => performance.now(),
      })
      const { progress } = restore
      const done = target.isDryRun ? 'would restore' : 'restored'
      const status = () => `${this.called}: ${done} ${progress.keys} keys (${progress.blobs} blobs)`
      const stopNotifying = flags['sd-notify']
        ? keepNotified(target, () => `flux-restore(1) has restored ${progress.keys} keys`)
        : undefined
      const [result] = await Promise.all([
        restore.run().finally(() => stopNotifying?.()),
        showTasks(tasks, verbosity, status, { concurrent: false }),
      ])
      if (isLive(verbosity)) process.stderr.write(`${status()}\n`)
      if (verbosity !== 'quiet') this.notice(outcome(result, target))
      if (result.lost > 0 && !flags['ignore-failed-read']) process.exitCode = EXIT.FAILED
      const problem = await target.afterCommit()
      if (problem) this.notice(problem)
      return summary(result, target, (performance.now() - started) / 1000)
    })
    if (!flags['dry-run']) await this.announce('flux:written', { command: 'restore', summary: result })
    return result
  }
}

function outcome({ rootref, skipped, lost }: RestoreResult, { name, isDryRun }: Target): string {
  const short = rootref.slice(0, rootref.indexOf('-') + 9)
  const size = skipped > 0 ? `; ${skipped} skipped for their size` : ''
  const left = lost > 0 ? `${size}; ${lost === 1 ? '1 part' : `${lost} parts`} of the archive lost` : size
  return isDryRun ? `would write snapshot ${rootref}${left}` : `writing snapshot ${short} to ${name}${left}`
}

function summary(result: RestoreResult, { name, hash }: Target, seconds: number): RestoreSummary {
  const { format, filter, rootref, timestamp } = result
  return {
    archive: result.infile,
    format,
    filter,
    target: name,
    rootref,
    proven: result.isProven,
    hash,
    timestamp,
    time: isoTime(timestamp),
    keyCount: result.keys,
    symlinkCount: result.symlinks,
    blobCount: result.blobs,
    valueBytes: result.bytes,
    skippedCount: result.skipped,
    deselectedCount: result.deselected,
    lostCount: result.lost,
    seconds: Number(seconds.toFixed(3)),
  }
}
