import { Args, Flags } from '@oclif/core'
import { jobidArgument, loadFlags, print, SourceCommand, timeStyle, utcFlag } from '../../cli/index.ts'
import { decodedRecord, recordLines } from '../../cli/reports/index.ts'
import { FluxError } from '../../errors/index.ts'
import { jobRecord, jobRecords, OUTPUT_RECORD, taskOutput } from '../../inspect/index.ts'
import { formatJobid, type Snapshot } from '../../kvs/index.ts'

export default class JobGet extends SourceCommand {
  static override summary = 'Show what a snapshot holds of one job'

  static override description =
    `Shows every record of a job: its eventlog, jobspec and R, what its shell logged, and what its tasks wrote. With --record one of them is printed as it is stored, byte for byte; stdout and stderr are taken out of the output record.

A job that was running has its guest records in a namespace of its own, which is not in a snapshot: they are shown as the link they are.`

  static override examples = [
    {
      description: 'Everything there is',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux f2CCFUrT',
    },
    {
      description: 'What its tasks wrote',
      command: '<%= config.bin %> <%= command.id %> --archive kvs.tgz --record stdout f2CCFUrT',
    },
    {
      description: 'How much time it had asked for',
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
      summary: 'print this one alone: eventlog, jobspec, R, J, guest.exec.eventlog, ...; or stdout, stderr',
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
