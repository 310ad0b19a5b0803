/** The frame of an xz stream (tukaani.org/xz/xz-file-format.txt, 1.2.1, section 2.1). */

/** As Latin-1. */
export const STREAM_MAGIC = '\xfd7zXZ\0'
export const FOOTER_MAGIC = 'YZ'
/** Of the header, and of the footer. */
export const STREAM_FRAME_BYTES = 12
/** The footer's magic is behind its checksum, size and flags. */
export const FOOTER_MAGIC_AT = 10
/** The check of each block, as the flags name it. */
export const CHECK_CRC64 = 4
export const LZMA2_FILTER = 0x21
