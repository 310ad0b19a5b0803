import type { ContentStore, Totals } from '../../content/index.ts'
import { durationText } from '../../errors/index.ts'
import { aheadOfCheckpoint } from '../../inspect/index.ts'

/** An instance that runs normally writes a checkpoint at least this often, or is not used. In seconds. */
const LATE_SECONDS = 3600

/**
 * A line that names `content roots` when a store seems to hold more than its checkpoints reach: its newest event is much
 * later than the newest checkpoint, or most of its bytes are garbage.
 *
 * @param sizes - the bytes of the store, if it is known which can be reached
 */
export async function rootsHint(
  store: ContentStore,
  path: string | undefined,
  sizes?: { all: Totals; garbage: Totals | undefined },
): Promise<string | undefined> {
  if (path === undefined) return undefined
  const see = `content roots --store ${path} lists the roots that it has`
  const ahead = await aheadOfCheckpoint(store)
  if (ahead !== undefined && ahead.seconds > LATE_SECONDS) {
    return `${store.name}: the newest event is ${durationText(ahead.seconds)} later than the newest checkpoint: ${see}`
  }
  const garbage = sizes?.garbage
  if (garbage === undefined || garbage.bytes * 2 <= (sizes?.all.bytes ?? 0)) return undefined
  return `${store.name}: no checkpoint reaches most of it: ${see}`
}
