import { Args } from '@oclif/core'
import { refuseUnlessLive, SourceCommand } from '../../cli/index.ts'
import { FluxError } from '../../errors/index.ts'

export default class KvsWait extends SourceCommand {
  static override summary = 'Wait until the KVS reaches a version'

  static override description =
    'Waits until the root of a live instance has the given sequence number, or a higher one. A program that has committed keys can pass the version on to another program, which waits for it and then finds these keys.'

  static override examples = [
    {
      description: 'Wait until a commit from another node has arrived here',
      command: '<%= config.bin %> <%= command.id %> 1',
    },
  ]

  static override args = {
    version: Args.integer({
      name: 'VERSION',
      description: 'sequence number',
      required: true,
      min: 0,
    }),
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KvsWait)
    refuseUnlessLive(flags, this.called)
    return this.withSource(flags, async (source) => {
      const service = await source.service()
      const reached = service.waitVersion(source.namespace, args.version, source.signal)
      const { rootref, sequence } = await reached.catch((error) => {
        // The text of the C tool, because scripts look for it.
        if (!(error instanceof FluxError)) throw error
        const { code, message, hint } = error
        const why = message.replace(/^kvs\.wait-version: /, '')
        throw new FluxError(code, `flux_kvs_wait_version: ${why}`, { cause: error, hint })
      })
      return { sequence, rootref }
    })
  }
}
