/**
 * Completes job ids for the completion scripts: `flux-ts __complete_jobids WORD… PART`. Like the completion of keys, it
 * never prints an error, and does not load oclif.
 */
import { printable } from '../../errors/index.ts'
import { jobStatus, jobs, newestJobids } from '../../inspect/index.ts'
import { formatJobid, jobidPrefix, resolveRoot, SnapshotReader, type SnapshotRoot } from '../../kvs/index.ts'
import { isUtf8Locale } from '../locale.ts'
import { answer } from './answer.ts'

/** How many ids are offered: more than a person reads. Of each the records are read. */
const OFFERED = 100

/**
 * Print the ids that begin with the last word, the newest first, in the form in which it begins.
 *
 * @param described - print the name and state of each job behind a tab
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export async function completeJobids(
  words: readonly string[],
  described: boolean,
  ignored?: string | undefined,
): Promise<void> {
  await answer(words, ignored, async ({ store, choice, part, signal }) => {
    const prefix = jobidPrefix(part)
    if (prefix === undefined) return []
    const form = part === '' && !writesUtf8() ? 'f58plain' : prefix.form
    const snapshot = await resolveRoot(store, choice)
    const ids: bigint[] = []
    for await (const id of newestJobids(new SnapshotReader(snapshot, { signal }), prefix.ranges)) {
      ids.push(id)
      if (ids.length === OFFERED) break
    }
    const descriptions = described ? await descriptionsOf(snapshot, ids, signal) : new Map<bigint, string>()
    return ids.map((id) => {
      const description = descriptions.get(id)
      return formatJobid(id, form) + (description === undefined ? '' : `\t${description}`)
    })
  })
}

/** The name and state of each job, as far as its records tell them. */
async function descriptionsOf(
  snapshot: SnapshotRoot,
  ids: readonly bigint[],
  signal: AbortSignal,
): Promise<Map<bigint, string>> {
  const descriptions = new Map<bigint, string>()
  if (ids.length === 0) return descriptions
  for await (const batch of jobs(snapshot, { ids, onFault: () => {}, signal })) {
    for (const job of batch) descriptions.set(job.id, printable(`${job.name ?? ''} ${jobStatus(job)}`.trimStart()))
  }
  return descriptions
}

/** True when the terminal takes a `ƒ`. @see flux-core, FLUX_F58_FORCE_ASCII */
function writesUtf8(): boolean {
  return process.env.FLUX_F58_FORCE_ASCII === undefined && isUtf8Locale()
}
