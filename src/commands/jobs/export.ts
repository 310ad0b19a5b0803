import { Args, Flags } from '@oclif/core'
import {
  errorLine,
  jobFlags,
  jobidArgs,
  jobSelection,
  kindOf,
  loadFlags,
  Output,
  SourceCommand,
  shownLines,
  UsageError,
  Users,
  utcFlag,
} from '../../cli/index.ts'
import { countText, grouped } from '../../errors/index.ts'
import {
  checkedFormat,
  EXPORT_FORMAT_NAMES,
  Export,
  type ExportCounts,
  type ExportOptions,
} from '../../export/index.ts'
import { jobs } from '../../inspect/index.ts'
import { formatJobid } from '../../kvs/index.ts'

const RECORDS = ['jobspec', 'R', 'eventlog'] as const

export default class JobsExport extends SourceCommand {
  static override summary = 'Write the jobs in a snapshot to a file for other programs'

  static override description =
    `Writes the jobs to an SQLite database, a CSV file, JSON lines or a Parquet file. The extension of FILE selects the format: .sqlite or .db, .csv, .ndjson or .jsonl, .parquet. docs/export.md describes the tables and columns.

With --append an SQLite database keeps the jobs that it has, also those that the instance has purged since. New jobs are added, and jobs that had not ended are completed; no job is there twice. If FILE does not exist, it is made. Parquet can be appended to as well: FILE is then a directory with one file for each day. Run it every night, more often than jobs are purged, and nothing is forgotten.

A new file gets its name when it is complete, and only its owner may read it. An old database is changed in one transaction: if the command is killed, the database is as it was before.

A job with damaged records is exported with the facts that are left, and there is a warning on stderr; the exit status is then 1.`

  static override examples = [
    {
      description: 'Add the jobs of an instance that is down to a database',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir --append history.sqlite',
    },
    {
      description: 'Write the jobs in a dump to a CSV file',
      command: '<%= config.bin %> <%= command.id %> --archive kvs.tgz jobs.csv',
    },
    {
      description: 'Print each job with its resource set as a line of JSON',
      command: `<%= config.bin %> <%= command.id %> --archive kvs.tgz --format ndjson --with R - | jq -c '[.jobid, .R.execution.nodelist]'`,
    },
  ]

  static override strict = false

  static override args = {
    file: Args.string({
      name: 'FILE',
      description: 'the file to write; - is standard output, with --format csv or ndjson',
      required: true,
    }),
    ...jobidArgs,
  }

  static override flags = {
    append: Flags.boolean({
      summary: 'add to the jobs that FILE has, and complete those that had not ended',
      helpGroup: 'OUTPUT',
    }),
    format: Flags.string({
      summary: 'the format, instead of that of the extension',
      options: EXPORT_FORMAT_NAMES,
      helpGroup: 'OUTPUT',
    }),
    with: Flags.string({
      summary: 'also export these records whole; separate several with commas',
      description:
        'environment: also leave the environment variables in the jobspec. They often hold secrets, so they are left out otherwise.',
      options: [...RECORDS, 'environment'],
      delimiter: ',',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'OUTPUT',
    }),
    cluster: Flags.string({
      summary: 'a name for the instance, to keep the jobs of several in one place',
      helpValue: 'NAME',
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({ summary: 'do not print a summary', helpGroup: 'OUTPUT' }),
    ...jobFlags,
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<object | undefined> {
    const { args, argv, flags } = await this.parse(JobsExport)
    const users = new Users()
    const { ids, filter, count, ignored } = jobSelection(flags, argv.slice(1), { users, utc: flags.utc })
    if (ignored) this.notice(ignored)
    const output = new Output()
    const options: ExportOptions = {
      path: args.file,
      format: flags.format,
      append: flags.append,
      cluster: flags.cluster,
      whole: RECORDS.filter((name) => flags.with?.includes(name)),
      withEnvironment: flags.with?.includes('environment'),
      usernameOf: (userid) => users.nameOf(userid) ?? String(userid),
      print: (text) => output.write(process.stdout.isTTY ? shownLines(text.replaceAll('\r\n', '\n')) : text),
    }
    assertUsable(options)
    if (args.file === '-' && this.jsonEnabled()) {
      throw new UsageError('--json and - both want standard output', 'name a file')
    }
    return this.withSource(flags, async (source) => {
      const { signal } = source
      if (ids === undefined) source.readsAll()
      const onFault = (fault: Error) => this.fault(`${fault.message}; the jobs in it are lost`, kindOf(fault))
      const snapshot = await source.snapshot()
      await using exporting = await Export.open(options)
      let readCount = 0
      const onRead = (jobCount: number) => {
        readCount = jobCount
      }
      for await (const batch of jobs(snapshot, { ids, filter, count, keepRecords: true, onRead, onFault, signal })) {
        for (const { id, problems } of batch)
          for (const { record, kind, message } of problems)
            this.fault(`${formatJobid(id)}: ${message}`, `${record}: ${kind}`)
        await exporting.add(batch)
      }
      // What was read from a store that has changed meanwhile is not exported.
      await source.assertUnchanged()
      const counts = await exporting.commit(signal)
      if (!flags.quiet && !this.jsonEnabled()) this.notice(outcome(args.file, flags.append, counts))
      if (readCount === 0 && ids === undefined && flags.store !== undefined) {
        // A broker that was killed may have left the jobs in a root that no checkpoint names.
        const { rootsHint } = await import('../../cli/reports/index.ts')
        const hint = await rootsHint(snapshot.store, flags.store, { isEmpty: true })
        if (hint !== undefined) this.notice(hint)
      }
      return this.jsonEnabled() ? summary(args.file, counts) : undefined
    })
  }
}

/** @throws {UsageError} the options do not fit together */
function assertUsable(options: ExportOptions): void {
  try {
    checkedFormat(options)
  } catch (error) {
    throw new UsageError(errorLine(error))
  }
}

function outcome(file: string, append: boolean, { added, completed, unchanged }: ExportCounts): string {
  if (!append) return `wrote ${countText(added, 'job')} to ${file === '-' ? 'standard output' : file}`
  return `${file}: ${countText(added, 'job')} added, ${grouped(completed)} completed, ${grouped(unchanged)} unchanged`
}

function summary(file: string, { added, completed, unchanged }: ExportCounts): object {
  return { file, addedCount: added, completedCount: completed, unchangedCount: unchanged }
}
