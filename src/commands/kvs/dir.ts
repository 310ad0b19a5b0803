import { Args, Flags } from '@oclif/core'
import { atFlag, limitFlags, Output, outputWidth, printJsonList, SourceCommand, shown } from '../../cli/index.ts'
import { type DirEntry, keyValueLine, listDirEntries, objJson, valueJson } from '../../inspect/index.ts'
import { linkText, plainKey } from '../../kvs/index.ts'

export default class KvsDir extends SourceCommand {
  static override summary = 'Show a directory of the KVS, with values'

  static override description =
    'Prints a line for each key in a directory: KEY = VALUE for a value, KEY -> TARGET for a link, KEY. for a directory. Values are cut at the end of their first line, and to the width of the terminal; "..." marks a cut.'

  static override examples = [
    {
      description: 'Show the directory resource with its values',
      command: '<%= config.bin %> <%= command.id %> resource --store examples/statedir',
    },
    {
      description: 'Show all keys, without their values',
      command: '<%= config.bin %> <%= command.id %> -R -d --store examples/statedir',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key of a directory', default: '.' }),
  }

  static override flags = {
    recursive: Flags.boolean({ char: 'R', summary: 'show subdirectories as well', helpGroup: 'OUTPUT' }),
    directory: Flags.boolean({ char: 'd', summary: 'show keys without their values', helpGroup: 'OUTPUT' }),
    width: Flags.integer({
      char: 'w',
      summary: 'cut lines to COLS columns; 0 is unlimited (default: the terminal, COLUMNS, or 80)',
      helpValue: 'COLS',
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    ...limitFlags,
    ...atFlag,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KvsDir)
    const { recursive, directory } = flags
    // Lines begin with the key as it was given, as in flux kvs. In JSON each key has only one form.
    const key = this.jsonEnabled() ? plainKey(args.key) : args.key
    const width = outputWidth(flags.width)
    const isWhole = this.jsonEnabled() || width <= 3
    const valueBytes = directory ? 0 : isWhole ? Number.POSITIVE_INFINITY : width
    await this.withSource(flags, async (source) => {
      const reader = await source.reader(flags.at)
      const output = new Output()
      const limits = { maxKeys: flags['max-keys'], maxDepth: flags['max-depth'] }
      const found = listDirEntries(reader, key, {
        recursive,
        valueBytes,
        onFault: this.onFault,
        ...limits,
        signal: source.signal,
      })
      if (this.jsonEnabled()) {
        await printJsonList('keys', texts(found))
        return
      }
      for await (const entries of found) {
        for (const entry of entries) if (output.append(`${shown(lineOf(entry, width))}\n`)) await output.flush()
        await output.flush()
      }
    })
  }
}

async function* texts(found: AsyncIterable<DirEntry[]>): AsyncGenerator<string[], void, void> {
  for await (const entries of found) yield entries.map((entry) => JSON.stringify(jsonOf(entry)))
}

function lineOf(entry: DirEntry, width: number): string {
  if ('start' in entry) return entry.start === undefined ? entry.key : keyValueLine(entry.key, entry.start, width)
  const { key, obj } = entry
  return obj.type === 'symlink' ? `${key} -> ${linkText(obj.data)}` : `${key}.`
}

function jsonOf(entry: DirEntry): object {
  const value = 'start' in entry && entry.start !== undefined ? valueJson(entry.start) : undefined
  return { key: entry.key, ...objJson(entry.obj), ...value }
}
