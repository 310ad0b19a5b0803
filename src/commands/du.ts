import { Args, Flags } from '@oclif/core'
import { type Column, loadFlags, SourceCommand, Table } from '../cli/index.ts'
import { byteText, grouped } from '../errors/index.ts'
import { du, sortUsages, type Usage, type UsageOrder } from '../inspect/index.ts'

/** Characters of a bar that stands for everything. */
const BAR = 20

export default class Du extends SourceCommand {
  static override summary = 'Show what takes the room in a snapshot'

  static override description =
    `Adds up the bytes of the blobs below KEY, by directory: those of values and those of the directories themselves, before compression. SIZE counts a blob as often as it is referred to, ONCE counts it once, in the directory where it is met first: the ONCE of all is what the store keeps for this snapshot.

On a terminal it is a table, with a bar for each directory's part of the whole; elsewhere one directory a line, its columns separated by tabs: size, size counting once, keys, key. Sizes are then in bytes.

A store on disk knows the sizes of its blobs, so only directories are read; a live instance has to load everything.`

  static override examples = [
    {
      description: 'The top level',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux',
    },
    {
      description: 'The ten largest jobs',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux -d 4 -n 10 --sort size job',
    },
  ]

  static override args = {
    key: Args.string({
      name: 'KEY',
      description: 'directory to add up',
      default: '.',
    }),
  }

  static override flags = {
    depth: Flags.integer({
      char: 'd',
      summary: 'tell apart the directories of so many levels; 0 gives the total alone',
      helpValue: 'DEPTH',
      default: 1,
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    sort: Flags.string({
      summary: 'put the largest first, or those with the most keys, or go by name',
      options: ['size', 'name', 'count'],
      default: 'name',
      helpGroup: 'OUTPUT',
    }),
    top: Flags.integer({
      char: 'n',
      summary: 'list the first N only, and the total',
      helpValue: 'N',
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    bytes: Flags.boolean({ summary: 'show sizes in bytes on a terminal too', helpGroup: 'OUTPUT' }),
    ...loadFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(Du)
    return this.withSource(flags, async (source) => {
      if (args.key === '.') source.readsAll()
      const snapshot = await source.snapshot()
      const options = { depth: flags.depth, key: args.key, onFault: this.onFault, signal: source.signal }
      const [total, ...rest] = await du(snapshot, options)
      const listed = [...sortUsages(rest, flags.sort as UsageOrder).slice(0, flags.top), total as Usage]
      if (!this.jsonEnabled()) {
        const forPeople = process.stdout.isTTY === true
        const table = new Table(columns(total as Usage, forPeople, forPeople && !flags.bytes), forPeople)
        await table.add(listed)
        await table.end()
      }
      return { rootref: snapshot.rootref, directories: listed.map(usageJson) }
    })
  }
}

function usageJson({ key, bytes, onceBytes, valueBytes, keys, dirs }: Usage): object {
  return { key, totalBytes: bytes, onceBytes, valueBytes, keyCount: keys, directoryCount: dirs }
}

function columns(total: Usage, withBar: boolean, short: boolean): Column<Usage>[] {
  const size = short ? byteText : String
  const count = short ? grouped : String
  const bar = ({ bytes }: Usage) =>
    '█'.repeat(total.bytes > 0 ? Math.round((bytes / total.bytes) * BAR) : 0).padEnd(BAR, '░')
  return [
    { title: 'SIZE', text: ({ bytes }) => size(bytes), right: true },
    { title: 'ONCE', text: ({ onceBytes }) => size(onceBytes), right: true },
    { title: 'KEYS', text: ({ keys }) => count(keys), right: true },
    ...(withBar ? [{ title: '', text: bar }] : []),
    { title: 'KEY', text: ({ key }) => key },
  ]
}
