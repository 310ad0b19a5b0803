import { Flags } from '@oclif/core'
import { complaintFlags, FluxCommand, interruptible, Output, openSource, sourceFlags } from '../../../cli/index.ts'
import { encodeCheckpoint } from '../../../content/index.ts'
import { checkpointList } from '../../../inspect/index.ts'

export default class ContentCheckpointList extends FluxCommand {
  static override hiddenAliases = ['flux:content:checkpoint:list']

  static override summary = 'List the checkpoints of a backing store'

  static override description =
    'The newest comes first: index 0 is what the KVS starts from the next time, and what --checkpoint means. Times are UTC. A terminal of less than 88 columns shows rootrefs cut short. An archive has one, which is what a restore would make.'

  static override examples = [
    {
      description: 'The checkpoints of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'Their roots alone',
      command: "<%= config.bin %> <%= command.id %> --no-header --store examples/statedir | awk '{print $4}'",
    },
  ]

  // `--json` is that of flux content: an object a line.
  static override enableJsonFlag = false

  static override flags = {
    ...sourceFlags,
    ...complaintFlags,
    'no-header': Flags.boolean({ char: 'n', summary: 'do not print column headers', helpGroup: 'OUTPUT' }),
    json: Flags.boolean({
      char: 'j',
      summary: 'print each as a JSON object, on a line of its own',
      helpGroup: 'OUTPUT',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ContentCheckpointList)
    await interruptible(async (signal) => {
      await using store = await openSource({ ...flags, signal, onWarning: this.complain })
      const output = new Output()
      const write = (lines: readonly string[]) => output.write(lines.map((line) => `${line}\n`).join(''))
      const width = process.stdout.isTTY ? process.stdout.columns : undefined
      const header = !flags['no-header'] && !flags.json
      // As flux content does, even if there is nothing to list. A terminal's titles are as wide as what is below them.
      if (header && width === undefined) await write(checkpointList([], { header }))
      const checkpoints = await store.checkpoints()
      if (flags.json) await write(checkpoints.map((checkpoint) => encodeCheckpoint(checkpoint)))
      else await write(checkpointList(checkpoints, { header: header && width !== undefined, width }))
    })
  }
}
