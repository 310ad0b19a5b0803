/** Frames of zstd (RFC 8878, 3.1.1 and 3.1.2). */

export const FRAME_MAGIC = 0xfd2f_b528
/** The magic of skippable frames, 0x184D2A50 to 0x184D2A5F, without its last four bits. */
export const SKIPPABLE_MAGIC = 0x0184_d2a5
/** The largest block. */
export const MAX_BLOCK_BYTES = 128 << 10
/** The type of a block of one repeated byte. */
export const RLE_BLOCK = 1

/** The four bytes of a magic, little-endian. */
export function latin1(magic: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(magic >>> 0)
  return bytes.toString('latin1')
}
