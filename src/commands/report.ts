import { Args, Flags } from '@oclif/core'
import { openSink } from '../archive/index.ts'
import {
  complaintFlags,
  FluxCommand,
  interruptible,
  loadFlags,
  NamedSources,
  print,
  rootChoice,
  rootFlags,
  sourceFlags,
  UsageError,
  Users,
} from '../cli/index.ts'
import { gatherReport, type ReportData } from '../report/index.ts'

export default class Report extends FluxCommand {
  static override summary = 'Show a snapshot in one picture: its health, its jobs, its nodes, what takes the room'

  static override description = 'TODO'

  static override args = {
    source: Args.string({
      name: 'SOURCE',
      description: 'the path of a content store or of an archive, or a URI (default: what the flags name)',
    }),
    outfile: Args.string({ name: 'OUTFILE', description: 'the file to write; - is standard output' }),
  }

  static override flags = {
    ...sourceFlags,
    ...rootFlags,
    compare: Flags.string({
      summary: 'also show what has changed since this snapshot',
      helpValue: 'SOURCE',
      helpGroup: 'OUTPUT',
    }),
    text: Flags.boolean({ summary: 'print it as text', exclusive: ['json'], helpGroup: 'OUTPUT' }),
    redact: Flags.boolean({ summary: 'replace names of users, jobs and hosts by tokens', helpGroup: 'OUTPUT' }),
    ...loadFlags,
    ...complaintFlags,
  }

  async run(): Promise<ReportData | undefined> {
    const { args, flags } = await this.parse(Report)
    const { source } = this.#words(args, flags)
    return interruptible(async (signal) => {
      const users = new Users()
      const choice = { ...flags, isArchiveAnew: true, signal, onWarning: this.complain, progress: this.progress() }
      await using sources = new NamedSources(choice)
      const shown = await sources.open(source, rootChoice(flags))
      const compare = flags.compare === undefined ? undefined : await sources.open(flags.compare, {})
      const data = await gatherReport(shown, {
        ...flags,
        tool: `${this.config.pjson.name} ${this.config.version}`,
        users,
        compare,
        onWarning: this.fault,
        signal,
      })
      await sources.assertUnchanged()
      if (this.jsonEnabled()) return data
      return undefined
    })
  }

  #words(
    { source, outfile }: { source?: string | undefined; outfile?: string | undefined },
    { text }: { text: boolean },
  ): { source: string | undefined; outfile: string | undefined } {
    if (text || this.jsonEnabled()) {
      if (outfile !== undefined) throw new UsageError(`--${text ? 'text' : 'json'} does not go with OUTFILE`)
      return { source, outfile: undefined }
    }
    if (source === undefined) throw new UsageError('OUTFILE is missing', 'name a file, or give --text')
    return outfile === undefined ? { source: undefined, outfile: source } : { source, outfile }
  }
}
