import { Flags } from '@oclif/core'
import { complaintFlags, Output, StoreCommand, sourceFlags, UsageError } from '../../cli/index.ts'
import {
  olderCheckpoints,
  rootsHint,
  serviceStatsJson,
  serviceStatsRows,
  statsComplaints,
  statsJson,
  statsRows,
  statsText,
} from '../../cli/reports/index.ts'
import type { ContentStore } from '../../content/index.ts'
import { contentStats } from '../../inspect/index.ts'

export default class ContentStats extends StoreCommand {
  static override summary = 'Show how much a content store holds'

  static override description =
    `Prints the number of blobs, their bytes, the bytes that they take in the store, the number of compressed blobs, and the size of the database. With --reachable it also prints how much no checkpoint refers to: this is what garbage collection, or a dump and a restore, would free.

For a live instance it prints the statistics of its services: the content cache of rank 0, and the backing store.

Blobs that cannot be read are not counted. Their number is printed on stderr, and the exit status is 1.

On a terminal the numbers are in columns. Otherwise each line is a name, a tab and a number.`

  static override examples = [
    {
      description: 'Show how much of a store is garbage',
      command: '<%= config.bin %> <%= command.id %> --reachable --store examples/statedir',
    },
  ]

  static override flags = {
    ...sourceFlags,
    reachable: Flags.boolean({ summary: 'show also how much no checkpoint refers to', helpGroup: 'OUTPUT' }),
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(ContentStats)
    const { reachable } = flags
    const work = async (store: ContentStore, signal: AbortSignal) => {
      const output = new Output()
      const isTerminal = process.stdout.isTTY === true
      if (store.instance) {
        if (reachable) throw new UsageError('--reachable needs a store on disk', 'stop the instance, and give --store')
        const stats = await store.instance.serviceStats()
        if (!this.jsonEnabled()) await output.write(statsText(serviceStatsRows(stats), isTerminal))
        return serviceStatsJson(stats)
      }
      const stats = await contentStats(store, { reachable, signal })
      if (!this.jsonEnabled()) await output.write(statsText(statsRows(stats), isTerminal))
      for (const complaint of statsComplaints(stats)) {
        this.fault(`${store.name}: ${complaint}`, 'unreadable')
      }
      const older = olderCheckpoints(store)
      if (older !== undefined) this.notice(older)
      const hint = reachable ? await rootsHint(store, flags.store, { sizes: stats }) : undefined
      if (hint !== undefined) this.notice(hint)
      return statsJson(stats)
    }
    // What was kept of an archive says nothing about the archive itself.
    return this.withStore({ ...flags, isArchiveAnew: true }, work, { isWhole: true })
  }
}
