import { dirname } from 'node:path'
import { Args, Flags } from '@oclif/core'
import {
  complaintFlags,
  FluxCommand,
  interruptible,
  isLive,
  Output,
  openSource,
  showTasks,
  sourceFlags,
  UsageError,
  type Verbosity,
} from '../../cli/index.ts'
import { type StatsRow, statsText } from '../../cli/reports/index.ts'
import type { ContentStore } from '../../content/index.ts'
import { byteText, countText } from '../../errors/index.ts'
import { Compaction, type CompactionResult, compactionTasks } from '../../transfer/index.ts'

export default class ContentCompact extends FluxCommand {
  static override summary = 'Write a new content store without what no checkpoint refers to'

  static override description =
    `Copies the blobs that the checkpoints of a content.sqlite refer to into a new content.sqlite, from which an instance can be started. Blobs are copied as they are stored. The checkpoints stay with their ids, and so do sequence numbers, empty directories and keys of any size, which a dump and a restore would lose. Namespaces of running jobs, as Flux recorded them until v0.80, are kept too.

OUTPUT is a file that does not exist, or a directory, in which content.sqlite is made. It appears under its name when it is complete, or not at all. Nothing is written to the old store, and its broker must be down.

The room that the new store needs is computed first. --dry-run stops there, and prints how much would be saved. On a terminal the numbers are in columns. Otherwise each line is a name, a tab and a number.

If a blob that a kept checkpoint refers to is missing or damaged, nothing is written.`

  static override examples = [
    {
      description: 'Make a compact copy of the store of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux compact.sqlite',
    },
    {
      description: 'Show how much that would save',
      command: '<%= config.bin %> <%= command.id %> --dry-run --store examples/statedir',
    },
    {
      description: 'Keep only the newest checkpoint',
      command: '<%= config.bin %> <%= command.id %> --keep-checkpoints 1 --store examples/statedir newest.sqlite',
    },
  ]

  static override args = {
    output: Args.string({
      name: 'OUTPUT',
      description: 'the new content store: a file that does not exist, or a directory; not needed with --dry-run',
    }),
  }

  static override flags = {
    store: Flags.string({
      summary: 'the content store to read, while its broker is down',
      description: 'PATH is a statedir or a content.sqlite file. It is opened read-only.',
      helpValue: 'PATH',
      required: true,
      helpGroup: 'SOURCE',
    }),
    verify: sourceFlags.verify,
    'keep-checkpoints': Flags.integer({
      summary: 'keep only the N newest checkpoints (default: all)',
      helpValue: 'N',
      min: 1,
      helpGroup: 'SELECTION',
    }),
    'dry-run': Flags.boolean({ summary: 'write nothing; print how much would be saved', helpGroup: 'OUTPUT' }),
    quiet: Flags.boolean({ char: 'q', summary: 'do not show the progress', helpGroup: 'OUTPUT' }),
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const started = performance.now()
    const { args, flags } = await this.parse(ContentCompact)
    const { output } = args
    const dryRun = flags['dry-run']
    if (output === undefined && !dryRun) throw new UsageError('Missing OUTPUT', 'name the new store, or give --dry-run')
    const verbosity: Verbosity = flags.quiet || this.jsonEnabled() ? 'quiet' : 'normal'
    return interruptible(async (signal) => {
      await using store = await openSource({
        store: flags.store,
        verify: flags.verify,
        scratchDirs: output === undefined ? [] : [dirname(output)],
        signal,
      })
      const compaction = new Compaction({
        store,
        output,
        keepCheckpoints: flags['keep-checkpoints'],
        dryRun,
        onWarning: this.complain,
        signal,
      })
      const looked = () => (store.counts?.loaded ?? 0) + (store.counts?.marked ?? 0)
      const tasks = compactionTasks(compaction, {
        live: isLive(verbosity),
        now: () => performance.now(),
        looked,
      })
      const status = () =>
        compaction.isCopying
          ? `${this.called}: copied ${countText(compaction.copied, 'blob')}`
          : `${this.called}: looked at ${countText(looked(), 'blob')}`
      const [result] = await Promise.all([
        compaction.run(),
        showTasks(tasks, dryRun ? 'quiet' : verbosity, status, { concurrent: false }),
      ])
      await store.assertUnchanged()
      if (!this.jsonEnabled() && dryRun) {
        await new Output().write(statsText(rows(result), process.stdout.isTTY === true))
      } else if (verbosity !== 'quiet') this.notice(outcome(result))
      return summary(result, store, (performance.now() - started) / 1000)
    })
  }
}

function rows({ blobs, storeBlobs, storedBytes, fileBytes, neededBytes }: CompactionResult): StatsRow[] {
  return [
    ['objects', storeBlobs],
    ['garbage objects', storeBlobs - blobs],
    ['kept objects', blobs],
    ['kept stored bytes', storedBytes, 'bytes'],
    ['database bytes', fileBytes, 'bytes'],
    ['needed bytes', neededBytes, 'bytes'],
    ['saved bytes', Math.max(0, fileBytes - neededBytes), 'bytes'],
  ]
}

function outcome({ output, blobs, storeBlobs, fileBytes, outputBytes = 0, checkpoints }: CompactionResult): string {
  const kept = `${countText(blobs, 'blob')} and ${countText(checkpoints.length, 'checkpoint')}`
  const left = `${countText(storeBlobs - blobs, 'blob')} left behind`
  return `wrote ${kept} to ${output}; ${left}; ${byteText(outputBytes)} instead of ${byteText(fileBytes)}`
}

function summary(result: CompactionResult, { name, hash }: ContentStore, seconds: number): object {
  const { blobs, storeBlobs, fileBytes, outputBytes, neededBytes } = result
  return {
    store: name,
    output: result.output ?? null,
    hash,
    checkpointCount: result.checkpoints.length,
    objectCount: blobs,
    garbageObjectCount: storeBlobs - blobs,
    storedBytes: result.storedBytes,
    storeBytes: fileBytes,
    neededBytes,
    freeBytes: Number.isFinite(result.freeBytes) ? result.freeBytes : null,
    fileBytes: outputBytes ?? null,
    savedBytes: Math.max(0, fileBytes - (outputBytes ?? neededBytes)),
    seconds: Number(seconds.toFixed(3)),
  }
}
