import { Args, Flags } from '@oclif/core'
import {
  complaintFlags,
  EXIT,
  Output,
  paceFlags,
  StoreCommand,
  shown,
  sourceFlags,
  stdinLines,
  UsageError,
} from '../../cli/index.ts'
import { rootsHint } from '../../cli/reports/index.ts'
import { type ContentError, type ContentStore, parseBlobref } from '../../content/index.ts'
import type { FluxError } from '../../errors/index.ts'
import { blobState, validate } from '../../inspect/index.ts'

export default class ContentValidate extends StoreCommand {
  static override summary = 'Compare blobs with their blobrefs'

  static override description =
    `Compares the bytes of every blob in a store with its blobref, whether anything refers to the blob or not. Damaged blobs are listed on standard output, one on each line, as missing, altered or unreadable. The exit status is then 1. So it is if blobs may be lost without a name, because part of a content.sqlite cannot be read; that is printed on stderr.

With BLOBREF only these blobs are checked; - reads blobrefs from standard input, one on each line. A live instance cannot list its blobs, so there they must be named.`

  static override examples = [
    {
      description: 'Check every blob of a store',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'Check one blob',
      command:
        '<%= config.bin %> <%= command.id %> --store examples/statedir sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91',
    },
  ]

  static override args = {
    blobref: Args.string({ name: 'BLOBREF', description: 'the blobref of a blob', multiple: true }),
  }

  static override flags = {
    uri: sourceFlags.uri,
    timeout: sourceFlags.timeout,
    store: sourceFlags.store,
    salvage: sourceFlags.salvage,
    'no-cache': Flags.boolean({ ...paceFlags['no-cache'], char: 'b', aliases: ['bypass-cache'] }),
    maxreqs: paceFlags.maxreqs,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ContentValidate)
    const named = args.blobref ?? []
    const isOnStdin = named.includes('-')
    if (isOnStdin && named.length > 1)
      throw new UsageError(
        '- does not go with another BLOBREF',
        'give all blobrefs on standard input, or name them all',
      )
    if (!isOnStdin) for (const blobref of named) parseBlobref(blobref)
    const blobrefs = named.length === 0 ? undefined : isOnStdin ? blobrefsOnStdin() : named
    const work = async (store: ContentStore, signal: AbortSignal) => {
      const output = new Output()
      const damaged: ContentError[] = []
      const onFault = (error: ContentError) => {
        damaged.push(error)
        if (!this.jsonEnabled()) output.append(`${shown(error.blobref)} ${blobState(error)}\n`)
      }
      const storeFaults: FluxError[] = []
      const onStoreFault = (fault: FluxError) => {
        storeFaults.push(fault)
        this.onFault(fault)
      }
      const options = { blobrefs, onFault, onStoreFault, signal }
      const checked = await validate(store, options).finally(() => output.flush())
      if (damaged.length > 0) process.exitCode = EXIT.FAILED
      if (!this.jsonEnabled()) this.notice(`${checked} blobs looked at, ${damaged.length} damaged`)
      const hint = named.length === 0 && storeFaults.length === 0 ? await rootsHint(store, flags.store) : undefined
      if (hint !== undefined) this.notice(hint)
      return {
        checkedCount: checked,
        damaged: damaged.map(({ blobref, code, message }) => ({ blobref, code, message })),
        storeFaults: storeFaults.map(({ code, message }) => ({ code, message })),
      }
    }
    // The progress line would disturb a user who types blobrefs.
    const isTyped = isOnStdin && process.stdin.isTTY === true
    return this.withStore(flags, work, { quiet: isTyped, isWhole: named.length === 0 })
  }
}

async function* blobrefsOnStdin(): AsyncGenerator<string, void, void> {
  for await (const line of stdinLines()) yield parseBlobref(line)
}
