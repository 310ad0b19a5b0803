import { Args, Flags } from '@oclif/core'
import { completionLines, FluxCommand } from '../cli/index.ts'

/**
 * `completion` under the name that other oclif tools use. It has no second name below `flux`, so it never clashes with
 * a host's own command.
 */
export default class Autocomplete extends FluxCommand {
  static override hidden = true

  static override summary = "Show how to turn completion on: see 'completion'"

  static override description =
    'Other oclif tools have a command of this name. This one prints, for each shell, the line for its start-up file that turns completion on, and changes nothing.'

  static override examples = [
    { description: 'Show how to turn completion on', command: '<%= config.bin %> <%= command.id %>' },
  ]

  /** The argument and the flag of oclif's own command are accepted and ignored. */
  static override args = { shell: Args.string({ description: 'ignored', hidden: true }) }
  static override flags = { 'refresh-cache': Flags.boolean({ char: 'r', summary: 'ignored', hidden: true }) }

  async run(): Promise<object> {
    await this.parse(Autocomplete)
    const lines = completionLines(this.config.bin)
    this.log(["Put one of these lines into your shell's start-up file:", ...lines].join('\n'))
    return { lines }
  }
}
