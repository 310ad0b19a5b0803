/** The frame of an xz stream (tukaani.org/xz/xz-file-format.txt, 1.2.1, section 2.1). */

/** The magic of the stream header, as Latin-1. */
export const STREAM_MAGIC = '\xfd7zXZ\0'
export const FOOTER_MAGIC = 'YZ'
/** Bytes of the stream header, and of the stream footer. */
export const STREAM_FRAME_BYTES = 12
/** Offset of the magic in the footer, after checksum, size and flags. */
export const FOOTER_MAGIC_AT = 10
/** The value of the stream flags for CRC-64. */
export const CHECK_CRC64 = 4
export const LZMA2_FILTER = 0x21
