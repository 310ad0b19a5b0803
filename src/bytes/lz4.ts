/**
 * A decoder of the LZ4 block format (lz4_Block_format.md of the LZ4 project): a block is a run of sequences, each a
 * token, literals, and a match that repeats bytes already written. `content.sqlite` holds blobs of 256 bytes and more
 * this way, without frame or length prefix; another column has the expanded size.
 *
 * It is written here, not taken from a library, because it decodes many small blobs into one buffer without an
 * allocation or a call into native code for each.
 */

/**
 * Runs shorter than this are copied byte by byte: for them, a call of `set` or `copyWithin` costs more than it saves.
 */
const LONG_COPY = 64

/**
 * Expand one LZ4 block.
 *
 * @param source - holds the block
 * @param from - where the block begins in `source`
 * @param length - number of bytes of the block
 * @param target - receives the expanded bytes
 * @param at - where they begin in `target`
 * @param size - the exact number of bytes that the block must expand to
 * @returns true when the block is well formed and expands to `size` bytes; false otherwise, with `target` partly
 *   overwritten within `at` … `at + size`. Never reads or writes outside of the two ranges.
 */
export function lz4DecodeBlock(
  source: Uint8Array,
  from: number,
  length: number,
  target: Uint8Array,
  at: number,
  size: number,
): boolean {
  const sourceEnd = from + length
  const targetEnd = at + size
  if (sourceEnd > source.length || targetEnd > target.length) return false
  let s = from
  let t = at
  while (s < sourceEnd) {
    const token = source[s++] as number
    let run = token >>> 4
    if (run === 15) {
      let more: number
      do {
        if (s >= sourceEnd) return false
        more = source[s++] as number
        run += more
      } while (more === 255)
    }
    if (run > sourceEnd - s || run > targetEnd - t) return false
    if (run < LONG_COPY) {
      const end = t + run
      while (t < end) target[t++] = source[s++] as number
    } else {
      target.set(source.subarray(s, s + run), t)
      s += run
      t += run
    }
    // The last sequence has literals only.
    if (s === sourceEnd) return t === targetEnd
    if (s + 2 > sourceEnd) return false
    const offset = (source[s] as number) | ((source[s + 1] as number) << 8)
    s += 2
    let match = t - offset
    if (offset === 0 || match < at) return false
    run = (token & 15) + 4
    if (run === 19) {
      let more: number
      do {
        if (s >= sourceEnd) return false
        more = source[s++] as number
        run += more
      } while (more === 255)
    }
    if (run > targetEnd - t) return false
    if (run < LONG_COPY || offset < run) {
      const end = t + run
      while (t < end) target[t++] = target[match++] as number
    } else {
      target.copyWithin(t, match, match + run)
      t += run
    }
  }
  return false
}
