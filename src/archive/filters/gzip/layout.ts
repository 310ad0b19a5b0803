/** The frame of a gzip member (RFC 1952, 2.3). */

export const MAGIC = '\x1f\x8b'
export const METHOD_DEFLATE = 8
/** The operating system field: Unix. */
export const OS_UNIX = 3
/** Bytes of CRC-32 and length, after the deflated data. */
export const TRAILER_BYTES = 8
