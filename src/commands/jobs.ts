import { Flags } from '@oclif/core'
import {
  type Column,
  EXIT,
  jobCountFlags,
  jobFlags,
  jobidArgs,
  jobSelection,
  kindOf,
  loadFlags,
  print,
  printJsonList,
  SourceCommand,
  Table,
  timeStyle,
  Users,
  utcFlag,
} from '../cli/index.ts'
import { type TimeStyle, timeText } from '../errors/index.ts'
import { type Job, jobCounts, jobCountsLine, jobJson, jobs } from '../inspect/index.ts'
import { formatJobid, JOBID_FORMS, type JobidForm } from '../kvs/index.ts'

export default class Jobs extends SourceCommand {
  static override summary = 'List the jobs in a snapshot'

  static override description =
    `Lists the jobs of an instance from the records in its KVS, whether the instance is running or not: every job that has not been purged, newest first. It takes the options of flux jobs that select jobs. What differs is that a snapshot is listed whole, unless asked otherwise: the jobs of all users, in all states, without a limit. --queue does not find the jobs of virtual queues by the queue above them, because the KVS does not hold the configuration.

--since and --before take what flux jobs --since takes, in local time. A day begins at midnight, and a day without a year, such as Monday or Nov 24, is the last one.

On a terminal the result is a table. Elsewhere each line is a job, with columns separated by tabs; a hyphen means unknown. --json prints what flux jobs --json prints, as far as a snapshot tells it, with times in seconds since 1970. Other times are local, in the form that --since and --before take; with --utc all times are UTC.

A job with damaged records is listed with the facts that are left, and there is a warning on stderr; the exit status is then 1. If its eventlog is lost, its state is UNKNOWN. Such a job is neither active nor inactive; --filter unknown finds it.`

  static override examples = [
    {
      description: 'List all jobs of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux',
    },
    {
      description: 'List the jobs in a dump that failed in the last two days of November',
      command:
        '<%= config.bin %> <%= command.id %> --archive kvs.tgz -f failed,timeout --since 2026-11-29 --before 2026-12-01',
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
    'id-format': Flags.string({
      summary: 'how to write job ids',
      options: JOBID_FORMS,
      default: 'f58',
      helpGroup: 'OUTPUT',
    }),
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Jobs)
    const users = new Users()
    const { ids, filter, count, ignored } = jobSelection(flags, argv, { users, utc: flags.utc })
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
      const found = this.#told(jobs(snapshot, { ids, filter, count, onRead, onFault, signal }), users)
      const nameOf = ({ userid }: Job) => (userid === undefined ? undefined : (users.nameOf(userid) ?? String(userid)))
      if (this.jsonEnabled()) {
        const texts = mapBatches(found, (job) => jobJson(job, nameOf(job)))
        await printJsonList('jobs', texts)
      } else {
        const table = new Table(columns(flags['id-format'] as JobidForm, nameOf, timeStyle(flags)))
        for await (const batch of found) await table.add(batch)
        await table.end()
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

function columns(form: JobidForm, nameOf: (job: Job) => string | undefined, style: TimeStyle): Column<Job>[] {
  const time = (seconds: number | undefined) => (seconds === undefined ? '' : timeText(seconds, style))
  return [
    { title: 'JOBID', text: ({ id }) => formatJobid(id, form), right: true },
    { title: 'USER', text: (job) => nameOf(job) ?? '' },
    { title: 'NAME', text: ({ name }) => name ?? '' },
    { title: 'STATE', text: ({ state }) => state },
    { title: 'RESULT', text: ({ result }) => result ?? '' },
    { title: 'NTASKS', text: ({ ntasks }) => String(ntasks ?? ''), right: true },
    { title: 'NNODES', text: ({ nnodes }) => String(nnodes ?? ''), right: true },
    { title: 'SUBMIT', text: ({ t_submit }) => time(t_submit) },
    { title: 'START', text: ({ t_run }) => time(t_run) },
    { title: 'END', text: ({ t_inactive, t_cleanup }) => time(t_cleanup ?? t_inactive) },
  ]
}
