/**
 * Completes keys for the completion scripts: `flux-ts __complete WORD… PART`. It never prints an error, and gives up
 * when a source does not answer. `bin/run.js` calls it without loading oclif, which would make a noticeable delay.
 */
import { homedir } from 'node:os'
import type { ContentStore } from '../../content/index.ts'
import { keepIgnored } from '../../errors/index.ts'
import { isDir, type KvsReader, type RootChoice, resolveRoot, ServiceReader, SnapshotReader } from '../../kvs/index.ts'
import { namesRoot, openSource, type RootFlags, rootChoice, type SourceChoice } from '../source-choice.ts'

/**
 * Milliseconds for the source to answer; `FLUX_TS_COMPLETION_MS` changes it. The start of the process does not count:
 * on a busy machine it can take as long as the answer.
 */
const DEADLINE_MS = Number(process.env.FLUX_TS_COMPLETION_MS) || 2000

/** Do not wait for an instance that is not running. */
const NO_RETRIES = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }

/** The flags with a value that name the source. */
const SOURCE_FLAGS = ['--uri', '--store', '--archive', '--namespace', '-N', '--checkpoint-index', '--root']

/**
 * Print the keys that begin with the last word, one on each line, directories with a dot at the end.
 *
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export async function completeKeys(words: readonly string[], ignored?: string | undefined): Promise<void> {
  if (ignored) keepIgnored(ignored)
  const flags = sourceOf(words.slice(0, -1))
  const deadline = new AbortController()
  setTimeout(() => {
    deadline.abort()
    // An archive has a spool file, which must be removed first: then the aborted signal ends the command.
    if (flags['--archive'] === undefined) process.exit()
  }, DEADLINE_MS).unref()
  try {
    const choice = choiceOf(flags)
    const env = { ...NO_RETRIES, ...process.env }
    await using store = await openSource({ ...choice, env, verify: false, signal: deadline.signal })
    const keys = await keysOf(store, rootChoice(choice), unquoted(words.at(-1) ?? ''))
    if (!deadline.signal.aborted) process.stdout.write(keys.map((key) => `${key}\n`).join(''))
  } catch {
    // In the middle of a command line there is no place for an error.
  }
}

/** The flags among the typed words that name the source. bash makes `=` a separate word. */
export function sourceOf(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {}
  const list = words.filter((word) => word !== '=')
  for (const [i, word] of list.entries()) {
    const [name = '', joined] = word.split(/=(.*)/s)
    if (name === '--checkpoint') flags[name] = ''
    const value = joined ?? list[i + 1]
    if (SOURCE_FLAGS.includes(name) && value !== undefined) flags[name] = unquoted(value)
  }
  return flags
}

/** A word as the shell would pass it on. Variables and commands in it are not expanded. */
function unquoted(word: string): string {
  const plain = word.replaceAll(/\\(.)|["']/g, '$1')
  return plain.startsWith('~/') ? homedir() + plain.slice(1) : plain
}

/** The flags in the form that {@link openSource} and {@link rootChoice} take. */
function choiceOf(flags: Record<string, string>): Omit<SourceChoice, 'verify'> & RootFlags {
  const index = flags['--checkpoint-index']
  return {
    uri: flags['--uri'],
    store: flags['--store'],
    archive: flags['--archive'],
    'cache-dir': true,
    namespace: flags['--namespace'] ?? flags['-N'],
    checkpoint: flags['--checkpoint'] !== undefined,
    'checkpoint-index': index === undefined ? undefined : Number(index),
    root: flags['--root'],
  }
}

async function keysOf(store: ContentStore, choice: RootChoice, part: string): Promise<string[]> {
  // The KVS service also answers users who may not load content.
  const isAsked = store.instance !== undefined && !namesRoot(choice)
  const reader: KvsReader = isAsked
    ? new ServiceReader(store.instance.kvs, choice)
    : new SnapshotReader(await resolveRoot(store, choice))
  const dir = part.slice(0, part.lastIndexOf('.') + 1)
  const { data } = await reader.lookup(dir || '.', 'dir')
  return Object.entries(data)
    .map(([name, obj]) => dir + name + (isDir(obj) ? '.' : ''))
    .filter((key) => key.startsWith(part) && /^[\x21-\x7e]*$/.test(key))
    .sort()
}
