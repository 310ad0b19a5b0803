import {
  EXIT,
  escapedJson,
  formatInformation,
  jobArguments,
  jobCountFlags,
  jobFlags,
  jobFormat,
  jobFormatFlags,
  jobidArgs,
  jobSelection,
  kindOf,
  loadFlags,
  print,
  printJobTable,
  printJsonList,
  SourceCommand,
  Users,
  utcFlag,
} from '../cli/index.ts'
import { type Job, JobRows, jobCounts, jobCountsLine, jobJson, jobs } from '../inspect/index.ts'
import { formatJobid } from '../kvs/index.ts'

export default class Jobs extends SourceCommand {
  static override summary = 'List the jobs in a snapshot'

  static override description =
    `Lists the jobs of an instance from the records in its KVS, whether the instance is running or not: every job that has not been purged. It takes the options of flux jobs. What differs is that a snapshot is listed whole, unless asked otherwise: the jobs of all users, in all states, without a limit. --queue does not find the jobs of virtual queues by the queue above them, because the KVS does not hold the configuration.

--since and --before take what flux jobs --since takes, in local time. A day begins at midnight, and a day without a year, such as Monday or Nov 24, is the last one.

The output is that of flux jobs, on a terminal and in a pipe, and in its order: jobs that wait, then jobs that run, then jobs that have ended, the last one first. --format takes the format strings of flux-jobs(1), and the names of its formats; FLUX_JOBS_FORMAT_DEFAULT sets the default. On a terminal lines are cut at its width. Control characters in names are escaped. Times are local; with --utc all times are UTC.

A job that has not ended has run until the time of the snapshot, and its remaining time counts from then. For a live instance that is now. A snapshot does not hold the fields sched.t_estimate, sched.reason_pending and instance.*, so they are refused.

--json prints what flux jobs --json prints, as far as a snapshot tells it, with times in seconds since 1970. The jobs are in the array jobs. If one JOBID is given, its job is printed alone, as flux jobs does.

Jobs that are given by their ids are listed in that order. If one of them is not in the snapshot, the others are listed, and the exit status is 1.

A job with damaged records is listed with the facts that are left, and there is a warning on stderr; the exit status is then 1. If its eventlog is lost, its state is UNKNOWN. Such a job is neither active nor inactive; --filter unknown finds it.`

  static override examples = [
    {
      description: 'List all jobs of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux',
    },
    {
      description: 'List the jobs in a dump that failed in the last two days',
      command: '<%= config.bin %> <%= command.id %> --archive kvs.tgz --filter failed,timeout --since=-2d',
    },
    {
      description: 'Say why each job ended',
      command: '<%= config.bin %> <%= command.id %> --archive kvs.tgz --format endreason',
    },
    {
      description: 'List the jobs that ran longest, with when they were submitted and how long they ran',
      command: `<%= config.bin %> <%= command.id %> --store /var/lib/flux --sort=-runtime -o '{id.f58:>12} {name:<20.20+} {t_submit!d:%b%d %R::>12} {runtime!F:>8}'`,
    },
    {
      description: 'Print how long the jobs of root ran',
      command: `<%= config.bin %> <%= command.id %> --json --store /var/lib/flux --user root | jq '.jobs[].runtime'`,
    },
  ]

  static override strict = false

  static override args = jobidArgs

  static override flags = {
    ...jobFlags,
    ...jobCountFlags,
    ...jobFormatFlags,
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Jobs, jobArguments(this.argv))
    const information = formatInformation(flags)
    if (information !== undefined) return this.log(information)
    const users = new Users()
    const now = Date.now() / 1000
    const { utc } = flags
    const format = (time: number) =>
      jobFormat(flags, { utc, now: time, nameOf: (userid) => users.nameOf(userid) ?? String(userid) })
    // Says what is wrong with the format before the source is opened.
    const { records } = format(now)
    const { ids, filter, count, ignored } = jobSelection(flags, argv, { users, utc, now })
    if (ignored) this.notice(ignored)
    await this.withSource(flags, async (source) => {
      const { signal } = source
      if (ids === undefined) source.readsAll()
      const onFault = (fault: Error) => this.fault(`${fault.message}; the jobs in it are lost`, kindOf(fault))
      const snapshot = await source.snapshot()
      if (flags.stats || flags['stats-only']) {
        const counts = await jobCounts(snapshot, {
          queues: flags.queue,
          // What cannot be read is told below, when it is read again.
          onFault: flags['stats-only'] ? onFault : () => {},
          signal,
        })
        await print(`${jobCountsLine(counts)}\n`)
        if (flags['stats-only']) {
          if (counts.pending + counts.running === 0) process.exitCode = EXIT.FAILED
          return
        }
      }
      let any = false
      const onRead = (count: number) => {
        any = count > 0
      }
      const needed = this.jsonEnabled() ? undefined : records
      const isAlone = this.jsonEnabled() && ids?.length === 1
      const onMissing = isAlone ? undefined : ({ message }: Error) => this.fault(message, 'no such job')
      const options = { ids, onMissing, filter, count, records: needed, onRead, onFault, signal }
      const found = this.#told(jobs(snapshot, options), users)
      const nameOf = ({ userid }: Job) => (userid === undefined ? undefined : (users.nameOf(userid) ?? String(userid)))
      if (this.jsonEnabled()) {
        const texts = mapBatches(found, (job) => jobJson(job, nameOf(job)))
        if (isAlone) for await (const batch of texts) for (const text of batch) await print(`${escapedJson(text)}\n`)
        else await printJsonList('jobs', texts)
      } else {
        const time = source.isLive ? now : (snapshot.timestamp ?? now)
        const rows = new JobRows(format(time), { ids })
        for await (const batch of found) for (const job of batch) rows.add(job)
        await printJobTable(rows, flags)
      }
      if (any || ids !== undefined || flags.store === undefined) return
      // A broker that was killed may have left the jobs in a root that no checkpoint names.
      const { rootsHint } = await import('../cli/reports/index.ts')
      const hint = await rootsHint(snapshot.store, flags.store, { isEmpty: true })
      if (hint !== undefined) this.notice(hint)
    })
  }

  /** Print what is wrong with jobs, learn who their users are, and pass them on. */
  async *#told(batches: AsyncIterable<Job[]>, users: Users): AsyncGenerator<Job[]> {
    for await (const batch of batches) {
      for (const { id, problems } of batch)
        for (const { record, kind, message } of problems)
          this.fault(`${formatJobid(id)}: ${message}`, `${record}: ${kind}`)
      users.learn(batch.map(({ userid }) => userid))
      yield batch
    }
  }
}

async function* mapBatches<T, U>(batches: AsyncIterable<readonly T[]>, map: (item: T) => U): AsyncGenerator<U[]> {
  for await (const batch of batches) yield batch.map(map)
}
