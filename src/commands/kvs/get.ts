import { Args, Flags } from '@oclif/core'
import { atFlag, Output, refuseUnlessLive, SourceCommand, shown, shownContent, UsageError } from '../../cli/index.ts'
import { FluxError } from '../../errors/index.ts'
import { printedValue, valueJson, watchKeys } from '../../inspect/index.ts'
import { decodeInline, lookupError, type TreeObj, treeObjText, type Val } from '../../kvs/index.ts'

const LIVE_FLAGS = ['waitcreate', 'watch', 'uniq', 'append', 'full', 'count', 'stream']

export default class KvsGet extends SourceCommand {
  static override summary = 'Print values of the KVS'

  static override description =
    'Prints the value of each key, followed by a newline unless the value is empty. Without --raw a value ends at its first NUL. The command fails at the first key that does not exist or is a directory.'

  static override examples = [
    {
      description: 'Print a value of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> resource.R --store examples/statedir',
    },
    {
      description: 'Write the exact bytes of a value to a file',
      command: '<%= config.bin %> <%= command.id %> --raw resource.R --store examples/statedir > R.json',
    },
    {
      description: 'Show how a value is stored',
      command: '<%= config.bin %> <%= command.id %> --treeobj resource.eventlog --store examples/statedir',
    },
    {
      description: 'Watch a key of a live instance, and end after its current value',
      command: '<%= config.bin %> <%= command.id %> --watch --count 1 resource.R',
    },
  ]

  static override args = {
    key: Args.string({ name: 'KEY', description: 'key of a value', required: true, multiple: true }),
  }

  static override flags = {
    raw: Flags.boolean({
      char: 'r',
      summary: 'print the exact bytes, without a newline',
      helpGroup: 'OUTPUT',
    }),
    treeobj: Flags.boolean({ char: 't', summary: 'print the RFC 11 object', helpGroup: 'OUTPUT' }),
    label: Flags.boolean({ char: 'l', summary: 'print KEY= before each value', helpGroup: 'OUTPUT' }),
    ...atFlag,
    waitcreate: Flags.boolean({
      char: 'W',
      summary: 'if the key does not exist, wait until it does',
      helpGroup: 'LIVE',
    }),
    watch: Flags.boolean({ char: 'w', summary: 'print the value again whenever it is written', helpGroup: 'LIVE' }),
    uniq: Flags.boolean({
      char: 'u',
      summary: 'with --watch, print the value only when it has changed',
      helpGroup: 'LIVE',
    }),
    append: Flags.boolean({ char: 'A', summary: 'with --watch, print only what is appended', helpGroup: 'LIVE' }),
    full: Flags.boolean({
      char: 'f',
      summary: 'with --watch, notice also changes through a parent directory, at greater cost',
      helpGroup: 'LIVE',
    }),
    count: Flags.integer({
      char: 'c',
      summary: 'with --watch, end after COUNT values',
      helpValue: 'COUNT',
      helpGroup: 'LIVE',
    }),
    stream: Flags.boolean({
      char: 'S',
      summary: 'request large values in parts (this is the default where it is possible)',
      exclusive: ['watch'],
      helpGroup: 'LIVE',
    }),
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KvsGet)
    const { at, watch, waitcreate, count = 0 } = flags
    refuseUnlessLive(flags, LIVE_FLAGS)
    if (at !== undefined && (watch || waitcreate)) {
      throw new UsageError(`--at does not go with --${watch ? 'watch' : 'waitcreate'}`, 'what it names does not change')
    }
    if (this.jsonEnabled() && watch && count <= 0) {
      throw new UsageError('--json does not go with --watch', 'unless --count says when to end')
    }
    return this.withSource(flags, async (source) => {
      const values: object[] = []
      const print = async (key: string, value: TreeObj | Parts) => {
        if (this.jsonEnabled()) values.push({ key, ...(await jsonOf(value)) })
        else await printValue(key, value, flags)
      }
      if (watch) {
        const changes = { ...flags, waitCreate: waitcreate, signal: source.signal }
        for await (const { key, obj } of watchKeys(await source.serviceReader(), args.key, changes)) {
          await print(key, flags.treeobj ? obj : partsOf(key, obj))
        }
        return { values }
      }
      const reader = await source.reader(at)
      for (const key of args.key) {
        try {
          if (waitcreate) await (await source.serviceReader()).awaited(key, flags.treeobj ? 'treeobj' : 'value')
          await print(key, flags.treeobj ? await reader.lookup(key, 'treeobj') : reader.read(key))
        } catch (error) {
          throw isDirectory(error) ? directoryError(key, error) : error
        }
      }
      return { values }
    })
  }
}

function isDirectory(error: unknown): boolean {
  return error instanceof FluxError && error.code === 'EISDIR'
}

/** The error with the message of `flux kvs`. The broker's own message is about dirrefs and streams. */
function directoryError(key: string, cause: unknown): FluxError {
  const { code, message } = lookupError('EISDIR', key)
  return new FluxError(code, message, { cause, hint: 'kvs ls lists it, kvs dir shows what is in it' })
}

type Parts = AsyncIterable<readonly Uint8Array[]>

/** The bytes of an inline value. */
async function* partsOf(key: string, obj: TreeObj): Parts {
  yield [decodeInline(obj as Val, () => key)]
}

async function printValue(key: string, value: TreeObj | Parts, { raw, label }: { raw: boolean; label: boolean }) {
  const output = new Output()
  const prefix = label ? `${shown(key)}=` : ''
  if ('type' in value) {
    await output.write(`${prefix}${shown(treeObjText(value))}\n`)
    return
  }
  // Without --raw, control characters in values must not reach a terminal.
  const content = raw ? (bytes: Uint8Array) => bytes : shownContent()
  let isFirst = true
  for await (const piece of printedValue(value, raw)) {
    // Print the label only when the first bytes have arrived: the key may not exist.
    if (isFirst) await output.write(prefix)
    isFirst = false
    await output.writeContent(content(piece))
  }
  if (isFirst) await output.write(prefix)
}

async function jsonOf(value: TreeObj | Parts): Promise<object> {
  if ('type' in value) return { treeobj: value }
  const parts: Uint8Array[] = []
  for await (const batch of value) for (const part of batch) parts.push(new Uint8Array(part))
  return valueJson(Buffer.concat(parts))
}
