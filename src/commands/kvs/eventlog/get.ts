import { Args, Flags } from '@oclif/core'
import {
  eventlogFlags,
  eventlogFormat,
  Output,
  refuseUnlessLive,
  SourceCommand,
  UsageError,
  withColorAlone,
} from '../../../cli/index.ts'
import { EventlogFormatter, eventJson, readEventlog, watchEventlog } from '../../../inspect/index.ts'

export default class KvsEventlogGet extends SourceCommand {
  static override summary = 'Print an eventlog'

  static override description =
    'Prints the events of an RFC 18 eventlog, one on each line: time, name and context. If the last line is incomplete, it is left out, with a warning.'

  static override examples = [
    {
      description: 'Show the events of the resources',
      command: '<%= config.bin %> <%= command.id %> --human resource.eventlog --store examples/statedir',
    },
    {
      description: 'Process events with jq',
      command: '<%= config.bin %> <%= command.id %> -u resource.eventlog --store examples/statedir | jq .name',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key of an eventlog', required: true }),
  }

  static override flags = {
    ...eventlogFlags,
    waitcreate: Flags.boolean({
      char: 'W',
      summary: 'if the key does not exist, wait until it does',
      helpGroup: 'LIVE',
    }),
    watch: Flags.boolean({ char: 'w', summary: 'go on, and print events as they are appended', helpGroup: 'LIVE' }),
    count: Flags.integer({
      char: 'c',
      summary: 'with --watch, end after COUNT events',
      helpValue: 'COUNT',
      helpGroup: 'LIVE',
    }),
    stream: Flags.boolean({
      char: 'S',
      summary: 'request a large eventlog in parts (this is the default where it is possible)',
      exclusive: ['watch'],
      helpGroup: 'LIVE',
    }),
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KvsEventlogGet, withColorAlone(this.argv))
    const { key } = args
    const { watch, waitcreate, count = 0 } = flags
    refuseUnlessLive(flags, ['waitcreate', 'watch', 'count', 'stream'])
    if (this.jsonEnabled() && watch && count <= 0) {
      throw new UsageError('--json does not go with --watch', 'unless --count says when to end')
    }
    const formatter = new EventlogFormatter(eventlogFormat(flags))
    return this.withSource(flags, async (source) => {
      const events: object[] = []
      const output = new Output()
      const print = async (entries: Parameters<typeof formatter.line>[0][]) => {
        for (const entry of entries) {
          if (this.jsonEnabled()) events.push(eventJson(entry))
          else if (output.append(formatter.line(entry))) await output.flush()
        }
        await output.flush()
      }
      if (watch) {
        let left = count > 0 ? count : Number.POSITIVE_INFINITY
        const options = { waitCreate: waitcreate, signal: source.signal }
        for await (const entries of watchEventlog(await source.serviceReader(), key, options)) {
          await print(entries.slice(0, left))
          left -= entries.length
          if (left <= 0) break
        }
        return { key, events }
      }
      if (waitcreate) await (await source.serviceReader()).awaited(key)
      const { entries, rest } = await readEventlog(await source.reader(), key)
      await print([...entries])
      if (rest !== undefined) this.notice(`${key}: the last line is cut off after ${rest.length} characters; left out`)
      return { key, events }
    })
  }
}
