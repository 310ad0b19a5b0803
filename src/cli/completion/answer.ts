/** Opens the source that a command line names so far, and prints what its last word may become. */
import { homedir } from 'node:os'
import type { ContentStore } from '../../content/index.ts'
import { keepIgnored } from '../../errors/index.ts'
import type { RootChoice } from '../../kvs/index.ts'
import { openSource, type RootFlags, rootChoice, type SourceChoice } from '../source-choice.ts'

/**
 * Milliseconds for the source to answer; `FLUX_TS_COMPLETION_MS` changes it. The start of the process does not count:
 * on a busy machine it can take as long as the answer.
 */
const DEADLINE_MS = Number(process.env.FLUX_TS_COMPLETION_MS) || 2000

/** Do not wait for an instance that is not running. */
const NO_RETRIES = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }

/** The flags that name the source, and those of them that take no value. */
const SOURCE_FLAGS = ['--uri', '--store', '--archive', '--namespace', '-N', '--checkpoint-index', '--root']
const PLAIN_FLAGS = ['--checkpoint', '--salvage']

/** What {@link answer} has found out. */
export interface Question {
  store: ContentStore
  choice: RootChoice
  /** The word that is being typed. */
  part: string
  /** Aborted when it is too late for an answer. */
  signal: AbortSignal
}

/**
 * Print the words that `find` returns, one on each line. Errors are not printed: in the middle of a command line there
 * is no place for them. Nor is anything printed when the source does not answer in time.
 *
 * @param words - those that were typed before, and what there is of the next
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export async function answer(
  words: readonly string[],
  ignored: string | undefined,
  find: (question: Question) => Promise<readonly string[]>,
): Promise<void> {
  if (ignored) keepIgnored(ignored)
  const flags = sourceOf(words.slice(0, -1))
  const deadline = new AbortController()
  const { signal } = deadline
  setTimeout(() => {
    deadline.abort()
    // An archive has a spool file, which must be removed first: then the aborted signal ends the command.
    if (flags['--archive'] === undefined) process.exit()
  }, DEADLINE_MS).unref()
  try {
    const choice = choiceOf(flags)
    const env = { ...NO_RETRIES, ...process.env }
    await using store = await openSource({ ...choice, env, verify: false, signal })
    const part = unquoted(words.at(-1) ?? '')
    const found = await find({ store, choice: rootChoice(choice), part, signal })
    if (!signal.aborted) process.stdout.write(found.map((word) => `${word}\n`).join(''))
  } catch {
    // See above.
  }
}

/** The flags among the typed words that name the source. bash makes `=` a separate word. */
export function sourceOf(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {}
  const list = words.filter((word) => word !== '=')
  for (const [i, word] of list.entries()) {
    const [name = '', joined] = word.split(/=(.*)/s)
    if (PLAIN_FLAGS.includes(name)) flags[name] = ''
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
    salvage: flags['--salvage'] !== undefined,
    // What is lost does not matter here.
    'ignore-failed-read': true,
    checkpoint: flags['--checkpoint'] !== undefined,
    'checkpoint-index': index === undefined ? undefined : Number(index),
    root: flags['--root'],
  }
}
