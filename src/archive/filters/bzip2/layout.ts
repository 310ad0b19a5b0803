/** What begins and ends in a bzip2 file (J. Tsai, "BZIP2: Format Specification", 2016). */

/** A level follows, as a digit. */
export const STREAM_MAGIC = 'BZh'
/** What a block begins with: the digits of pi. 48 bits, at any bit of a byte. */
export const BLOCK_MAGIC = 0x3141_5926_5359
/** What ends a stream, before its checksum: the digits of the square root of pi. 48 bits, at any bit of a byte. */
export const END_MAGIC = 0x1772_4538_5090
/** A block holds so many bytes times the level. */
export const LEVEL_BYTES = 100_000

/** The six bytes of a magic. */
export function latin1(magic: number): string {
  return Buffer.from(magic.toString(16), 'hex').toString('latin1')
}
