import { Args, Flags } from '@oclif/core'
import {
  complaintFlags,
  Output,
  paceFlags,
  StoreCommand,
  shownContent,
  sourceFlags,
  stdinLines,
  UsageError,
} from '../../cli/index.ts'
import type { ContentStore } from '../../content/index.ts'
import { throwIfAborted } from '../../errors/index.ts'
import { loadBlobs } from '../../inspect/index.ts'

export default class ContentLoad extends StoreCommand {
  static override summary = 'Print blobs'

  static override description =
    'Writes the bytes of blobs to standard output, one blob after another, with nothing in between. On a terminal, control characters are escaped. With --json the bytes are in base64. Without BLOBREF, blobrefs are read from standard input, one on each line.'

  static override examples = [
    {
      description: 'Print a directory as it is stored',
      command:
        '<%= config.bin %> <%= command.id %> --store examples/statedir sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91',
    },
  ]

  static override args = {
    blobref: Args.string({ name: 'BLOBREF', description: 'the blobref of a blob', multiple: true }),
  }

  static override flags = {
    ...sourceFlags,
    'no-cache': Flags.boolean({ ...paceFlags['no-cache'], char: 'b', aliases: ['bypass-cache'] }),
    maxreqs: paceFlags.maxreqs,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ContentLoad)
    const named = args.blobref ?? []
    const work = async (store: ContentStore, signal: AbortSignal) => {
      const asked: string[] = []
      const blobs: object[] = []
      const output = new Output()
      const content = shownContent()
      for await (const blob of loadBlobs(store, recordingNames(named.length > 0 ? named : namedOnStdin(), asked))) {
        throwIfAborted(signal)
        if (!this.jsonEnabled()) await output.writeContent(content(blob))
        else
          blobs.push({ blobref: asked[blobs.length], size: blob.length, base64: Buffer.from(blob).toString('base64') })
      }
      return { blobs }
    }
    // The progress line would disturb a user who types blobrefs.
    return this.withStore(flags, work, { quiet: named.length === 0 && process.stdin.isTTY === true })
  }
}

/** Pass names on, and record them in `asked`. Their blobs come later, in the same order. */
async function* recordingNames(names: Iterable<string> | AsyncIterable<string>, asked: string[]) {
  for await (const name of names) {
    asked.push(name)
    yield name
  }
}

async function* namedOnStdin(): AsyncGenerator<string, void, void> {
  let any = false
  for await (const line of stdinLines()) {
    any = true
    yield line
  }
  if (!any)
    throw new UsageError('no blobrefs were specified', 'name them, or give them on standard input, one on each line')
}
