/** The progress of a restore, updated in place. */
export interface RestoreProgress {
  /** Values and symlinks in the tree. */
  keys: number
  symlinks: number
  /** Blobs stored, directories included. */
  blobs: number
  /** Bytes of the values in the tree. */
  bytes: number
  /** Values skipped for their size. */
  skipped: number
  /** Members that the globs do not select. */
  deselected: number
  /** Damaged parts of the archive that were left out. It is not always known how many members they held. */
  lost: number
}

/** The progress of a restore that has not begun. */
export function noProgress(): RestoreProgress {
  return { keys: 0, symlinks: 0, blobs: 0, bytes: 0, skipped: 0, deselected: 0, lost: 0 }
}
