import { Args, Flags } from '@oclif/core'
import { atFlag, Output, SourceCommand, shown } from '../../cli/index.ts'
import { linkText } from '../../kvs/index.ts'

export default class KvsReadlink extends SourceCommand {
  static override summary = 'Show the targets of symbolic links'

  static override description =
    'Prints the target of each link: a key, or NAMESPACE::KEY when the link names a namespace.'

  static override examples = [
    {
      description: 'Show a link in an unpacked dump, or in any directory',
      command:
        'mkdir -p unpacked && ln -sf resource/R unpacked/link && <%= config.bin %> <%= command.id %> link --archive unpacked',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key of a symbolic link', required: true, multiple: true }),
  }

  static override flags = {
    'namespace-only': Flags.boolean({
      char: 'o',
      summary: 'for links that name a namespace, show only the namespace',
      helpGroup: 'OUTPUT',
    }),
    'key-only': Flags.boolean({ char: 'k', summary: 'show only the key', helpGroup: 'OUTPUT' }),
    ...atFlag,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KvsReadlink)
    return this.withSource(flags, async (source) => {
      const reader = await source.reader(flags.at)
      const output = new Output()
      const links = []
      for (const key of args.key) {
        const link = await reader.lookup(key, 'link')
        const { target, namespace } = link.data
        links.push({ key, target, namespace: namespace ?? null })
        if (this.jsonEnabled()) continue
        const isNamespace = flags['namespace-only'] && namespace !== undefined
        const text = isNamespace ? namespace : flags['key-only'] ? target : linkText(link.data)
        await output.write(`${shown(text)}\n`)
      }
      return { links }
    })
  }
}
