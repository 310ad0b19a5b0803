/** The magics of a bzip2 file (J. Tsai, "BZIP2: Format Specification", 2016). */

/** The start of a stream. The level follows, as a digit. */
export const STREAM_MAGIC = 'BZh'
/** The start of a block: the digits of pi. 48 bits, at any bit offset. */
export const BLOCK_MAGIC = 0x3141_5926_5359
/** The end of a stream, before its checksum: the digits of the square root of pi. 48 bits, at any bit offset. */
export const END_MAGIC = 0x1772_4538_5090
/** A block holds this many bytes times the level. */
export const LEVEL_BYTES = 100_000

/** The six bytes of a 48-bit magic, as Latin-1. */
export function latin1(magic: number): string {
  return Buffer.from(magic.toString(16), 'hex').toString('latin1')
}
