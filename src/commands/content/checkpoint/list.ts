import { Flags } from '@oclif/core'
import { complaintFlags, Output, StoreCommand, sourceFlags } from '../../../cli/index.ts'
import { olderCheckpoints } from '../../../cli/reports/index.ts'
import { encodeCheckpoint } from '../../../content/index.ts'
import { checkpointJson, checkpointList } from '../../../inspect/index.ts'

export default class ContentCheckpointList extends StoreCommand {
  static override summary = 'List the checkpoints of a backing store'

  static override description =
    'Lists the newest checkpoint first. Index 0 is the one that the KVS starts from next time, and the one that --checkpoint means. Times are UTC. On a terminal with less than 88 columns, rootrefs may be cut short. An archive has one checkpoint: the one that a restore would make.'

  static override examples = [
    {
      description: 'List the checkpoints of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'List only their roots',
      command: "<%= config.bin %> <%= command.id %> --no-header --store examples/statedir | awk '{print $4}'",
    },
  ]

  static override flags = {
    ...sourceFlags,
    ...complaintFlags,
    'no-header': Flags.boolean({ char: 'n', summary: 'do not print column headers', helpGroup: 'OUTPUT' }),
    'json-lines': Flags.boolean({
      char: 'j',
      summary: 'print one JSON object on each line, as flux content does with -j',
      helpGroup: 'OUTPUT',
    }),
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(ContentCheckpointList)
    return this.withStore(flags, async (store) => {
      const output = new Output()
      const write = (lines: readonly string[]) => output.write(lines.map((line) => `${line}\n`).join(''))
      const width = process.stdout.isTTY ? process.stdout.columns : undefined
      const asLines = flags['json-lines']
      const asTable = !asLines && !this.jsonEnabled()
      const header = asTable && !flags['no-header']
      // flux content prints the titles even if there is nothing to list. On a terminal their widths depend on the rows.
      if (header && width === undefined) await write(checkpointList([], { header }))
      const checkpoints = await store.checkpoints()
      if (asTable) await write(checkpointList(checkpoints, { header: header && width !== undefined, width }))
      else if (asLines) await write(checkpoints.map((checkpoint) => encodeCheckpoint(checkpoint)))
      const older = olderCheckpoints(store)
      if (older !== undefined) this.notice(older)
      return { checkpoints: checkpoints.map(checkpointJson) }
    })
  }
}
