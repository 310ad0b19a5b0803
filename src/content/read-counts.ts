/** How much of a store has been read. One object, updated in place, so that a display can read it at any time. */
export interface ReadCounts {
  /** Blobs that were loaded or checked. */
  loaded: number
  /** Those of them that were read from the file of a live instance's backing store, and not asked of a broker. */
  direct: number
  /** Blobs whose size was asked for. */
  measured: number
  /** Blobs that were marked: `mark`. */
  marked: number
  /** Blobs that `totals` has added up so far. */
  addedUp: number
  /** Keys that the KVS service of a live instance has answered. */
  keys: number
}

/** The counts of a store of which nothing has been read. */
export function noCounts(): ReadCounts {
  return { loaded: 0, direct: 0, measured: 0, marked: 0, addedUp: 0, keys: 0 }
}

/**
 * Number of blobs that have been read in any way. It is the largest count, not the sum: du loads directories and then
 * asks for their sizes, so the same blobs are in two counts.
 */
export function blobsMet({ loaded, measured, marked, addedUp }: Readonly<ReadCounts>): number {
  return Math.max(loaded, measured, marked, addedUp)
}

/**
 * Memory that a store on disk shares with its reading thread. The thread counts in it during a long call, such as `totals`,
 * when it cannot answer other calls.
 */
export type SharedCounts = Float64Array

/** The places in {@link SharedCounts}: objects in the store, objects that have been added up, and that were copied. */
export const SHARED = { OBJECTS: 0, ADDED_UP: 1, COPIED: 2 } as const

export function newSharedCounts(): SharedCounts {
  return new Float64Array(new SharedArrayBuffer(Object.keys(SHARED).length * Float64Array.BYTES_PER_ELEMENT))
}
