import { Flags } from '@oclif/core'
import { complaintFlags, StoreCommand, sourceFlags, Table, timeStyle, utcFlag } from '../../cli/index.ts'
import { rootsAdvice, rootsColumns, rootsComplaints, rootsJson } from '../../cli/reports/index.ts'
import { ContentError, type ContentStore } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import { findRoots, ROOT_KINDS, type RootKind } from '../../inspect/index.ts'

/** Roots listed unless the user says otherwise. A store has thousands: each commit makes one. */
const MOST = 20

export default class ContentRoots extends StoreCommand {
  static override summary = 'List the roots in a store, also those that no checkpoint names'

  static override description =
    `Lists the directories of a store that no other directory refers to: the root at which an instance stopped, if it was killed before it wrote a checkpoint; older roots, since each commit makes a new one, as long as they are not collected as garbage; roots of the namespaces of jobs; and directories whose parent is lost. Roots of checkpoints are listed too.

Roots of the primary namespace come first, then all others; of both the newest first: those that were stored last. NEWEST is the newest time in the eventlogs below the root. KEYS counts values and links, JOBS the jobs in the directory job. WHOLE is yes if every blob below the root is there and has the bytes of its blobref, else how many references are lost. CHECKPOINT is the newest checkpoint that names the root.

KIND is guessed by the names that stand beside it: primary, guest (the namespace of a job), job (the directory of one job), jobs (directories of jobs), resource (the directory resource), empty, other.

On a terminal the result is a table. Elsewhere each line has the columns separated by tabs.`

  static override examples = [
    {
      description: 'List the newest roots',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'Print the newest root of the primary namespace with nothing missing below it',
      command:
        "<%= config.bin %> <%= command.id %> --store examples/statedir --kind primary --whole -n 1 | awk '{print $1}'",
    },
  ]

  static override flags = {
    store: Flags.string({
      summary: 'the content store on disk; its broker must be down',
      description: 'PATH is a statedir, a content.sqlite file, or a content.files directory. It is opened read-only.',
      helpValue: 'PATH',
      required: true,
      helpGroup: 'SOURCE',
    }),
    salvage: sourceFlags.salvage,
    verify: sourceFlags.verify,
    top: Flags.integer({
      char: 'n',
      summary: `list only the first N roots (default: ${MOST})`,
      helpValue: 'N',
      min: 0,
      exclusive: ['all'],
      helpGroup: 'OUTPUT',
    }),
    all: Flags.boolean({ summary: 'list all roots', helpGroup: 'OUTPUT' }),
    whole: Flags.boolean({ summary: 'list only roots with nothing missing below them', helpGroup: 'OUTPUT' }),
    kind: Flags.string({
      summary: 'list only roots of this kind; separate several with commas',
      options: ROOT_KINDS,
      helpValue: 'KIND',
      delimiter: ',',
      multiple: true,
      helpGroup: 'OUTPUT',
    }),
    ...utcFlag,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(ContentRoots)
    const { whole, kind, top = MOST } = flags
    const work = async (store: ContentStore, signal: AbortSignal) => {
      const found = await findRoots(store, {
        most: flags.all ? undefined : top,
        whole,
        kinds: kind as RootKind[] | undefined,
        onFault: (error) => this.onFault(named(error)),
        signal,
      })
      if (!this.jsonEnabled()) {
        const table = new Table(rootsColumns(timeStyle(flags), process.stdout.isTTY === true))
        await table.add(found.roots)
        await table.end()
      }
      for (const complaint of rootsComplaints(found)) this.fault(`${store.name}: ${complaint}`, 'lost checkpoint')
      // No checkpoint can be written to a damaged store.
      if (!this.jsonEnabled() && !flags.salvage) for (const line of rootsAdvice(found, flags.store)) this.notice(line)
      return rootsJson(found)
    }
    return this.withStore(flags, work, { isWhole: true })
  }
}

/** An error of a blob need not say which it is. */
function named(error: FluxError): FluxError {
  if (!(error instanceof ContentError) || error.message.includes(error.blobref)) return error
  return new FluxError(error.code, `${error.blobref}: ${error.message}`, { cause: error })
}
