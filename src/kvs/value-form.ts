/** How a restore stores a value: inline, in one blob, or in several. */

/** Values smaller than this are stored inline in their directory. @see flux-core `src/cmd/builtin/restore.c` */
export const INLINE_BYTES = 72

/**
 * The largest value stored as one blob. A larger one is cut into pieces. SQLite holds blobs of up to 1,000,000,000
 * bytes, and content-sqlite compresses what it stores, which can add 1/255. (The broker itself takes 1 GiB:
 * `content.blob-size-limit`.)
 */
export const MAX_BLOB_BYTES = 996_000_000
const PIECE_BYTES = 64 << 20

/** Bytes of each blob of a value; the last one may have fewer. @param size - of the value, in bytes */
export function pieceBytesOf(size: number): number {
  return size <= MAX_BLOB_BYTES ? size : PIECE_BYTES
}
