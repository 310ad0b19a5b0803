import { Args, Flags } from '@oclif/core'
import { columns, limitFlags, Output, outputWidth, printJsonList, SourceCommand, shown } from '../../cli/index.ts'
import { type Listing, listKeys, objJson } from '../../inspect/index.ts'
import { isDir, keyIn, plainKey, type TreeObj } from '../../kvs/index.ts'

export default class KvsLs extends SourceCommand {
  static override summary = 'List directories of the KVS'

  static override description =
    'Lists the keys in each directory, in columns. Keys that are not directories are listed first. A link to a directory is listed like a directory; other links are listed themselves.'

  static override examples = [
    {
      description: 'List the top-level keys',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir',
    },
    {
      description: 'List a directory and all directories below it, one name on each line',
      command: '<%= config.bin %> <%= command.id %> -R -1 resource --store examples/statedir',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key to list (default: .)', multiple: true }),
  }

  static override flags = {
    recursive: Flags.boolean({ char: 'R', summary: 'list subdirectories as well', helpGroup: 'OUTPUT' }),
    directory: Flags.boolean({
      char: 'd',
      summary: 'list directories themselves, not the keys in them',
      helpGroup: 'OUTPUT',
    }),
    width: Flags.integer({
      char: 'w',
      summary: 'print lines of at most COLS columns; 0 is unlimited (default: the terminal, COLUMNS, or 80)',
      helpValue: 'COLS',
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    '1': Flags.boolean({ char: '1' as 'A', summary: 'print one name on each line', helpGroup: 'OUTPUT' }),
    classify: Flags.boolean({ char: 'F', summary: 'append . to directories and @ to links', helpGroup: 'OUTPUT' }),
    ...limitFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KvsLs)
    const width = flags['1'] ? 1 : outputWidth(flags.width)
    const given = args.key ?? []
    const asked = this.jsonEnabled() ? given.map(withoutDots) : given
    await this.withSource(flags, async (source) => {
      const output = new Output()
      let isFirst = true
      const limits = { maxKeys: flags['max-keys'], maxDepth: flags['max-depth'] }
      const options = { ...flags, ...limits, onFault: this.onFault, signal: source.signal }
      const listings = listKeys(await source.reader(), asked, options)
      if (this.jsonEnabled()) {
        await printJsonList('keys', texts(listings))
        return
      }
      for await (const { key, isLabelled, entries } of listings) {
        if (isLabelled && key !== undefined) output.append(`${isFirst ? '' : '\n'}${shown(key)}:\n`)
        isFirst = false
        const names = Array.from(entries, ({ name, obj }) => {
          const suffix = flags.classify ? suffixOf(obj) : ''
          // As in the C tool, the suffix counts for the width of keys that are not directories.
          return key === undefined ? { name: shown(name) + suffix, suffix: '' } : { name: shown(name), suffix }
        })
        for (const piece of columns(names, width)) if (output.append(piece)) await output.flush()
      }
      await output.flush()
    })
  }
}

/** A key without redundant dots, but with the last one, which says that the key must be a directory. */
function withoutDots(key: string): string {
  return key === '' ? key : plainKey(key) + (key.endsWith('.') ? '.' : '')
}

/** Entries that are printed at a time. */
const BATCH = 1024

async function* texts(listings: AsyncIterable<Listing>): AsyncGenerator<string[], void, void> {
  let batch: string[] = []
  for await (const { key, entries } of listings) {
    for (const { name, obj } of entries) {
      if (batch.push(JSON.stringify({ key: keyIn(key ?? '.', name), ...objJson(obj) })) < BATCH) continue
      yield batch
      batch = []
    }
  }
  yield batch
}

function suffixOf(obj: TreeObj): string {
  if (obj.type === 'symlink') return '@'
  return isDir(obj) ? '.' : ''
}
