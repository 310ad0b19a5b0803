import { Output, SourceCommand } from '../../cli/index.ts'
import { FluxError } from '../../errors/index.ts'

export default class KvsVersion extends SourceCommand {
  static override summary = 'Show the version of the KVS'

  static override description =
    'Prints the sequence number of the root. It starts at zero and grows by one with each new root. Commits may be merged, so it is not the number of commits.'

  static override examples = [
    {
      description: 'Show the version of the newest checkpoint',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
  ]

  async run(): Promise<object> {
    const { flags } = await this.parse(KvsVersion)
    return this.withSource(flags, async (source) => {
      const { rootref, sequence } = await source.currentRoot()
      if (sequence === undefined) {
        throw new FluxError('ENODATA', `${rootref}: a root that is named by its blobref has no sequence number`)
      }
      if (!this.jsonEnabled()) await new Output().write(`${sequence}\n`)
      return { sequence }
    })
  }
}
