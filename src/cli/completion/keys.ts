/**
 * Completes keys for the completion scripts: `flux-ts __complete WORD… PART`. It never prints an error, and gives up
 * when a source does not answer. `bin/run.js` calls it without loading oclif, which would make a noticeable delay.
 */
import type { ContentStore } from '../../content/index.ts'
import { isDir, type KvsReader, type RootChoice, resolveRoot, ServiceReader, SnapshotReader } from '../../kvs/index.ts'
import { namesRoot } from '../source-choice.ts'
import { answer } from './answer.ts'

/**
 * The keys that are offered. bash puts a completed word on the command line as it is, without quotes: a key with `$(…)` in
 * it would be run as a command.
 */
const PLAIN = /^[\w.,:@%+=/-]*$/

/**
 * Print the keys that begin with the last word, one on each line, directories with a dot at the end.
 *
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export async function completeKeys(words: readonly string[], ignored?: string | undefined): Promise<void> {
  await answer(words, ignored, async ({ store, choice, part }) => await keysOf(store, choice, part))
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
    .filter((key) => key.startsWith(part) && PLAIN.test(key))
    .sort()
}
