/** The progress of a dump. One object, updated in place: read it at any time. */
export interface DumpProgress {
  /** Values and symlinks that the walk has yielded. */
  walked: number
  /** Blobs loaded, directories included. A blob that occurs twice may count twice. */
  loaded: number
  /** Values and symlinks in the archive. */
  keys: number
  symlinks: number
  /** Blobs of the values in the archive. */
  blobs: number
  /** Bytes of the values in the archive. */
  bytes: number
  /** Values, links and directories skipped because they could not be read. */
  skipped: number
  /** The directories among them. It is not known how many keys are below them. */
  skippedDirs: number
  /** Keys whose path had to be encoded. */
  encoded: number
}

/** The progress of a dump that has not begun. */
export function noProgress(): DumpProgress {
  return {
    walked: 0,
    loaded: 0,
    keys: 0,
    symlinks: 0,
    blobs: 0,
    bytes: 0,
    skipped: 0,
    skippedDirs: 0,
    encoded: 0,
  }
}
