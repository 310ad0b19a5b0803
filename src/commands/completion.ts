import { Args } from '@oclif/core'
import {
  COMPLETION_SHELLS,
  type CompletionShell,
  completionLines,
  completionScript,
  FluxCommand,
} from '../cli/index.ts'

export default class Completion extends FluxCommand {
  static override summary = 'Print the completion script of a shell'

  static override description = [
    "Prints a script that lets the shell complete commands, flags, their fixed values, files and, after a source, keys. It is made from the commands that there are: print it again after an upgrade. The line for the shell's start-up file is",
    ...completionLines('<%= config.bin %>'),
  ].join('\n\n')

  static override examples = [
    {
      description: 'Complete in this bash',
      command: 'source <(<%= config.bin %> <%= command.id %> bash)',
    },
    {
      description: 'Let fish load it when it is needed',
      command:
        'mkdir -p ~/.config/fish/completions && <%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/<%= config.bin %>.fish',
    },
  ]

  static override args = {
    shell: Args.string({
      name: 'SHELL',
      description: 'the shell that is to complete',
      options: COMPLETION_SHELLS,
      required: true,
    }),
  }

  async run(): Promise<object> {
    const { args } = await this.parse(Completion)
    const script = completionScript(args.shell as CompletionShell, this.config)
    this.log(script.trimEnd())
    return { shell: args.shell, script }
  }
}
