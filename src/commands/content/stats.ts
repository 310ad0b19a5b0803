import { Flags } from '@oclif/core'
import { complaintFlags, Output, StoreCommand, sourceFlags, UsageError } from '../../cli/index.ts'
import {
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
  static override summary = 'Tell how much a content store holds'

  static override description =
    `Prints the number of blobs, their bytes, what they take in the store, how many are compressed, and the size of the database. With --reachable also how much of it no checkpoint reaches: what garbage collection, or a dump and a restore, would give back.

Of a live instance it prints what its services say: the content cache of rank 0, and the backing store.

What cannot be read is not in the figures; how much that is stands on stderr, and the exit status is 1.

On a terminal the figures are in columns; otherwise each is on a line of its own, after its name and a tab.`

  static override examples = [
    {
      description: 'How much of a store is garbage?',
      command: '<%= config.bin %> <%= command.id %> --reachable --store examples/statedir',
    },
  ]

  static override flags = {
    ...sourceFlags,
    reachable: Flags.boolean({ summary: 'tell apart what no checkpoint reaches', helpGroup: 'OUTPUT' }),
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
      return statsJson(stats)
    }
    return this.withStore(flags, work, { isWhole: true })
  }
}
