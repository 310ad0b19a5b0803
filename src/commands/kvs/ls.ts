import { Args, Flags } from '@oclif/core'
import { columns, limitFlags, Output, outputWidth, printJsonList, SourceCommand, shown } from '../../cli/index.ts'
import { type Listing, listKeys, objJson } from '../../inspect/index.ts'
import { isDir, keyIn, plainKey, type TreeObj } from '../../kvs/index.ts'

export default class KvsLs extends SourceCommand {
  static override summary = 'List directories of the KVS'

  static override description =
    'Lists what is in each directory, in columns. Other keys are listed first, themselves; so are links, unless they lead to a directory.'

  static override examples = [
    { description: 'What is at the top', command: '<%= config.bin %> <%= command.id %> --store examples/statedir' },
    {
      description: 'All directories below one, a name a line',
      command: '<%= config.bin %> <%= command.id %> -R -1 resource --store examples/statedir',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'what to list (default: .)', multiple: true }),
  }

  static override flags = {
    recursive: Flags.boolean({ char: 'R', summary: 'list what is below each directory as well', helpGroup: 'OUTPUT' }),
    directory: Flags.boolean({
      char: 'd',
      summary: 'list directories themselves, not what is in them',
      helpGroup: 'OUTPUT',
    }),
    width: Flags.integer({
      char: 'w',
      summary: 'lines of at most COLS columns; 0 is unlimited (default: the terminal, COLUMNS, or 80)',
      helpValue: 'COLS',
      min: 0,
      helpGroup: 'OUTPUT',
    }),
    '1': Flags.boolean({ char: '1' as 'A', summary: 'a name a line', helpGroup: 'OUTPUT' }),
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
          // Of keys that stand alone, the suffix counts for the width, as the C tool has it.
          return key === undefined ? { name: shown(name) + suffix, suffix: '' } : { name: shown(name), suffix }
        })
        for (const piece of columns(names, width)) if (output.append(piece)) await output.flush()
      }
      await output.flush()
    })
  }
}

/** A key without the dots that do not count, except for the one that asks for a directory. */
function withoutDots(key: string): string {
  return key === '' ? key : plainKey(key) + (key.endsWith('.') ? '.' : '')
}

/** Entries printed in one go. */
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
