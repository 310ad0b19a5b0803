import type { ContentStore } from '../../content/index.ts'
import { FluxError } from '../../errors/index.ts'
import { lastEventTime } from './event-time.ts'

/** Blobs looked at: the last that were stored. Each event of a job is stored with half a dozen directories. */
const LAST = 512

/** Larger blobs are left out. In bytes. */
const MOST_BYTES = 64 << 10

/** By how many seconds the newest event of a store is later than its newest checkpoint. */
export interface Ahead {
  readonly seconds: number
  /** The time of the event, in seconds since 1970. */
  readonly newest: number
}

/**
 * Compare the newest event in a store with its newest checkpoint. Only the blobs that were stored last are looked at.
 *
 * @returns undefined when the store has no checkpoint, or no event among those blobs, or cannot list its blobs
 */
export async function aheadOfCheckpoint(store: ContentStore): Promise<Ahead | undefined> {
  const { onDisk } = store
  if (!onDisk) return undefined
  try {
    // Their number is known when the first have been listed.
    if (store.objects === undefined) await onDisk.list(0, 1)
    const { objects = 0 } = store
    const [latest] = await store.checkpoints()
    if (latest === undefined) return undefined
    const last = await onDisk.list(Math.max(0, objects - LAST), LAST)
    const blobs = await store.loadBatch(last, LAST * MOST_BYTES, MOST_BYTES)
    const times = blobs.map((blob) => (blob instanceof Uint8Array ? lastEventTime(blob) : 0))
    const newest = Math.max(0, ...times)
    return newest === 0 ? undefined : { seconds: newest - latest.timestamp, newest }
  } catch (error) {
    // What matters has been said by then: the inspection itself reads the store.
    if (error instanceof FluxError && error.code !== 'EINTR') return undefined
    throw error
  }
}
