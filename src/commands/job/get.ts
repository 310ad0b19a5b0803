import { Args, Flags } from '@oclif/core'
import {
  jobidArgument,
  loadFlags,
  print,
  SourceCommand,
  shownContent,
  timeStyle,
  UsageError,
  Users,
  utcFlag,
} from '../../cli/index.ts'
import { decodedRecord, recordLines, summaryLines } from '../../cli/reports/index.ts'
import { FluxError, printable } from '../../errors/index.ts'
import {
  jobRecord,
  jobRecords,
  jobSummaryJson,
  OUTPUT_RECORD,
  type OutputStream,
  readJobSummary,
  taskOutput,
} from '../../inspect/index.ts'
import { formatJobid, type Snapshot } from '../../kvs/index.ts'

export default class JobGet extends SourceCommand {
  static override summary = 'Show one job in a snapshot: why it ended as it did, and its records'

  static override description =
    `Shows a summary of a job, and then every record of it: its eventlog, jobspec and R, the log of its shell, and the output of its tasks. With --record one record is printed byte for byte as it is stored; only on a terminal, control characters are escaped. stdout and stderr are extracted from the output record.

The last line of the summary says why the job ended as it did: its exit code or signal, the exceptions, who canceled it, or what it waited for. The rank of the task is known where the task was the first one to exit, or the only one of its node: of other exits, Flux records only the highest code.

The guest records of a running job are in a separate namespace, which is not part of a snapshot. Only the link to it is shown.`

  static override examples = [
    {
      description: 'Show all records of a job',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux f2CCFUrT',
    },
    {
      description: 'Print the output of its tasks',
      command: '<%= config.bin %> <%= command.id %> --archive kvs.tgz --record stdout f2CCFUrT',
    },
    {
      description: 'Print what its tasks wrote to stderr, each line with the rank of its task',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux --record stderr --label f2CCFUrT',
    },
    {
      description: 'Print the duration that it asked for',
      command: `<%= config.bin %> <%= command.id %> --store /var/lib/flux --record jobspec 45415923712 | jq .attributes.system.duration`,
    },
  ]

  static override args = {
    jobid: Args.string({
      name: 'JOBID',
      description: 'id of the job, in any form',
      required: true,
    }),
  }

  static override flags = {
    record: Flags.string({
      char: 'r',
      summary: 'print only this record: eventlog, jobspec, R, J, guest.exec.eventlog, ...; or stdout, stderr',
      helpValue: 'NAME',
      helpGroup: 'OUTPUT',
    }),
    label: Flags.boolean({
      char: 'l',
      summary: 'put the rank of the task in front of what it wrote, as flux job attach -l does',
      helpGroup: 'OUTPUT',
    }),
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<object | undefined> {
    const { args, flags } = await this.parse(JobGet)
    const id = jobidArgument(args.jobid)
    const { label } = flags
    if (label && flags.record !== undefined && !isStream(flags.record)) {
      throw new UsageError(`--label does not go with --record ${flags.record}`, 'only stdout and stderr have ranks')
    }
    return this.withSource(flags, async (source) => {
      const snapshot = await source.snapshot()
      const { signal } = source
      if (flags.record !== undefined && !this.jsonEnabled()) {
        await this.#printOne(snapshot, id, flags.record, { label, signal })
        return undefined
      }
      const all = await jobRecords(snapshot, id, { onFault: this.onFault, signal })
      const records = flags.record === undefined ? all : all.filter(({ name }) => name === flags.record)
      if (flags.record !== undefined && records.length === 0)
        throw new FluxError('ENOENT', `${formatJobid(id)}: no such record: ${flags.record}`)
      const users = new Users()
      const nameOf = (userid: number) => users.nameOf(userid)
      const summary =
        flags.record === undefined ? await readJobSummary(snapshot, id, all, { nameOf, signal }) : undefined
      if (this.jsonEnabled()) {
        const decoded = records.map((record) => [record.name, decodedRecord(record)])
        return {
          jobid: formatJobid(id),
          ...(summary ? { summary: jobSummaryJson(summary, nameOf) } : {}),
          records: Object.fromEntries(decoded),
        }
      }
      const style = timeStyle(flags)
      const sections = summary ? [[...summaryLines(summary, style, nameOf), ''].join('\n')] : []
      for (const record of records) {
        sections.push([`== ${printable(record.name)}`, ...(await recordLines(record, style, label)), ''].join('\n'))
      }
      await print(sections.join('\n'))
      return undefined
    })
  }

  async #printOne(
    snapshot: Snapshot,
    id: bigint,
    name: string,
    { label, signal }: { label: boolean; signal: AbortSignal },
  ) {
    const content = shownContent()
    if (isStream(name)) {
      const record = await jobRecord(snapshot, id, OUTPUT_RECORD, signal)
      const onElsewhere = (path: string) => this.complain(`${name} of the tasks went to ${path}`, 'redirected')
      for await (const piece of taskOutput(record, name, { label, onElsewhere })) await print(content(piece))
    } else {
      for await (const parts of await jobRecord(snapshot, id, name, signal)) await print(content(Buffer.concat(parts)))
    }
  }
}

function isStream(name: string): name is OutputStream {
  return name === 'stdout' || name === 'stderr'
}
