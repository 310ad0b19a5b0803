import { Args, Flags } from '@oclif/core'
import {
  type Column,
  complaintFlags,
  EXIT,
  exitStatusOf,
  FluxCommand,
  interruptible,
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

/** As diff(1) has it. */
const SAME = 0
const DIFFERENT = 1
const TROUBLE = 2

export default class Diff extends FluxCommand {
  static override summary = 'Compare two snapshots'

  static override description =
    `Tells which keys were added, removed or changed from A to B, with the bytes of their values before and after. Each of the two is the path of a content store or of an archive, or a URI, followed by @N for its checkpoint N (0 is the newest) or @BLOBREF for a root; or, in the source that --store, --uri or --archive names, @N or BLOBREF alone. What a path holds says which of the two it is; store: or archive: before it insists on one.

Directories of one blobref are the same and are not read, so two checkpoints of a large store are compared in no time. Values are compared by their bytes, however they are stored. An empty directory makes no difference. What is not read is not checked: blobs that are missing below equal directories are found by fsck, not here.

On a terminal the keys are listed in a table; elsewhere one a line: change, bytes before, bytes after, key, with tabs between.

The exit status is 0 when the two are the same, 1 when they differ, 2 when something went wrong.`

  static override examples = [
    {
      description: 'Is the dump what the store holds?',
      command: '<%= config.bin %> <%= command.id %> store:/var/lib/flux kvs.tgz',
    },
    {
      description: 'Has anything changed since the checkpoint before the newest?',
      command:
        'if <%= config.bin %> <%= command.id %> -q --store /var/lib/flux @1 @0; then echo no; else echo "yes, or trouble"; fi',
    },
    {
      description: 'What has, in the values themselves, from one archive to another',
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
      summary: 'count the changes below each key of the top level instead of listing them',
      exclusive: ['content', 'quiet'],
      helpGroup: 'OUTPUT',
    }),
    content: Flags.boolean({
      summary: 'show what has changed in text values, as a unified diff',
      exclusive: ['quiet'],
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({
      char: 'q',
      summary: 'say nothing, and stop at the first difference: the exit status is the answer',
      helpGroup: 'OUTPUT',
    }),
    ...loadFlags,
    ...complaintFlags,
  }

  /** Set where something could not be compared. */
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
      const changes = diff(sides.a, sides.b, { onFault, signal })
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

/** Each change; with `textOf`, what that says of it too. */
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

/** What was counted below each key of the top level, once all changes have passed. */
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
