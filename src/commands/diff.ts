import { Args, Flags } from '@oclif/core'
import {
  type Column,
  complaintFlags,
  EXIT,
  exitStatusOf,
  FluxCommand,
  interruptible,
  limitFlags,
  loadFlags,
  print,
  printJsonList,
  Sides,
  shownLines,
  sourceFlags,
  Table,
} from '../cli/index.ts'
import {
  type Change,
  changeJson,
  changeText,
  countsJson,
  DiffTotals,
  diff,
  type KeyContent,
  type StatRow,
} from '../inspect/index.ts'

/** The exit statuses of diff(1). */
const SAME = 0
const DIFFERENT = 1
const TROUBLE = 2

export default class Diff extends FluxCommand {
  static override summary = 'Compare two snapshots'

  static override description =
    `Lists the keys that were added, removed or changed from A to B, with the bytes of their values before and after. A and B are each the path of a content store or of an archive, or a URI. @N after it selects checkpoint N (0 is the newest), @BLOBREF selects a root. @N or BLOBREF alone selects one in the source that --store, --uri or --archive names. A path is recognised as a store or an archive by its content; store: or archive: in front of it fixes which it is.

Directories with the same blobref are equal and are not read, so two checkpoints of a large store are compared quickly. Values are compared by their bytes, however they are stored. Empty directories make no difference. Data that is not read is not checked: use fsck to find missing blobs below equal directories.

On a terminal the keys are listed in a table. Elsewhere each line has the change, the bytes before, the bytes after and the key, separated by tabs.

The exit status is 0 if the two are the same, 1 if they differ, 2 if something went wrong.`

  static override examples = [
    {
      description: 'Check that a dump holds the same as the store',
      command: '<%= config.bin %> <%= command.id %> store:/var/lib/flux kvs.tgz',
    },
    {
      description: 'Check whether anything has changed since the checkpoint before the newest',
      command:
        'if <%= config.bin %> <%= command.id %> -q --store /var/lib/flux @1 @0; then echo no; else echo "yes, or an error"; fi',
    },
    {
      description: 'Show how values have changed from one archive to another',
      command: '<%= config.bin %> <%= command.id %> --content kvs.tgz kvs.tgz',
    },
  ]

  static override args = {
    a: Args.string({ name: 'A', description: 'the snapshot before', required: true }),
    b: Args.string({ name: 'B', description: 'the snapshot after', required: true }),
  }

  static override flags = {
    ...sourceFlags,
    namespace: Flags.string({
      char: 'N',
      summary: 'compare the current roots of this namespace of live instances (default: primary)',
      helpValue: 'NAME',
      helpGroup: 'SNAPSHOT',
    }),
    stat: Flags.boolean({
      summary: 'count the changes below each top-level key instead of listing them',
      exclusive: ['content', 'quiet'],
      helpGroup: 'OUTPUT',
    }),
    content: Flags.boolean({
      summary: 'show the changes in text values, as a unified diff',
      exclusive: ['quiet'],
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({
      char: 'q',
      summary: 'print nothing, and stop at the first difference; the exit status is the result',
      helpGroup: 'OUTPUT',
    }),
    ...limitFlags,
    ...loadFlags,
    ...complaintFlags,
  }

  /** True when something could not be compared. */
  #trouble = false

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff)
    await interruptible(async (signal) => {
      const onWarning = this.complain
      const progress = this.progress(flags)
      await using sides = await Sides.open(args.a, args.b, { ...flags, onWarning, progress, signal })
      const onFault = (error: Error) => {
        this.#trouble = true
        this.onFault(error)
      }
      const limits = { maxKeys: flags['max-keys'], maxDepth: flags['max-depth'] }
      const changes = diff(sides.a, sides.b, { onFault, signal, ...limits })
      const totals = new DiffTotals()
      const counted = totals.count(changes)
      if (flags.quiet) await first(counted)
      else if (this.jsonEnabled()) await this.#printJson(counted, totals, sides, flags)
      else if (flags.content) await printText(counted, sides)
      else if (flags.stat) await printStat(counted, totals)
      else await printTable(new Table(KEY_COLUMNS), counted)
      await sides.assertUnchanged()
      process.exitCode = this.#trouble ? TROUBLE : totals.changes > 0 ? DIFFERENT : SAME
    })
  }

  protected override exitStatus(error: unknown): number {
    const status = exitStatusOf(error)
    return status === EXIT.FAILED ? TROUBLE : status
  }

  async #printJson(
    changes: AsyncIterable<Change[]>,
    totals: DiffTotals,
    { a, b }: Sides,
    { stat, content }: { stat: boolean; content: boolean },
  ): Promise<void> {
    const roots = { rootrefA: a.rootref, rootrefB: b.rootref }
    const after = () => ({ ...roots, ...countsJson(totals.total), complete: !this.#trouble })
    const textOf = content ? (change: Change) => changeText(a, b, change) : undefined
    const items = stat ? countsBelow(changes, totals) : changesJson(changes, textOf)
    if (!(await printJsonList(stat ? 'below' : 'changes', items, after))) this.#trouble = true
  }
}

/** Each change as JSON; with `textOf`, also its diff. */
async function* changesJson(
  changes: AsyncIterable<Change[]>,
  textOf: ((change: Change) => Promise<string>) | undefined,
): AsyncGenerator<string[], void, void> {
  for await (const batch of changes) {
    const texts: string[] = []
    for (const change of batch) {
      const text = textOf && { diff: await textOf(change) }
      texts.push(JSON.stringify({ ...changeJson(change), ...text }))
    }
    yield texts
  }
}

/** The counts below each top-level key as JSON, when all changes have been counted. */
async function* countsBelow(changes: AsyncIterable<unknown>, totals: DiffTotals): AsyncGenerator<string[], void, void> {
  for await (const _ of changes);
  yield totals.topRows().map((row) => JSON.stringify({ key: row.key, ...countsJson(row) }))
}

async function first(changes: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of changes) return
}

async function printText(changes: AsyncIterable<Change[]>, { a, b }: Sides): Promise<void> {
  for await (const batch of changes) {
    for (const change of batch) await print(shownLines(await changeText(a, b, change)))
  }
}

async function printStat(changes: AsyncIterable<unknown>, totals: DiffTotals): Promise<void> {
  for await (const _ of changes);
  if (totals.changes === 0) return
  const table = new Table(STAT_COLUMNS)
  await table.add(totals.rows())
  await table.end()
}

async function printTable<Row>(table: Table<Row>, batches: AsyncIterable<Row[]>): Promise<void> {
  for await (const batch of batches) await table.add(batch)
  await table.end()
}

const KEY_COLUMNS: Column<Change>[] = [
  { title: 'CHANGE', text: ({ change }) => change },
  { title: 'BEFORE', text: ({ before }) => heldText(before), right: true },
  { title: 'AFTER', text: ({ after }) => heldText(after), right: true },
  { title: 'KEY', text: ({ key }) => key },
]

const STAT_COLUMNS: Column<StatRow>[] = [
  { title: 'ADDED', text: ({ added }) => String(added), right: true },
  { title: 'REMOVED', text: ({ removed }) => String(removed), right: true },
  { title: 'CHANGED', text: ({ changed }) => String(changed), right: true },
  { title: 'BYTES', text: ({ bytes }) => (bytes > 0 ? `+${bytes}` : String(bytes)), right: true },
  { title: 'KEY', text: ({ key }) => key },
]

function heldText(held: KeyContent | undefined): string {
  if (held === undefined) return ''
  return held.type === 'symlink' ? 'link' : String(held.size)
}
