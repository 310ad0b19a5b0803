import { Flags } from '@oclif/core'
import { Output, refuseUnlessLive, SourceCommand } from '../../cli/index.ts'
import { FluxError } from '../../errors/index.ts'
import { dirrefText } from '../../kvs/index.ts'

export default class KvsGetroot extends SourceCommand {
  static override summary = 'Show the root of the KVS'

  static override description =
    'Prints the reference to the root directory, as an RFC 11 dirref object. --at of other commands takes it. If two roots are the same, nothing has changed between them.'

  static override examples = [
    {
      description: 'Show the root of the newest checkpoint, for --root',
      command: '<%= config.bin %> <%= command.id %> --blobref --store examples/statedir',
    },
    {
      description: 'Show its sequence number, which grows with every commit',
      command: '<%= config.bin %> <%= command.id %> --sequence --store examples/statedir',
    },
  ]

  static override flags = {
    owner: Flags.boolean({
      char: 'o',
      summary: 'show the user id of the owner of the namespace (only of a live instance)',
      helpGroup: 'OUTPUT',
    }),
    blobref: Flags.boolean({ char: 'b', summary: 'show only the blobref', helpGroup: 'OUTPUT' }),
    sequence: Flags.boolean({ char: 's', summary: 'show the sequence number (the version)', helpGroup: 'OUTPUT' }),
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(KvsGetroot)
    refuseUnlessLive(flags, ['owner'])
    return this.withSource(flags, async (source) => {
      const { rootref, sequence, owner } = await source.currentRoot()
      if (flags.sequence && sequence === undefined) {
        throw new FluxError('ENODATA', `${rootref}: a root that is named by its blobref has no sequence number`)
      }
      const text = flags.owner ? owner : flags.sequence ? sequence : flags.blobref ? rootref : dirrefText(rootref)
      if (!this.jsonEnabled()) await new Output().write(`${text}\n`)
      return { rootref, sequence: sequence ?? null, owner: owner ?? null }
    })
  }
}
