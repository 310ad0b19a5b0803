import { Args, Flags } from '@oclif/core'
import { jobidArgument, loadFlags, print, SourceCommand, timeStyle, utcFlag } from '../../cli/index.ts'
import { decodedRecord, recordLines } from '../../cli/reports/index.ts'
import { FluxError } from '../../errors/index.ts'
import { jobRecord, jobRecords, OUTPUT_RECORD, taskOutput } from '../../inspect/index.ts'
import { formatJobid, type Snapshot } from '../../kvs/index.ts'

export default class JobGet extends SourceCommand {
  static override summary = 'Show the records of one job in a snapshot'

  static override description =
    `Shows every record of a job: its eventlog, jobspec and R, the log of its shell, and the output of its tasks. With --record one record is printed byte for byte as it is stored. stdout and stderr are extracted from the output record.

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
    ...utcFlag,
    ...loadFlags,
  }

  async run(): Promise<object | undefined> {
    const { args, flags } = await this.parse(JobGet)
    const id = jobidArgument(args.jobid)
    return this.withSource(flags, async (source) => {
      const snapshot = await source.snapshot()
      const { signal } = source
      if (flags.record !== undefined && !this.jsonEnabled()) {
        await this.#printOne(snapshot, id, flags.record, signal)
        return undefined
      }
      const all = await jobRecords(snapshot, id, { onFault: this.onFault, signal })
      const records = flags.record === undefined ? all : all.filter(({ name }) => name === flags.record)
      if (flags.record !== undefined && records.length === 0)
        throw new FluxError('ENOENT', `${formatJobid(id)}: no such record: ${flags.record}`)
      if (this.jsonEnabled()) {
        const decoded = records.map((record) => [record.name, decodedRecord(record)])
        return { jobid: formatJobid(id), records: Object.fromEntries(decoded) }
      }
      const sections = []
      const style = timeStyle(flags)
      for (const record of records) {
        sections.push([`== ${record.name}`, ...(await recordLines(record, style)), ''].join('\n'))
      }
      await print(sections.join('\n'))
      return undefined
    })
  }

  async #printOne(snapshot: Snapshot, id: bigint, name: string, signal: AbortSignal) {
    if (name === 'stdout' || name === 'stderr') {
      const record = await jobRecord(snapshot, id, OUTPUT_RECORD, signal)
      const onElsewhere = (path: string) => this.notice(`${name} of the tasks went to ${path}`)
      for await (const piece of taskOutput(record, name, onElsewhere)) await print(piece)
    } else {
      for await (const parts of await jobRecord(snapshot, id, name, signal)) await print(Buffer.concat(parts))
    }
  }
}
