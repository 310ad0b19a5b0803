import type { ContentStore, Totals } from '../../content/index.ts'
import { durationText } from '../../errors/index.ts'
import { aheadOfCheckpoint, listFaults } from '../../inspect/index.ts'

/** An instance that runs normally writes a checkpoint at least this often, or is not used. In seconds. */
const LATE_SECONDS = 3600

/**
 * A line that names `content roots` when a store seems to hold more than its checkpoints reach: its newest event is much
 * later than the newest checkpoint, or most of its bytes are garbage; or when its list of blobs is damaged, so that the newest
 * may be missing.
 *
 * @param path - the store as it was named; undefined for another source
 * @param known - what is known already: `sizes`, if it is known which bytes can be reached; `isEmpty`, that nothing was
 *   found where much was looked for, so that any later event matters
 */
export async function rootsHint(
  store: ContentStore,
  path: string | undefined,
  known: { sizes?: { all: Totals; garbage: Totals | undefined }; isEmpty?: boolean } = {},
): Promise<string | undefined> {
  if (path === undefined) return undefined
  const see = `content roots --store ${path} lists the roots that it has`
  // What matters has been said by then: the inspection itself reads the store.
  const [fault] = await listFaults(store).catch(() => [])
  if (fault !== undefined)
    return `${fault.message}: content roots --salvage --store ${path} lists the roots that are left`
  const ahead = await aheadOfCheckpoint(store)
  if (ahead !== undefined && ahead.seconds > (known.isEmpty ? 0 : LATE_SECONDS)) {
    return `${store.name}: the newest event is ${durationText(ahead.seconds)} later than the newest checkpoint: ${see}`
  }
  const { all, garbage } = known.sizes ?? {}
  if (garbage === undefined || garbage.bytes * 2 <= (all?.bytes ?? 0)) return undefined
  return `${store.name}: no checkpoint reaches most of it: ${see}`
}
