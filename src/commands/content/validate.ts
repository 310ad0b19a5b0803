import { Args, Flags } from '@oclif/core'
import { EXIT, Output, paceFlags, StoreCommand, sourceFlags, stdinLines } from '../../cli/index.ts'
import { type ContentError, type ContentStore, parseBlobref } from '../../content/index.ts'
import { blobState, validate } from '../../inspect/index.ts'

export default class ContentValidate extends StoreCommand {
  static override summary = 'Compare blobs with their blobrefs'

  static override description =
    `Compares the bytes of every blob in a store with the digest it is stored under, whether anything refers to it or not. Damaged ones are listed on standard output, one a line, with what is wrong: missing, altered or unreadable. Then the exit status is 1.

With BLOBREFs only these are looked at; - reads them from standard input, one a line. A live instance does not list its blobs, so there they must be named.`

  static override examples = [
    {
      description: 'Every blob of a store',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'One',
      command:
        '<%= config.bin %> <%= command.id %> --store examples/statedir sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91',
    },
  ]

  static override args = {
    blobref: Args.string({ name: 'BLOBREF', description: 'a blob, by its digest', multiple: true }),
  }

  static override flags = {
    uri: sourceFlags.uri,
    timeout: sourceFlags.timeout,
    store: sourceFlags.store,
    'no-cache': Flags.boolean({ ...paceFlags['no-cache'], char: 'b', aliases: ['bypass-cache'] }),
    maxreqs: paceFlags.maxreqs,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ContentValidate)
    const named = args.blobref ?? []
    if (named[0] !== '-') for (const blobref of named) parseBlobref(blobref)
    const blobrefs = named.length === 0 ? undefined : named[0] === '-' ? blobrefsOnStdin() : named
    const work = async (store: ContentStore, signal: AbortSignal) => {
      const output = new Output()
      const damaged: ContentError[] = []
      const onFault = (error: ContentError) => {
        damaged.push(error)
        if (!this.jsonEnabled()) output.append(`${error.blobref} ${blobState(error)}\n`)
      }
      const checked = await validate(store, { blobrefs, onFault, signal }).finally(() => output.flush())
      if (damaged.length > 0) process.exitCode = EXIT.FAILED
      if (!this.jsonEnabled()) this.notice(`${checked} blobs looked at, ${damaged.length} damaged`)
      return {
        checkedCount: checked,
        damaged: damaged.map(({ blobref, code, message }) => ({ blobref, code, message })),
      }
    }
    // Whoever types blobrefs needs the line himself.
    const isTyped = named[0] === '-' && process.stdin.isTTY === true
    return this.withStore(flags, work, { quiet: isTyped, isWhole: named.length === 0 })
  }
}

async function* blobrefsOnStdin(): AsyncGenerator<string, void, void> {
  for await (const line of stdinLines()) yield parseBlobref(line)
}
