/** The size of the blobs that were chosen to be copied. */
export interface ChosenSize {
  /** Number of blobs that were chosen. */
  blobs: number
  /** Number of blobs in the store. */
  storeBlobs: number
  /** The bytes of the chosen blobs, as they are stored. */
  storedBytes: number
  /** The room that a new store takes on disk: an estimate, rather too large than too small. */
  neededBytes: number
  /** The size of the store. */
  fileBytes: number
}

/** Where to copy the chosen blobs to. */
export interface CopyTarget {
  /** An empty file. */
  path: string
  /** Its name in messages. */
  name: string
  /** How many checkpoints to copy, the newest ones. */
  checkpoints: number
}
