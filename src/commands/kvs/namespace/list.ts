import { Output, refuseUnlessLive, SourceCommand, shown } from '../../../cli/index.ts'

export default class KvsNamespaceList extends SourceCommand {
  static override summary = 'List the namespaces of an instance'

  static override description =
    'Prints all namespaces of a live instance with their owner and flags. Only the owner of the instance may do this. A checkpoint, and therefore a store or an archive, has only the primary namespace.'

  static override examples = [
    {
      description: 'List the primary namespace and those of running jobs',
      command: '<%= config.bin %> <%= command.id %>',
    },
  ]

  async run(): Promise<object> {
    const { flags } = await this.parse(KvsNamespaceList)
    refuseUnlessLive(flags, this.called)
    return this.withSource(flags, async (source) => {
      const namespaces = await (await source.service()).namespaces()
      const lines = namespaces.map(
        ({ namespace, owner, flags }) =>
          `${shown(namespace).padEnd(36)} ${String(owner).padStart(10)} 0x${flags.toString(16).toUpperCase().padStart(8, '0')}\n`,
      )
      const header = 'NAMESPACE                                 OWNER      FLAGS\n'
      if (!this.jsonEnabled()) await new Output().write(header + lines.join(''))
      return { namespaces }
    })
  }
}
