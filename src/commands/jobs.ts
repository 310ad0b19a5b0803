import { Args, Flags } from '@oclif/core'
import {
  type Column,
  jobidArgument,
  kindOf,
  loadFlags,
  parseWhen,
  printJsonList,
  SourceCommand,
  Table,
  timeStyle,
  Users,
  utcFlag,
} from '../cli/index.ts'
import { type TimeStyle, timeText } from '../errors/index.ts'
import { type Job, jobFilter, jobJson, jobs, RESULT_NAMES, STATE_NAMES } from '../inspect/index.ts'
import { formatJobid, JOBID_FORMS, type JobidForm } from '../kvs/index.ts'

export default class Jobs extends SourceCommand {
  static override summary = 'List the jobs in a snapshot'

  static override description =
    `Tells the jobs of an instance from what its KVS holds of them, whether the instance still runs or not: every job that has not been purged, the newest first.

On a terminal it is a table; elsewhere one job a line, its columns separated by tabs, a hyphen for what is not known. With --json it is what flux jobs --json prints, as far as a snapshot knows it, times in seconds since 1970. Elsewhere times are local, as --since and --before take them; with --utc all are UTC.

A job whose records are damaged is listed with what is left of it, and a warning on stderr; the exit status is then 1. When its eventlog is lost, its state is UNKNOWN: it counts neither as active nor as inactive, and --state unknown finds it.`

  static override examples = [
    {
      description: 'All jobs of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux',
    },
    {
      description: 'What failed in the last two days of November, out of a dump',
      command:
        '<%= config.bin %> <%= command.id %> --archive kvs.tgz --result failed,timeout --since 2026-11-29 --before 2026-12-01',
    },
    {
      description: 'How long the jobs of root ran',
      command: `<%= config.bin %> <%= command.id %> --json --store /var/lib/flux --user root | jq '.jobs[].runtime'`,
    },
  ]

  static override strict = false

  static override args = {
    jobid: Args.string({
      name: 'JOBID',
      description: 'list these jobs only, by their ids in any form',
    }),
  }

  static override flags = {
    user: Flags.string({
      char: 'u',
      summary: 'jobs of this user, by name or number; several with commas',
      helpValue: 'USER',
      delimiter: ',',
      multiple: true,
      helpGroup: 'FILTER',
    }),
    state: Flags.string({
      summary: 'jobs in this state; several with commas',
      options: STATE_NAMES,
      helpValue: 'STATE',
      delimiter: ',',
      multiple: true,
      helpGroup: 'FILTER',
    }),
    result: Flags.string({
      summary: 'jobs that ended like this; several with commas',
      options: RESULT_NAMES,
      helpValue: 'RESULT',
      delimiter: ',',
      multiple: true,
      helpGroup: 'FILTER',
    }),
    since: Flags.string({
      summary: 'jobs that had not ended by then: 2026-11-24, 2026-11-24T18:30, -2h, yesterday',
      helpValue: 'WHEN',
      helpGroup: 'FILTER',
    }),
    before: Flags.string({ summary: 'jobs that were submitted before then', helpValue: 'WHEN', helpGroup: 'FILTER' }),
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
    const ids = argv.length > 0 ? (argv as string[]).map(jobidArgument) : undefined
    const users = new Users()
    const now = Date.now() / 1000
    const wanted = jobFilter({
      userids: flags.user?.map((user) => users.idOf(user)),
      states: flags.state,
      results: flags.result,
      since: flags.since === undefined ? undefined : parseWhen(flags.since, 'since', now, flags.utc),
      before: flags.before === undefined ? undefined : parseWhen(flags.before, 'before', now, flags.utc),
    })
    await this.withSource(flags, async (source) => {
      const { signal } = source
      if (ids === undefined) source.readsAll()
      const onFault = (fault: Error) => this.fault(`${fault.message}; the jobs in it are lost`, kindOf(fault))
      const found = this.#wanted(jobs(await source.snapshot(), { ids, onFault, signal }), wanted)
      const nameOf = ({ userid }: Job) => (userid === undefined ? undefined : (users.nameOf(userid) ?? String(userid)))
      if (this.jsonEnabled()) {
        const texts = mapBatches(found, (job) => jobJson(job, nameOf(job)))
        await printJsonList('jobs', texts)
      } else {
        const table = new Table(columns(flags['id-format'] as JobidForm, nameOf, timeStyle(flags)))
        for await (const batch of found) await table.add(batch)
        await table.end()
      }
    })
  }

  async *#wanted(batches: AsyncIterable<Job[]>, wanted: (job: Job) => boolean): AsyncGenerator<Job[]> {
    for await (const batch of batches) {
      const found = batch.filter(wanted)
      for (const { id, problems } of found)
        for (const { record, kind, message } of problems)
          this.fault(`${formatJobid(id)}: ${message}`, `${record}: ${kind}`)
      yield found
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
