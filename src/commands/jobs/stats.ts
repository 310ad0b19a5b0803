import { Flags } from '@oclif/core'
import {
  jobFlags,
  jobidArgs,
  jobSelection,
  kindOf,
  loadFlags,
  Output,
  SourceCommand,
  Table,
  UsageError,
  Users,
  utcFlag,
} from '../../cli/index.ts'
import { rootsHint, usageColumns, usageCsv, usageJson, usageRows } from '../../cli/reports/index.ts'
import { FluxError } from '../../errors/index.ts'
import { JOB_GROUPS, type JobGroup, JobUsage, type JobUsageOptions, jobs } from '../../inspect/index.ts'
import { formatJobid } from '../../kvs/index.ts'

export default class JobsStats extends SourceCommand {
  static override summary = 'Show what the jobs in a snapshot used, by user, day, node and so on'

  static override description =
    `Prints how many jobs there are and how many of them failed, their node-hours, core-hours and GPU-hours, and how long they waited and ran: the median, the 95th percentile, and the sum of the run times. With --by there is a row for each group, and the total at the end. docs/figures.md defines each figure.

Resources count from the alloc event of a job to its free event. A job that still held its resources counts to the time of the snapshot. With --since and --before, they count only between these times.

By hour, day, week or month, hours are divided between the periods in which the resources were held, and a job with its wait and run time counts in the period in which it ended. By node, each node has its own part, and a job counts on each of its nodes. A hyphen stands for jobs that are in no group: they have not ended, got no nodes, or have no such attribute.

On a terminal the result is a table, with bars for the node-hours. Elsewhere each line is a row, with columns separated by tabs, times in hours and seconds, and no titles; --csv has titles, and the number of canceled and timed out jobs too.`

  static override examples = [
    {
      description: 'Show who used the machine in a snapshot, and how much',
      command: '<%= config.bin %> <%= command.id %> --by user --store examples/statedir',
    },
    {
      description: 'Show how the wait in each queue has grown from month to month',
      command: '<%= config.bin %> <%= command.id %> --by queue,month --archive kvs.tgz',
    },
    {
      description: 'Write what each node was used for on each day, for a spreadsheet',
      command: '<%= config.bin %> <%= command.id %> --by day,node --csv --archive kvs.tgz',
    },
    {
      description: 'Print the node-hours of a day',
      command:
        '<%= config.bin %> <%= command.id %> --since 2026-11-25 --before 2026-11-26 --json --archive kvs.tgz | jq .total.nodeHours',
    },
  ]

  static override strict = false

  static override args = { ...jobidArgs }

  static override flags = {
    by: Flags.string({
      summary: 'a row for each of these; separate several with commas for a row for each combination',
      options: JOB_GROUPS,
      delimiter: ',',
      multiple: true,
      helpValue: 'GROUP',
      helpGroup: 'OUTPUT',
    }),
    csv: Flags.boolean({
      summary: 'print comma-separated values with titles (RFC 4180)',
      exclusive: ['json'],
      helpGroup: 'OUTPUT',
    }),
    ...jobFlags,
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<object | undefined> {
    const { argv, flags } = await this.parse(JobsStats)
    const users = new Users()
    const { ids, filter, count, ignored } = jobSelection(flags, argv, { users, utc: flags.utc })
    if (ignored) this.notice(ignored)
    const by = (flags.by ?? []) as JobGroup[]
    const options = {
      window: { from: filter.since, to: filter.before },
      utc: flags.utc,
      userName: (userid: number) => users.nameOf(userid) ?? String(userid),
    }
    // Wrong groups are reported before anything is read.
    usageOf(by, options)
    return this.withSource(flags, async (source) => {
      const { signal } = source
      if (ids === undefined) source.readsAll()
      const onFault = (fault: Error) => this.fault(`${fault.message}; the jobs in it are lost`, kindOf(fault))
      const snapshot = await source.snapshot()
      const now = source.isLive ? Date.now() / 1000 : snapshot.timestamp
      const usage = usageOf(by, { ...options, now })
      let readCount = 0
      const onRead = (jobCount: number) => {
        readCount = jobCount
      }
      for await (const batch of jobs(snapshot, { ids, filter, count, onRead, onFault, signal })) {
        for (const { id, problems } of batch)
          for (const { record, kind, message } of problems)
            this.fault(`${formatJobid(id)}: ${message}`, `${record}: ${kind}`)
        usage.addJobs(batch)
      }
      const result = await this.#print(usage, flags.csv)
      if (readCount === 0 && ids === undefined && flags.store !== undefined) {
        // A broker that was killed may have left the jobs in a root that no checkpoint names.
        const hint = await rootsHint(snapshot.store, flags.store, { isEmpty: true })
        if (hint !== undefined) this.notice(hint)
      }
      return result
    })
  }

  /** Print the figures; or return them, for `--json`. */
  async #print(usage: JobUsage, csv: boolean): Promise<object | undefined> {
    const { total } = usage
    const [grouped = { by: [], rows: [] }] = usage.tables()
    if (this.jsonEnabled()) return usageJson(grouped, total)
    if (csv) {
      const output = new Output()
      for (const line of usageCsv(grouped, total)) if (output.append(line)) await output.flush()
      await output.flush()
    } else {
      const rows = usageRows(grouped, total)
      const table = new Table(await usageColumns(grouped.by, rows, process.stdout.isTTY === true))
      await table.add(rows)
      await table.end()
    }
    if (!total.isExact || grouped.rows.some(({ figures }) => !figures.isExact))
      this.notice('there are so many jobs that medians and percentiles may be 1% off; all else is exact')
    return undefined
  }
}

/** @throws {UsageError} these groups do not go together */
function usageOf(by: readonly JobGroup[], options: JobUsageOptions): JobUsage {
  try {
    return new JobUsage([by], options)
  } catch (error) {
    throw error instanceof FluxError ? new UsageError(`--by ${by.join(',')}: ${error.message}`) : error
  }
}
