import { Args, Flags } from '@oclif/core'
import { type Column, loadFlags, SourceCommand, Table } from '../cli/index.ts'
import { byteText, grouped } from '../errors/index.ts'
import { du, duByKind, type KindSize, sortUsages, type Usage, type UsageOrder } from '../inspect/index.ts'

/** Characters of a full bar. */
const BAR = 20

export default class Du extends SourceCommand {
  static override summary = 'Show which directories of a snapshot take the most space'

  static override description =
    `Adds up the bytes of the blobs below KEY for each directory: the blobs of values and of the directories themselves, before compression. SIZE counts a blob once for each reference. ONCE counts a blob once, in the directory where it is first seen. The ONCE of the total is what the store keeps for this snapshot.

On a terminal the result is a table, with a bar for each directory's part of the total. Elsewhere each line has the size, the size counted once, the number of keys and the key, separated by tabs; sizes are in bytes.

A store on disk knows the sizes of its blobs, so only directories are read. From a live instance every blob is loaded.`

  static override examples = [
    {
      description: 'Show the sizes of the top-level directories',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux',
    },
    {
      description: 'Show how much jobspecs, eventlogs and outputs take',
      command: '<%= config.bin %> <%= command.id %> --kinds --store /var/lib/flux',
    },
    {
      description: 'Show the ten largest jobs',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux -d 4 -n 10 --sort size job',
    },
  ]

  static override args = {
    key: Args.string({
      name: 'KEY',
      description: 'the directory to add up',
      default: '.',
    }),
  }

  static override flags = {
    depth: Flags.integer({
      char: 'd',
      summary: 'list directories down to DEPTH levels; 0 gives only the total',
      helpValue: 'DEPTH',
      default: 1,
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    sort: Flags.string({
      summary: 'sort by size (largest first), by number of keys (most first), or by name',
      options: ['size', 'name', 'count'],
      default: 'name',
      helpGroup: 'OUTPUT',
    }),
    top: Flags.integer({
      char: 'n',
      summary: 'list only the first N directories, and the total',
      helpValue: 'N',
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    kinds: Flags.boolean({
      summary: 'list kinds of records instead of directories, such as jobspec and guest output',
      description:
        'Inline values count with their kind, not with the directory that holds them. What several keys refer to is measured once; "repeated" is what it counts beyond that in SIZE.',
      exclusive: ['depth', 'sort', 'top'],
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
      const forPeople = process.stdout.isTTY === true
      const { rootref } = snapshot
      if (flags.kinds) {
        const { total, kinds } = await duByKind(snapshot, options)
        if (!this.jsonEnabled()) await printTable(kindColumns(forPeople && !flags.bytes), kinds, forPeople)
        return { rootref, directories: [usageJson(total)], kinds: kinds.map(kindJson) }
      }
      const [total, ...rest] = await du(snapshot, options)
      const listed = [...sortUsages(rest, flags.sort as UsageOrder).slice(0, flags.top), total as Usage]
      if (!this.jsonEnabled()) {
        await printTable(columns(total as Usage, forPeople, forPeople && !flags.bytes), listed, forPeople)
      }
      return { rootref, directories: listed.map(usageJson) }
    })
  }
}

async function printTable<T>(columns: Column<T>[], rows: readonly T[], forPeople: boolean): Promise<void> {
  const table = new Table(columns, forPeople)
  await table.add(rows)
  await table.end()
}

function kindJson({ kind, count, bytes }: KindSize): object {
  return { kind, recordCount: count, totalBytes: bytes }
}

function kindColumns(short: boolean): Column<KindSize>[] {
  return [
    { title: 'SIZE', text: ({ bytes }) => (short ? byteText : String)(bytes), right: true },
    { title: 'RECORDS', text: ({ count }) => (short ? grouped : String)(count), right: true },
    { title: 'KIND', text: ({ kind }) => kind },
  ]
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
