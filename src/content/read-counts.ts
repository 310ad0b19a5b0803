/** How much has been read of a store. One object, counted up in place: whoever shows it looks when it likes. */
export interface ReadCounts {
  /** Blobs that were loaded, or compared with their blobrefs where they are. */
  loaded: number
  /** Those of them that were read from the file of a live instance's backing store, and not asked of a broker. */
  direct: number
  /** Blobs whose size was asked for. */
  measured: number
  /** Blobs that were set apart: `mark`. */
  marked: number
  /** Blobs that `totals` has added up so far. */
  addedUp: number
  /** Keys that the KVS service of a live instance has answered. */
  keys: number
}

/** Counts of a store that has not been asked yet. */
export function noCounts(): ReadCounts {
  return { loaded: 0, direct: 0, measured: 0, marked: 0, addedUp: 0, keys: 0 }
}

/**
 * How many blobs have been met. Whoever asks for one in two ways, as du loads directories and then asks for their sizes,
 * has not met two.
 */
export function blobsMet({ loaded, measured, marked, addedUp }: Readonly<ReadCounts>): number {
  return Math.max(loaded, measured, marked, addedUp)
}

/**
 * Memory that a store on disk shares with its reading thread, which counts in it while it works on one long question,
 * `totals`, and can answer no other.
 */
export type SharedCounts = Float64Array

/** What stands where in it: objects in the store, and those that have been added up. */
export const SHARED = { OBJECTS: 0, ADDED_UP: 1 } as const

export function newSharedCounts(): SharedCounts {
  return new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT))
}
