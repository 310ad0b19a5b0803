import { Args, Flags } from '@oclif/core'
import {
  eventlogFlags,
  eventlogFormat,
  Output,
  parseDuration,
  refuseUnlessLive,
  SourceCommand,
  withColorAlone,
} from '../../../cli/index.ts'
import { EventlogFormatter, eventJson, eventsUntil } from '../../../inspect/index.ts'

export default class KvsEventlogWaitEvent extends SourceCommand {
  static override summary = 'Wait for an event in an eventlog'

  static override description =
    'Prints the first event with the given name. In a live instance it waits for the event. In a snapshot it fails if there is no such event.'

  static override examples = [
    {
      description: 'Show when the resources of an instance were defined',
      command: '<%= config.bin %> <%= command.id %> resource.eventlog resource-define --store examples/statedir',
    },
    {
      description: 'Wait at most a minute until a job starts, given the directory of the job',
      command: '<%= config.bin %> <%= command.id %> --timeout 1m job.0000.0002.3d00.0000.eventlog start',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key of an eventlog', required: true }),
    event: Args.string({ name: 'EVENT', description: 'name of the event', required: true }),
  }

  static override flags = {
    ...eventlogFlags,
    quiet: Flags.boolean({ char: 'q', summary: 'do not print the event', helpGroup: 'OUTPUT' }),
    verbose: Flags.boolean({ char: 'v', summary: 'print also all events before it', helpGroup: 'OUTPUT' }),
    waitcreate: Flags.boolean({
      char: 'W',
      summary: 'if the key does not exist, wait until it does',
      helpGroup: 'LIVE',
    }),
    timeout: Flags.string({
      char: 't',
      summary: 'give up after DURATION: seconds, or a number with ms, s, m, h or d',
      helpValue: 'DURATION',
      helpGroup: 'LIVE',
    }),
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KvsEventlogWaitEvent, withColorAlone(this.argv))
    const { key, event: name } = args
    refuseUnlessLive(flags, ['waitcreate', 'timeout'])
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, 'timeout')
    const formatter = new EventlogFormatter(eventlogFormat(flags))
    // Here --timeout is for the event, not for a silent instance.
    return this.withSource({ ...flags, timeout: undefined }, async (source) => {
      const options = { waitCreate: flags.waitcreate, timeoutMs, signal: source.signal }
      const output = new Output()
      let event: object | undefined
      for await (const entry of eventsUntil(await source.reader(), key, name, options)) {
        const isIt = entry.name === name
        if (isIt) event = eventJson(entry)
        if (!this.jsonEnabled() && (isIt ? !flags.quiet : flags.verbose)) await output.write(formatter.line(entry))
      }
      return { key, event }
    })
  }
}
