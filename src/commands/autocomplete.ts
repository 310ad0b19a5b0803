import { Args, Flags } from '@oclif/core'
import { completionLines, FluxCommand } from '../cli/index.ts'

/** The name that other oclif tools have for `completion`. It has no second name below `flux`, so a host's own never clashes. */
export default class Autocomplete extends FluxCommand {
  static override hidden = true

  static override summary = "Say how to turn completion on: see 'completion'"

  static override description =
    'Other oclif tools have a command of this name. This one prints, for each shell, the line for its start-up file that turns completion on, and changes nothing.'

  static override examples = [
    { description: 'How to turn completion on', command: '<%= config.bin %> <%= command.id %>' },
  ]

  /** What oclif's command takes is accepted, and changes nothing. */
  static override args = { shell: Args.string({ description: 'ignored', hidden: true }) }
  static override flags = { 'refresh-cache': Flags.boolean({ char: 'r', summary: 'ignored', hidden: true }) }

  async run(): Promise<object> {
    await this.parse(Autocomplete)
    const lines = completionLines(this.config.bin)
    this.log(["Put one of these lines into your shell's start-up file:", ...lines].join('\n'))
    return { lines }
  }
}
