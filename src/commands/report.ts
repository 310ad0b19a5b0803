import { Args, Flags } from '@oclif/core'
import { openSink } from '../archive/index.ts'
import {
  complaintFlags,
  FluxCommand,
  interruptible,
  isUtf8Locale,
  keyIn,
  LEAST_KEY,
  loadFlags,
  loadTextWidth,
  NamedSources,
  outputWidth,
  print,
  refuseOtherThanReport,
  refuseToReplace,
  rootChoice,
  rootFlags,
  sourceFlags,
  textWidth,
  UsageError,
  Users,
} from '../cli/index.ts'
import {
  gatherReport,
  isPageStart,
  PAGE_START_BYTES,
  type ReportData,
  renderPage,
  reportText,
} from '../report/index.ts'

/** A report tells who ran what, so only its owner may read it. */
const MODE = 0o600

const FORMAT = { startBytes: PAGE_START_BYTES, isReport: isPageStart }

export default class Report extends FluxCommand {
  static override summary = 'Make a report of a snapshot: its health, its jobs and nodes, and what takes the room'

  static override description =
    `Writes one file that any browser opens, without a network: what is in this KVS, whether it is healthy, what takes the room, what the jobs did and how far the nodes were used, which nodes were drained or down, and when the instance was started and shut down. --text prints the same for a terminal or a mail, and --json its figures. docs/report.md says what is in it, and where each figure comes from.

SOURCE is the path of a content store or of an archive, or a URI, as for diff: @N after it selects checkpoint N, @BLOBREF a root. Without it, the source is what --store, --archive or --uri names. --compare adds what has changed since another snapshot, such as a dump of last week, or @1.

The figures are those of fsck, content stats, du and jobs stats. All of the store is read, in the same time as by these commands. What cannot be read is told on stderr and in the report; the exit status is then 1, and the other parts of the report are complete. Of damaged keys only fsck tells all.

OUTFILE gets its name when it is complete, and only its owner may read it. An older report of that name is replaced; any other file is not.

With --redact, names of users, jobs and hosts, reasons of drains, paths and the keys that users have chosen are replaced by tokens: for a report that leaves the house. Queues, banks, job ids and all numbers stay. A token is the same wherever its name occurs in one report. It is the same in several reports only with the same --redact-key.`

  static override examples = [
    {
      description: 'Show what is in the store of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --text examples/statedir',
    },
    {
      description: 'Write a report of a dump, and what has changed since an older one',
      command: '<%= config.bin %> <%= command.id %> kvs.tgz report.html --compare kvs.tgz',
    },
    {
      description: 'Print the node-hours of each user',
      command: `<%= config.bin %> <%= command.id %> --json --store /var/lib/flux | jq '.work.users[] | [.name, .nodeHours]'`,
    },
  ]

  static override args = {
    source: Args.string({
      name: 'SOURCE',
      description: 'a content store, an archive or a URI (default: what --store, --archive or --uri names)',
    }),
    outfile: Args.string({
      name: 'OUTFILE',
      description: 'the file to write, not with --text or --json; - is standard output',
    }),
  }

  static override flags = {
    ...sourceFlags,
    ...rootFlags,
    compare: Flags.string({
      summary: 'also show what has changed since this snapshot, which is named as SOURCE is',
      helpValue: 'SOURCE',
      helpGroup: 'OUTPUT',
    }),
    text: Flags.boolean({ summary: 'print the report as text', exclusive: ['json'], helpGroup: 'OUTPUT' }),
    redact: Flags.boolean({
      summary: 'replace names of users, jobs and hosts, and the like, by tokens',
      helpGroup: 'OUTPUT',
    }),
    'redact-key': Flags.string({
      summary: 'make the tokens with the key in this file, so that they are the same in several reports',
      description: `The file has at least ${LEAST_KEY} bytes that nobody else knows. Whoever has it can find out which names the tokens stand for.`,
      helpValue: 'FILE',
      dependsOn: ['redact'],
      helpGroup: 'OUTPUT',
    }),
    ...loadFlags,
    ...complaintFlags,
  }

  async run(): Promise<ReportData | undefined> {
    const { args, flags } = await this.parse(Report)
    const { source, outfile } = this.#words(args, flags)
    const keyFile = flags['redact-key']
    // Whoever forgets OUTFILE has named the source in its place.
    if (source === undefined)
      refuseOtherThanReport(outfile, FORMAT, 'to show what is in it, give OUTFILE too, or --text')
    const redactKey = keyFile === undefined ? undefined : keyIn(keyFile)
    return interruptible(async (signal) => {
      const choice = { ...flags, isArchiveAnew: true, signal, onWarning: this.complain, progress: this.progress() }
      await using sources = new NamedSources(choice)
      const shown = await sources.open(source, rootChoice(flags))
      const compare = flags.compare === undefined ? undefined : await sources.open(flags.compare, {})
      for (const { snapshot, name } of compare ? [shown, compare] : [shown]) {
        refuseToReplace(snapshot.store, outfile, 'the report')
        refuseToReplace({ name }, outfile, 'the report')
      }
      refuseOtherThanReport(outfile, FORMAT, 'give the report another name')
      const data = await gatherReport(shown, {
        ...flags,
        tool: `${this.config.pjson.name} ${this.config.version}`,
        users: new Users(),
        compare,
        redactKey,
        onWarning: this.fault,
        signal,
      })
      await sources.assertUnchanged()
      if (this.jsonEnabled()) return data
      if (outfile === undefined) await printText(data)
      else await writePage(data, outfile, signal)
      return undefined
    })
  }

  /** @throws {UsageError} there are too many words, or too few */
  #words(
    { source, outfile }: { source?: string | undefined; outfile?: string | undefined },
    flags: { text: boolean; uri?: string | undefined; store?: string | undefined; archive?: string | undefined },
  ): { source: string | undefined; outfile: string | undefined } {
    const isPrinted = flags.text || this.jsonEnabled()
    if (isPrinted && outfile !== undefined) {
      throw new UsageError(`--${flags.text ? 'text' : 'json'} does not go with OUTFILE`, 'it prints to standard output')
    }
    const words = isPrinted || outfile !== undefined ? { source, outfile } : { source: undefined, outfile: source }
    if (!isPrinted && words.outfile === undefined) {
      throw new UsageError('OUTFILE is missing', 'name a file to write, or give --text')
    }
    return words
  }
}

async function printText(data: ReportData): Promise<void> {
  await loadTextWidth([JSON.stringify(data)])
  const lines = reportText(data, {
    width: outputWidth(undefined) || undefined,
    isAscii: !isUtf8Locale(),
    widthOf: textWidth,
  })
  await print(`${lines.join('\n')}\n`)
}

async function writePage(data: ReportData, outfile: string, signal: AbortSignal): Promise<void> {
  const page = await renderPage(data)
  if (outfile === '-') return print(page)
  const sink = await openSink(outfile, signal, MODE)
  try {
    await sink.write([page])
    await sink.commit()
  } finally {
    await sink.abort()
  }
}
