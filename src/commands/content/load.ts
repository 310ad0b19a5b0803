import { Args, Flags } from '@oclif/core'
import { FluxCommand, interruptible, Output, openSource, paceFlags, sourceFlags, stdinLines } from '../../cli/index.ts'
import { FluxError } from '../../errors/index.ts'
import { loadBlobs } from '../../inspect/index.ts'

export default class ContentLoad extends FluxCommand {
  static override hiddenAliases = ['flux:content:load']

  static override summary = 'Print blobs'

  static override description =
    'Writes the bytes of blobs to standard output, one after another, with nothing added. Without BLOBREFs they are read from standard input, one a line.'

  static override examples = [
    {
      description: 'A directory, as it is stored',
      command:
        '<%= config.bin %> <%= command.id %> --store examples/statedir sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91',
    },
  ]

  // Standard output is for the bytes.
  static override enableJsonFlag = false
  static override args = {
    blobref: Args.string({ name: 'BLOBREF', description: 'a blob, by its digest', ignoreStdin: true, multiple: true }),
  }

  static override flags = {
    ...sourceFlags,
    'no-cache': Flags.boolean({ ...paceFlags['no-cache'], char: 'b', aliases: ['bypass-cache'] }),
    maxreqs: paceFlags.maxreqs,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ContentLoad)
    const blobrefs = args.blobref ?? []
    await interruptible(async (signal) => {
      await using store = await openSource({ ...flags, signal, onWarning: (message) => this.notice(message) })
      const output = new Output()
      for await (const blob of loadBlobs(store, blobrefs.length > 0 ? blobrefs : namedOnStdin())) {
        signal.throwIfAborted()
        await output.writeBytes(blob)
      }
    })
  }
}

async function* namedOnStdin(): AsyncGenerator<string, void, void> {
  let any = false
  for await (const line of stdinLines()) {
    any = true
    yield line
  }
  if (!any) throw new FluxError('EINVAL', 'no blobrefs were specified')
}
