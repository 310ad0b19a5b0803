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
    "Prints a script that lets the shell complete commands, flags, values of flags, files, and, after a source, keys and job ids. Print it again after an upgrade, because new commands are not in the old script. Put this line into the shell's start-up file:",
    ...completionLines('<%= config.bin %>'),
  ].join('\n\n')

  static override examples = [
    {
      description: 'Turn completion on in this bash',
      command: 'source <(<%= config.bin %> <%= command.id %> bash)',
    },
    {
      description: 'Let fish load the script when it is needed',
      command:
        'mkdir -p ~/.config/fish/completions && <%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/<%= config.bin %>.fish',
    },
  ]

  static override args = {
    shell: Args.string({
      name: 'SHELL',
      description: 'the shell to print the script for',
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
